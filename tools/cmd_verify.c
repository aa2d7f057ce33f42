#include "commands.h"
#include "output/json.h"
#include "output/message.h"
#include "output/output.h"
#include "output/progress.h"
#include "system/input.h"
#include "system/interrupt.h"
#include "system/processors.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct settings {
    int quick;
    uint64_t bytes_max;
    uint64_t jobs;
};

static const struct option_row rows[] = {
    {'j', "jobs", "N", OPTION_NUMBER, offsetof(struct settings, jobs), 1, UINT64_MAX,
     "work on N processors, 64 at most (default: all)"},
    {0, "quick", NULL, OPTION_FLAG, offsetof(struct settings, quick), 0, 0,
     "check the checksums only, decompress nothing"},
    {0, "max-bytes", "SIZE", OPTION_BYTES, offsetof(struct settings, bytes_max), 1, UINT64_MAX,
     "check no more contents (default: 64G, more for large images)"},
    {.name = NULL},
};

struct verify {
    struct input input;
    int findings;
    int limited; /* it was not checked whole */
};

/* Words that stay the same. */
static const char *error_name(int error)
{
    switch (error) {
    case MEMFS_ENOTIMAGE:
        return "not_image";
    case MEMFS_EVERSION:
        return "version";
    case MEMFS_EFEATURE:
        return "feature";
    case MEMFS_ECHECKSUM:
        return "checksum";
    case MEMFS_ECORRUPT:
        return "corrupt";
    case MEMFS_ELIMIT:
        return "limit";
    default:
        return "other";
    }
}

static void report_json(const struct verify *verify, const struct memfs_detail *finding, const char *path)
{
    struct json json = json_begin(stdout);
    json_text(&json, "image", verify->input.name);
    json_text(&json, "finding", finding->text);
    json_text(&json, "error", memfs_strerror(finding->error));
    json_text(&json, "error_name", error_name(finding->error));
    if (path)
        json_text(&json, "path", path);
    if (finding->offset != UINT64_MAX)
        json_unsigned(&json, "offset", finding->offset);
    json_end(&json);
}

static int report_of_file(void *context, const struct memfs_detail *finding, const char *path)
{
    struct verify *verify = context;
    if (common.json)
        report_json(verify, finding, path);
    else
        message_error_hint(verify->input.name, path, finding->error, finding,
                           finding->error == MEMFS_ELIMIT ? "--max-bytes (of contents) and --max-decoded give one"
                                                          : "");
    if (finding->error == MEMFS_ELIMIT)
        verify->limited = 1;
    else
        verify->findings++;
    return interrupt_noted();
}

static int report(void *context, const struct memfs_detail *finding)
{
    return report_of_file(context, finding, NULL);
}

static void print_intact(const struct input *input, const struct settings *settings)
{
    struct memfs_image_info info;
    output_name(input->name, strlen(input->name));
    if (memfs_image_info(input->image, &info) != 0 || settings->quick)
        output(": all checksums are right\n");
    else
        output(": intact (%" PRIu64 " file%s, %" PRIu64 " bytes)\n", info.types[0], info.types[0] == 1 ? "" : "s",
               info.content_bytes);
}

/* The last line of each image. */
static void print_result(const struct verify *verify, int code)
{
    static const char *const words[] = {
        [EXIT_DONE] = "intact", [EXIT_INCOMPLETE] = "incomplete", [EXIT_DAMAGED] = "damaged", [EXIT_FAILED] = "failed"};
    struct memfs_image_info info;
    struct json json = json_begin(stdout);
    json_text(&json, "image", verify->input.name);
    json_text(&json, "result", words[code]);
    json_unsigned(&json, "findings", (uint64_t)verify->findings);
    if (verify->input.image && memfs_image_info(verify->input.image, &info) == 0) {
        json_unsigned(&json, "files", info.types[0]);
        json_unsigned(&json, "bytes", info.content_bytes);
    }
    json_end(&json);
}

