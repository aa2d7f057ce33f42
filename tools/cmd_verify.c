#include "commands.h"
#include "input.h"
#include "interrupt.h"
#include "message.h"
#include "output.h"
#include "processors.h"
#include "progress.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

struct settings {
    int quick;
    int quiet;
    uint64_t bytes_max;
    uint64_t jobs;
};

static const struct option_row rows[] = {
    {'j', "jobs", "N", OPTION_NUMBER, offsetof(struct settings, jobs), 1, PROCESSORS_MAX,
     "work on N processors (default: all)"},
    {0, "quick", NULL, OPTION_FLAG, offsetof(struct settings, quick), 0, 0,
     "check the checksums only, decompress nothing"},
    {0, "max-bytes", "SIZE", OPTION_BYTES, offsetof(struct settings, bytes_max), 1, UINT64_MAX,
     "decompress no more contents than this (default: 64G, more for large images)"},
    {'q', "quiet", NULL, OPTION_FLAG, offsetof(struct settings, quiet), 0, 0, "show nothing but damage"},
    {.name = NULL},
};

struct verify {
    struct input input;
    int findings;
    int limited; /* it was not checked whole */
};

static int report(void *context, const struct memfs_detail *finding)
{
    struct verify *verify = context;
    message_error_hint(verify->input.name, NULL, finding->error, finding,
                       finding->error == MEMFS_ELIMIT ? "--max-bytes gives one" : "");
    if (finding->error == MEMFS_ELIMIT)
        verify->limited = 1;
    else
        verify->findings++;
    return interrupt_noted();
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

static int verify_image(const char *name, const struct settings *settings)
{
    struct verify verify = {.findings = 0};
    int code = input_open(&verify.input, name, 0);
    if (code != EXIT_DONE)
        return code;
    struct memfs_verify_options options = {.size = sizeof options};
    options.quick = settings->quick;
    options.bytes_max = settings->bytes_max;
    options.threads = (unsigned)settings->jobs;
    options.finding = report;
    options.finding_context = &verify;
    options.progress = progress_update;
    struct memfs_detail detail = {.offset = UINT64_MAX};
    int shown;
    progress_start("verifying", settings->quiet);
    int result = memfs_verify(verify.input.image, &options, &detail);
    progress_end(&shown);
    if (result == 0) {
        if (!settings->quiet)
            print_intact(&verify.input, settings);
    } else if (verify.findings == 0 && !verify.limited && result != -ECANCELED) {
        code = message_error_hint(verify.input.name, NULL, result, &detail, "");
    } else {
        code = verify.findings > 0 ? EXIT_DAMAGED : verify.limited ? EXIT_INCOMPLETE : EXIT_FAILED;
    }
    input_close(&verify.input);
    return code;
}

static int run(int argc, char **argv)
{
    struct settings settings = {.jobs = processors()};
    int first;
    int code = options_parse(&command_verify, argc, argv, &settings, &first);
    if (code >= 0)
        return code;
    interrupt_catch();
    code = EXIT_DONE;
    for (int i = first; i < argc && !interrupt_noted(); i++)
        code = message_worse(code, verify_image(argv[i], &settings));
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
    .options = rows,
    .operands_min = 1,
    .operands_max = -1,
    .run = run,
};
