#include "buffer.h"
#include "commands.h"
#include "input.h"
#include "interrupt.h"
#include "memfs_host.h"
#include "message.h"
#include "output.h"
#include "progress.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct settings {
    int all;
    int owner;
    int setuid;
    int devices;
    int privileged_xattrs;
    int into;
    int quiet;
    uint64_t bytes_max;
    uint64_t entries_max;
};

static const struct option_row rows[] = {
    {0, "all", NULL, OPTION_FLAG, offsetof(struct settings, all), 0, 0, "the four that follow"},
    {0, "same-owner", NULL, OPTION_FLAG, offsetof(struct settings, owner), 0, 0, "restore owners and groups"},
    {0, "setuid", NULL, OPTION_FLAG, offsetof(struct settings, setuid), 0, 0, "restore setuid and setgid"},
    {0, "devices", NULL, OPTION_FLAG, offsetof(struct settings, devices), 0, 0, "make block and character devices"},
    {0, "privileged-xattrs", NULL, OPTION_FLAG, offsetof(struct settings, privileged_xattrs), 0, 0,
     "restore security.*, trusted.* and system.* attributes, ACLs among them"},
    {0, "into", NULL, OPTION_FLAG, offsetof(struct settings, into), 0, 0,
     "write into a DIR that is not empty, over nothing that is there"},
    {0, "max-bytes", "SIZE", OPTION_BYTES, offsetof(struct settings, bytes_max), 1, UINT64_MAX,
     "fail rather than write more contents than that"},
    {0, "max-entries", "N", OPTION_NUMBER, offsetof(struct settings, entries_max), 1, UINT64_MAX,
     "fail rather than make more files than that"},
    {'q', "quiet", NULL, OPTION_FLAG, offsetof(struct settings, quiet), 0, 0, "show no progress and no summary"},
    {.name = NULL},
};

/* What was left out because no option asked for it. */
enum kind { KIND_OWNER, KIND_SETUID, KIND_DEVICE, KIND_XATTR, KIND_OTHER, KINDS };

struct unpack {
    struct settings settings;
    struct input input;
    const char *dir;
    struct buffer dir_name; /* memory of it, if it was made from the image's */
    uint64_t left_out[KINDS];
    int problems;   /* that were said */
    int incomplete; /* some of them left something out */
};

/* IMAGE's base name without .mfs. */
static int name_directory(struct unpack *unpack, const char *image)
{
    const char *base = strrchr(image, '/');
    base = base ? base + 1 : image;
    size_t length = strlen(base);
    if (length <= 4 || strcmp(base + length - 4, ".mfs") != 0)
        return message_usage("unpack", "'%s' gives no name for the directory: name one", image);
    int result = buffer_append(&unpack->dir_name, base, length - 4);
    if (result == 0)
        result = buffer_append_text(&unpack->dir_name, "");
    if (result != 0)
        return message_error(image, NULL, result, NULL);
    unpack->dir = unpack->dir_name.data;
    return EXIT_DONE;
}

/* The library says in its text what it left out. */
static enum kind kind_of(const char *text)
{
    if (strncmp(text, "owner", 5) == 0)
        return KIND_OWNER;
    if (strncmp(text, "setuid", 6) == 0)
        return KIND_SETUID;
    if (strncmp(text, "attribute", 9) == 0)
        return KIND_XATTR;
    return strstr(text, "device") ? KIND_DEVICE : KIND_OTHER;
}

/* A memfs_problem_fn: error 0 for what was left out as asked. Attributes that the
 * destination's filesystem does not know are no reason to unpack nothing. */
static int destination_problem(void *context, const char *path, int error, const char *text)
{
    struct unpack *unpack = context;
    if (error == 0) {
        unpack->left_out[kind_of(text)]++;
        return 0;
    }
    const char *thing = message_exit_code(error) == EXIT_DAMAGED ? unpack->input.name : unpack->dir;
    int forgiven = error == -EOPNOTSUPP && strstr(text, "attribute") != NULL;
    message(thing, path, "%.*s: %s; %s", (int)strcspn(text, ";"), text, memfs_strerror(error),
            forgiven ? "left out" : "what was made has been removed again");
    unpack->problems += !forgiven;
    unpack->incomplete |= forgiven;
    return forgiven ? 0 : error;
}

