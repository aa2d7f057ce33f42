#include "commands.h"
#include "info/census.h"
#include "info/picture.h"
#include "info/storage.h"
#include "info/summary.h"
#include "output/message.h"
#include "output/output.h"
#include "system/draft.h"
#include "system/interrupt.h"
#include "system/sandbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LISTED_MAX 100000
#define PAGE_LARGEST 100 /* on a page, unless told */
#define PAGE_EXTENSIONS 20

struct settings {
    const char *html;
    int force;
    uint64_t largest, extensions; /* 0: none */
};

static const struct option_row rows[] = {
    {'f', "force", NULL, OPTION_FLAG, offsetof(struct settings, force), 0, 0,
     "replace FILE if it exists and is no image"},
    {0, "html", "FILE", OPTION_TEXT, offsetof(struct settings, html), 0, 0,
     "write a page that shows where the bytes are ('-': standard output)"},
    {0, "largest", "N", OPTION_NUMBER, offsetof(struct settings, largest), 1, LISTED_MAX,
     "list the N largest files (of a page: 100)"},
    {0, "extensions", "N", OPTION_NUMBER, offsetof(struct settings, extensions), 1, LISTED_MAX,
     "sum up files by the N extensions with most bytes (of a page: 20)"},
    {.name = NULL},
};

/* What there is to show, beside what the root says. */
struct info {
    struct settings settings;
    struct input input;
    struct storage storage;
    struct census census;
    int has_storage, has_census; /* read, and whole */
};

static int is_standard(const char *name)
{
    return strcmp(name, "-") == 0;
}

/* ---- As text and as JSON ---------------------------------------------------------- */

static int fail(const struct info *info, int result)
{
    return result != 0 ? input_error(&info->input, NULL, result) : EXIT_DONE;
}

static int print(const struct info *info, const struct memfs_image_info *root)
{
    int result = 0;
    summary_print(info->input.name, root);
    if (info->has_storage) {
        output("\n");
        storage_print(&info->storage);
    }
    if (info->has_census && info->settings.extensions > 0) {
        output("\n");
        extensions_print(&info->census.extensions, info->settings.extensions);
    }
    if (info->has_census && info->settings.largest > 0) {
        output("\n");
        result = largest_print(&info->census.largest, info->input.fs);
    }
    return fail(info, result);
}

static int print_json(const struct info *info, const struct memfs_image_info *root)
{
    int result = 0;
    struct json json = json_begin(stdout);
    summary_json(info->input.name, root, &json);
    if (info->has_storage)
        storage_json(&info->storage, &json);
    if (info->has_census && info->settings.extensions > 0)
        extensions_json(&info->census.extensions, info->settings.extensions, &json);
    if (info->has_census && info->settings.largest > 0)
        result = largest_json(&info->census.largest, info->input.fs, &json);
    json_end(&json);
    return fail(info, result);
}

/* ---- As a page -------------------------------------------------------------------- */

static int put_page(struct info *info, FILE *stream, int *failed)
{
    return fail(info,
                picture_write(stream, &info->input, &info->storage, &info->census, info->settings.extensions, failed));
}

/* The draft is there from the beginning, so that nobody waits for a page that cannot be written. */
static int finish_page(struct info *info, struct draft *draft)
{
    int failed;
    if (is_standard(info->settings.html)) {
        const int code = put_page(info, stdout, &failed);
        errno = failed;
        output_failed();
        return code;
    }
    const int code = put_page(info, draft->stream, &failed);
    return code == EXIT_DONE ? draft_publish(draft, failed) : code;
}