static int verify_image(const char *name, int file, const struct settings *settings)
{
    struct verify verify = {.findings = 0};
    int code = input_hold_opened(&verify.input, name, file);
    if (code == EXIT_DONE)
        code = input_read(&verify.input, 0);
    if (code != EXIT_DONE) {
        if (common.json && code != EXIT_USAGE)
            print_result(&verify, code);
        return code;
    }
    struct memfs_verify_options options = {.size = sizeof options};
    options.quick = settings->quick;
    options.bytes_max = settings->bytes_max;
    options.decoded_max = input_decoded_max(&verify.input);
    memfs_image_allow(verify.input.image, UINT64_MAX); /* it counts itself, and says so once */
    options.threads = processors_used(settings->jobs);
    options.finding = report;
    options.file_finding = report_of_file;
    options.finding_context = &verify;
    options.progress = progress_update;
    struct memfs_detail detail = {.offset = UINT64_MAX};
    int shown;
    progress_start("verifying");
    int result = memfs_verify(verify.input.image, &options, &detail);
    progress_end(&shown);
    if (result == 0) {
        if (!common.quiet && !common.json)
            print_intact(&verify.input, settings);
    } else if (verify.findings == 0 && !verify.limited && result != -ECANCELED) {
        code = message_error_hint(verify.input.name, NULL, result, &detail, "");
    } else {
        code = verify.findings > 0 ? EXIT_DAMAGED : verify.limited ? EXIT_INCOMPLETE : EXIT_FAILED;
    }
    if (common.json && result != -ECANCELED)
        print_result(&verify, code);
    input_close(&verify.input);
    return code;
}

static int run(int argc, char **argv)
{
    struct settings settings = {.jobs = processors()};
    int first, *files = NULL;
    int code = options_parse(&command_verify, argc, argv, &settings, &first);
    if (code >= 0)
        return code;
    interrupt_catch();
    code = input_open_several(argv + first, argc - first, &files);
    const int entered = code == EXIT_DONE;
    for (int i = first; entered && i < argc && !interrupt_noted(); i++)
        code = message_worse(code, verify_image(argv[i], files[i - first], &settings));
    free(files);
    if (interrupt_noted())
        code = EXIT_FAILED;
    return message_worse(code, output_finish());
}

const struct command command_verify = {
    .name = "verify",
    .operands = "IMAGE...",
    .summary = "check images for damage",
    .about = "Checks each IMAGE ('-': standard input): every checksum, every record, every count, the\n"
             "tree and the contents of all files. Names each finding, and exits 3 if there are any.\n",
    .examples = "  memfs verify photos.mfs\n"
                "  memfs verify --quick *.mfs\n",
    .common = COMMON_JSON | COMMON_PROGRESS | COMMON_DECODED,
    .manual =
        "With --json each finding is an object with image, finding (what is wrong), error (of which kind, in words),\n"
        "error_name (checksum, corrupt or limit, for programs: more may come) and, where they are known, path (of the\n"
        "file that it is about; path_base64 if it is not UTF-8) and offset (in the image, in bytes). The last object "
        "of each image has image, result\n"
        "(intact, incomplete, damaged or failed), findings (how many were told, but for that of a limit), and, if it\n"
        "could be opened, files and bytes (of their contents). Why it could not stands on standard error only.\n\n"
        "A finding about a file names its path, but only the first twenty files whose digest is wrong are searched\n"
        "for. Of many findings the first hundred are told, and how many more there are. What is found is the same\n"
        "for any number of processors.\n\n"
        "Checked are all checksums, every record, every count, that the tree is one, and that each file's\n"
        "contents have their digest. With --quick it is the checksums only, and that the pieces fill the image\n"
        "without gap or overlap. Each finding is a line on standard error, an image without any one on\n"
        "standard output.\n\n"
        "A small image can claim endless contents: hence --max-bytes, by default 64 GiB, or 1,024 times the\n"
        "image's size if that is more; and files that share blocks far from each other, or records in no order,\n"
        "can have these decompressed again and again: hence --max-decoded, see memfs(1). An image that has more,\n"
        "and no other finding, is not checked whole: exit code 1.\n",
    .options = rows,
    .operands_min = 1,
    .operands_max = -1,
    .run = run,
};