static int append_left_out(struct buffer *line, uint64_t count, const char *name)
{
    char item[64];
    if (count == 0)
        return 0;
    snprintf(item, sizeof item, "%s%" PRIu64 " %s", line->length > 0 ? ", " : "", count, name);
    return buffer_append_text(line, item);
}

/* One line: what the options left out. */
static void summarise(const struct unpack *unpack)
{
    static const char *const names[] = {"", "setuid or setgid", "devices", "privileged attributes", "others"};
    struct buffer line = {0};
    int result = 0;
    if (unpack->left_out[KIND_OWNER] > 0)
        result = buffer_append_text(&line, "owners"); /* told once for all */
    for (int i = KIND_SETUID; i < KINDS && result == 0; i++)
        result = append_left_out(&line, unpack->left_out[i], names[i]);
    if (line.length > 0 && result == 0)
        message(unpack->dir, NULL, "left out: %s; --all restores them", line.data);
    buffer_free(&line);
}

static int failed(const struct unpack *unpack, int error, const struct memfs_detail *detail)
{
    if (error == -ECANCELED)
        return EXIT_FAILED;
    int code = message_exit_code(error);
    if (unpack->problems > 0)
        return code; /* said already */
    if (code == EXIT_DAMAGED)
        return input_error(&unpack->input, NULL, error);
    switch (error) {
    case -ENOTEMPTY:
        return message_error_hint(unpack->dir, NULL, error, NULL, "name a new directory, or use --into");
    case -ELOOP:
        message(unpack->dir, NULL, "is a symbolic link; name the directory itself");
        return EXIT_FAILED;
    case -EDQUOT:
        if (!unpack->settings.bytes_max && !unpack->settings.entries_max)
            return message_error(unpack->dir, NULL, error, detail);
        message(unpack->dir, NULL, "more is in the image than --max-bytes or --max-entries allows; nothing was kept");
        return EXIT_FAILED;
    default:
        return message_error(unpack->dir, NULL, error, detail);
    }
}

static int export(struct unpack *unpack)
{
    const struct settings *settings = &unpack->settings;
    struct memfs_export_options options = {.size = sizeof options};
    options.owner = settings->all || settings->owner;
    options.setuid = settings->all || settings->setuid;
    options.devices = settings->all || settings->devices;
    options.privileged_xattrs = settings->all || settings->privileged_xattrs;
    options.into = settings->into;
    options.bytes_max = settings->bytes_max;
    options.entries_max = settings->entries_max;
    options.problem = destination_problem;
    options.problem_context = unpack;
    options.progress = progress_update;
    struct memfs_detail detail = {.offset = UINT64_MAX};
    int shown;
    progress_start("unpacking", settings->quiet);
    int result = memfs_host_export(unpack->input.fs, unpack->dir, &options, &detail);
    progress_end(&shown);
    if (result != 0)
        return failed(unpack, result, &detail);
    if (!settings->quiet)
        summarise(unpack);
    return unpack->incomplete ? EXIT_INCOMPLETE : EXIT_DONE;
}

static int run(int argc, char **argv)
{
    struct unpack unpack = {.dir = NULL};
    int first;
    int code = options_parse(&command_unpack, argc, argv, &unpack.settings, &first);
    if (code >= 0)
        return code;
    unpack.dir = argv[first + 1]; /* NULL if there is none */
    code = unpack.dir ? EXIT_DONE : name_directory(&unpack, argv[first]);
    if (code == EXIT_DONE) {
        interrupt_catch();
        code = input_open(&unpack.input, argv[first], 1);
    }
    if (code == EXIT_DONE) {
        code = export(&unpack);
        input_close(&unpack.input);
    }
    buffer_free(&unpack.dir_name);
    return code;
}

const struct command command_unpack = {
    .name = "unpack",
    .operands = "IMAGE [DIR]",
    .summary = "write an image's contents into a directory",
    .about = "Writes all that is in IMAGE ('-': standard input) into DIR, which is new or empty; without\n"
             "DIR into IMAGE's name without .mfs in the current directory. Owners, setuid and setgid,\n"
             "devices and privileged attributes are left out unless asked for. On failure all that\n"
             "was made is removed again.\n",
    .examples = "  memfs unpack photos.mfs\n"
                "  memfs unpack --all backup.mfs /mnt/restored\n"
                "  memfs unpack --max-bytes 1G --max-entries 10000 upload.mfs inbox\n",
    .options = rows,
    .operands_min = 1,
    .operands_max = 2,
    .run = run,
};