/* -f would replace the image that is shown, or another that was taken for the page. */
static int check_place(const char *html, const char *image)
{
    struct stat one, other;
    const int found = stat(html, &one) == 0;
    if (!found && errno != ENOENT)
        return message_error(html, NULL, -errno, NULL);
    if (found && stat(image, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino)
        return message_usage("info", "--html %s: is the image itself; name another file", html);
    const int is_image = found && S_ISREG(one.st_mode) ? input_begins_image(html) : 0;
    if (is_image < 0)
        return message_error(html, NULL, is_image, NULL);
    if (is_image)
        return message_usage("info", "--html %s: is an image, and not replaced by a page; name another file", html);
    return EXIT_DONE;
}

static int begin_page(const struct info *info, struct draft *draft, const char *image)
{
    const char *html = info->settings.html;
    if (!html || is_standard(html))
        return EXIT_DONE;
    interrupt_catch();
    const int code = check_place(html, image);
    return code == EXIT_DONE ? draft_open(draft, html, info->settings.force) : code;
}

/* ---- The command ------------------------------------------------------------------- */

static int check_settings(struct settings *settings)
{
    if (settings->html && common.json)
        return message_usage("info", "--html and --json exclude each other");
    if (settings->force && !settings->html)
        return message_usage("info", "--force is about the FILE of --html");
    if (settings->html && settings->largest == 0)
        settings->largest = PAGE_LARGEST;
    if (settings->html && settings->extensions == 0)
        settings->extensions = PAGE_EXTENSIONS;
    return EXIT_DONE;
}

/* What goes wrong with one does not keep the other from being shown. */
static int gather(struct info *info, int needs_census)
{
    int code = EXIT_DONE;
    if (common.verbose || info->settings.html) {
        code = storage_read(&info->storage, &info->input);
        info->has_storage = code == EXIT_DONE;
    }
    if (needs_census) {
        const int counted =
            census_take(&info->census, &info->input, (size_t)info->settings.largest, info->settings.html != NULL);
        info->has_census = counted == EXIT_DONE;
        code = message_worse(code, counted);
    }
    return code;
}

/* A page that is written into a file gets its name there when it is done. */
static int give_up_rest(const char *html)
{
    struct sandbox sandbox;
    sandbox_begin(&sandbox);
    if (html && !is_standard(html))
        sandbox_allow_beside(&sandbox, html, SANDBOX_WRITE | SANDBOX_BEGUN);
    return sandbox_enter(&sandbox);
}

/* Without a file, which may be opened by name, it is alone: nothing else is to be opened. */
static int show(struct info *info, const char *image, const int *file)
{
    struct memfs_image_info root;
    struct draft draft = {.path = NULL};
    const int needs_census = info->settings.largest > 0 || info->settings.extensions > 0;
    int code = file ? input_hold_opened(&info->input, image, *file) : input_hold(&info->input, image);
    if (code == EXIT_DONE)
        code = begin_page(info, &draft, image);
    if (code == EXIT_DONE && !file)
        code = give_up_rest(info->settings.html);
    if (code == EXIT_DONE)
        code = input_read(&info->input, needs_census);
    if (code == EXIT_DONE) {
        memfs_image_info(info->input.image, &root);
        code = gather(info, needs_census);
        if (info->settings.html)
            code = code == EXIT_DONE ? finish_page(info, &draft) : code;
        else if (!interrupt_noted())
            code = message_worse(code, common.json ? print_json(info, &root) : print(info, &root));
    }
    draft_discard(&draft);
    census_free(&info->census);
    input_close(&info->input);
    return code;
}

static int show_several(const struct settings *settings, char **images, int count)
{
    if (settings->html)
        return message_usage("info", "--html shows one image, and '%s' is a second one", images[1]);
    int *files = NULL;
    int code = input_open_several(images, count, &files);
    const int entered = code == EXIT_DONE;
    for (int i = 0; entered && i < count && !interrupt_noted(); i++) {
        struct info info = {.settings = *settings};
        if (i > 0 && !common.json)
            output("\n");
        code = message_worse(code, show(&info, images[i], &files[i]));
    }
    free(files);
    return code;
}

static int run(int argc, char **argv)
{
    struct info info = {.has_storage = 0};
    int first;
    int code = options_parse(&command_info, argc, argv, &info.settings, &first);
    if (code >= 0)
        return code;
    code = check_settings(&info.settings);
    if (code == EXIT_DONE && argc - first > 1)
        code = show_several(&info.settings, argv + first, argc - first);
    else if (code == EXIT_DONE)
        code = show(&info, argv[first], NULL);
    return message_worse(code, output_finish());
}

const struct command command_info = {
    .name = "info",
    .operands = "IMAGE...",
    .summary = "show what an image is made of, as text or as a picture",
    .about = "Shows version, counts and sizes of each IMAGE ('-': standard input). Entries are the names in\n"
             "directories; a node may have several. Contents are all bytes of all files, data those that are\n"
             "not holes, unique data what is left after equal files and parts were stored once, stored data that\n"
             "compressed; tables are all else in the image. So much is told at once of any image. -v reads\n"
             "where each block is, and shows the tables and how far the blocks with contents are compressed;\n"
             "--largest, --extensions and --html walk over the whole tree.\n",
    .examples = "  memfs info photos.mfs\n"
                "  memfs info -v --largest 10 photos.mfs\n"
                "  memfs info --html photos.html photos.mfs\n",
    .common = COMMON_JSON | COMMON_PROGRESS | COMMON_DECODED,
    .manual =
        "The page of --html needs nothing but a browser: it loads nothing, and what it shows is in it. It\n"
        "has a map of the tree, in which each file and directory is as large as its share of the bytes or of the\n"
        "files, the largest files, and sums by type and by extension. Of large trees it has the 5,000\n"
        "files and directories that weigh most, and for each directory the others together. FILE appears\n"
        "whole or not at all; one that exists is replaced with -f only, an image never.\n\n"
        "What is stored for a file is its part of the blocks with its contents, compressed; what several files have\n"
        "belongs to the first of them. A file with several names counts once, at the first of them in the order of the "
        "tree. An extension is what\n"
        "stands behind the last dot of a name, in lower case: up to 15 of ASCII's letters, digits, _, + and -.\n\n"
        "With --json there is one object an image, with image, format, generation, features (an object of three "
        "numbers:\n"
        "incompatible, read_only_compatible, compatible), time and message (if the image has them), nodes,\n"
        "types (an object of seven numbers: files, directories, symbolic_links, fifos, sockets,\n"
        "character_devices, block_devices), entries, content_bytes, data_bytes (without holes), unique_bytes (what is\n"
        "left after sharing), stored_bytes (that compressed), image_bytes, blocks and block_size.\n\n"
        "-v adds tables (an array of objects: name, chunks, raw_bytes, stored_bytes; \"blocks\" are those with\n"
        "contents, \"refs\" says where all others are), rest_bytes (of the image that are none of these: header, root, "
        "trailer\n"
        "and earlier generations), ratios (an array of objects: blocks is the number of those with contents whose\n"
        "stored bytes are from_percent to ten more percent of the raw ones), and uncompressed_blocks. --largest adds "
        "largest\n"
        "(objects: path, size, allocated, which is size without holes, and stored); --extensions adds extensions "
        "(objects:\n"
        "extension, \"\" for names without one, files, size, stored; the last one without extension sums up all "
        "others).\n",
    .options = rows,
    .operands_min = 1,
    .operands_max = -1,
    .run = run,
};
