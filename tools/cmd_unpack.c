#include "buffer.h"
#include "commands.h"
#include "input.h"
#include "interrupt.h"
#include "memfs_host.h"
#include "message.h"
#include "output.h"
#include "processors.h"
#include "progress.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define REFUSALS_MAX 8 /* errors by which attributes were refused that are counted apart */

struct settings {
    int all;
    int owner;
    int setuid;
    int devices;
    int privileged_xattrs;
    int modes;
    int into;
    uint64_t bytes_max;
    uint64_t entries_max;
    uint64_t jobs;
};

static const struct option_row rows[] = {
    {0, "all", NULL, OPTION_FLAG, offsetof(struct settings, all), 0, 0, "the five that follow, for DIR itself as well"},
    {0, "same-owner", NULL, OPTION_FLAG, offsetof(struct settings, owner), 0, 0, "restore owners and groups"},
    {0, "setuid", NULL, OPTION_FLAG, offsetof(struct settings, setuid), 0, 0, "restore setuid and setgid"},
    {0, "devices", NULL, OPTION_FLAG, offsetof(struct settings, devices), 0, 0, "make block and character devices"},
    {0, "privileged-xattrs", NULL, OPTION_FLAG, offsetof(struct settings, privileged_xattrs), 0, 0,
     "restore security.*, trusted.*, system.* attributes and ACLs"},
    {0, "same-modes", NULL, OPTION_FLAG, offsetof(struct settings, modes), 0, 0,
     "restore modes whatever the umask says"},
    {0, "into", NULL, OPTION_FLAG, offsetof(struct settings, into), 0, 0,
     "write into a DIR that is not empty, over nothing that is there"},
    {0, "max-bytes", "SIZE", OPTION_BYTES, offsetof(struct settings, bytes_max), 1, UINT64_MAX,
     "fail rather than write more contents than that"},
    {0, "max-entries", "N", OPTION_NUMBER, offsetof(struct settings, entries_max), 1, UINT64_MAX,
     "fail rather than make more entries than that"},
    {'j', "jobs", "N", OPTION_NUMBER, offsetof(struct settings, jobs), 1, PROCESSORS_MAX,
     "work on N processors (default: all)"},
    {.name = NULL},
};

/* Attributes that the destination does not take, for one reason. */
struct refusal {
    int error;
    uint64_t count;
    struct buffer path, text; /* of the first */
};

struct unpack {
    struct settings settings;
    struct input input;
    const char *dir;
    struct buffer dir_name;                     /* memory of it, if it was made from the image's */
    uint64_t left_out[MEMFS_PROBLEM_XATTR + 1]; /* by kind, because no option asked for it */
    struct refusal refusals[REFUSALS_MAX];
    int problems; /* that were said */
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

/* Attributes that the destination does not know or take are no reason to unpack
 * nothing: whoever made the image chose their names and values. ENOSPC is a full
 * disk, or an attribute that is larger than there may be here. */
static int is_refusal(const struct unpack *unpack, const struct memfs_problem *problem)
{
    struct statvfs host;
    if (problem->kind != MEMFS_PROBLEM_XATTR)
        return 0;
    switch (problem->error) {
    case -EOPNOTSUPP:
    case -EINVAL:
    case -EPERM:
    case -ERANGE:
    case -E2BIG:
        return 1;
    case -ENOSPC:
        return statvfs(unpack->dir, &host) == 0 && host.f_bavail > 0 && (host.f_files == 0 || host.f_favail > 0);
    default:
        return 0;
    }
}

/* To be said when all is done. Nonzero if it cannot be remembered. */
static int note_refusal(struct unpack *unpack, const struct memfs_problem *problem)
{
    size_t i = 0;
    while (i < REFUSALS_MAX - 1 && unpack->refusals[i].count > 0 && unpack->refusals[i].error != problem->error)
        i++;
    struct refusal *refusal = &unpack->refusals[i];
    if (refusal->count++ > 0)
        return 0;
    refusal->error = problem->error;
    int result = buffer_append_text(&refusal->path, problem->path);
    return result == 0 ? buffer_append_text(&refusal->text, problem->text) : result;
}

/* Of a problem that is to be fatal. */
static void say_problem(const struct unpack *unpack, const struct memfs_problem *problem)
{
    const char *thing = message_exit_code(problem->error) == EXIT_DAMAGED ? unpack->input.name : unpack->dir;
    const char *advice = "";
    if (problem->error == -EPERM && problem->kind == MEMFS_PROBLEM_OWNER && geteuid() != 0)
        advice = "; only root may restore owners";
    message(thing, problem->path, "%s: %s%s", problem->text, memfs_strerror(problem->error), advice);
}

/* A memfs_problem_fn. */
static int destination_problem(void *context, const struct memfs_problem *problem)
{
    struct unpack *unpack = context;
    if (problem->error == 0) {
        unpack->left_out[problem->kind]++;
        return 0;
    }
    if (is_refusal(unpack, problem) && note_refusal(unpack, problem) == 0)
        return 0;
    say_problem(unpack, problem);
    unpack->problems++;
    return -1;
}

/* Says each reason for which attributes were refused once. Returns whether there were any. */
static int say_refusals(const struct unpack *unpack)
{
    int any = 0;
    for (size_t i = 0; i < REFUSALS_MAX && unpack->refusals[i].count > 0; i++, any = 1) {
        const struct refusal *refusal = &unpack->refusals[i];
        char others[64] = "";
        if (refusal->count > 1)
            snprintf(others, sizeof others, ", as %s %" PRIu64 " more", refusal->count > 2 ? "were" : "was",
                     refusal->count - 1);
        message(unpack->dir, refusal->path.data, "%s: %s; left out%s", refusal->text.data,
                memfs_strerror(refusal->error), others);
    }
    return any;
}

/* "3 devices" behind what stands in the line. */
static int append_left_out(struct buffer *line, uint64_t count, const char *one, const char *many)
{
    char item[64];
    if (count == 0)
        return 0;
    snprintf(item, sizeof item, "%s%" PRIu64 " %s", line->length > 0 ? ", " : "", count, count == 1 ? one : many);
    return buffer_append_text(line, item);
}

/* One line: what the options left out. */
static void summarise(const struct unpack *unpack)
{
    const uint64_t *left_out = unpack->left_out;
    struct buffer line = {0};
    int result = 0;
    if (left_out[MEMFS_PROBLEM_OWNER] > 0)
        result = buffer_append_text(&line, "owners"); /* told once for all */
    if (result == 0)
        result =
            append_left_out(&line, left_out[MEMFS_PROBLEM_SETUID], "setuid or setgid file", "setuid or setgid files");
    if (result == 0)
        result = append_left_out(&line, left_out[MEMFS_PROBLEM_DEVICE], "device", "devices");
    if (result == 0)
        result = append_left_out(&line, left_out[MEMFS_PROBLEM_XATTR], "privileged attribute", "privileged attributes");
    if (line.length > 0 && result == 0)
        message(unpack->dir, NULL, "left out: %s; %s", line.data,
                geteuid() == 0 ? "--all restores them" : "root restores them with --all");
    buffer_free(&line);
}

/* A budget was too small: which, and what would have been needed. */
static int over_budget(const struct unpack *unpack, const struct memfs_detail *detail)
{
    const struct settings *settings = &unpack->settings;
    struct memfs_image_info info;
    if (memfs_image_info(unpack->input.image, &info) == 0) {
        if (settings->entries_max > 0 && info.entries > settings->entries_max) {
            message(unpack->input.name, NULL,
                    "has %" PRIu64 " entries, and --max-entries is %" PRIu64 "; nothing was made", info.entries,
                    settings->entries_max);
            return EXIT_FAILED;
        }
        if (settings->bytes_max > 0 && info.data_bytes > settings->bytes_max) {
            message(unpack->input.name, NULL,
                    "has %" PRIu64 " bytes of contents, and --max-bytes is %" PRIu64 "; nothing was made",
                    info.data_bytes, settings->bytes_max);
            return EXIT_FAILED;
        }
    }
    return message_error(unpack->dir, NULL, -EDQUOT, detail);
}

/* When the detail is not said for another reason: what is left behind, if anything is. */
static void say_left_behind(const struct unpack *unpack, const struct memfs_detail *detail)
{
    static const char end[] = "could not be removed again";
    const char *last = strrchr(detail->text, ';');
    if (last && strstr(last, end))
        message(unpack->dir, NULL, "%s", last + 2);
}

static int failed(const struct unpack *unpack, int error, const struct memfs_detail *detail)
{
    int code = message_exit_code(error), said = error == -ECANCELED || unpack->problems > 0;
    if (code == EXIT_DAMAGED && !said) {
        said = 1;
        if (detail->error == error && detail->text[0])
            message_error(unpack->input.name, NULL, error, detail);
        else
            input_error(&unpack->input, NULL, error);
    }
    if (said) {
        say_left_behind(unpack, detail);
        return code;
    }
    switch (error) {
    case -ENOTEMPTY:
        return message_error_hint(unpack->dir, NULL, error, NULL, "name a new directory, or use --into");
    case -EDQUOT:
        return over_budget(unpack, detail);
    case -ENOENT:
    case -ENOTDIR:
    case -ELOOP:
        return message_error_hint(unpack->dir, NULL, error, detail, ""); /* has its advice */
    default:
        return message_error(unpack->dir, NULL, error, detail);
    }
}

/* The permission bits that the user wants no new file to have. */
static uint32_t current_umask(void)
{
    mode_t mask = umask(077);
    umask(mask);
    return (uint32_t)mask;
}

static int export(struct unpack *unpack)
{
    const struct settings *settings = &unpack->settings;
    struct memfs_export_options options = {.size = sizeof options};
    options.owner = settings->all || settings->owner;
    options.setuid = settings->all || settings->setuid;
    options.devices = settings->all || settings->devices;
    options.privileged_xattrs = settings->all || settings->privileged_xattrs;
    options.mode_mask = settings->all || settings->modes ? 0 : current_umask();
    options.root_attributes = settings->all && !settings->into;
    options.into = settings->into;
    options.bytes_max = settings->bytes_max;
    options.entries_max = settings->entries_max;
    options.threads = (unsigned)settings->jobs;
    options.problem = destination_problem;
    options.problem_context = unpack;
    options.progress = progress_update;
    struct memfs_detail detail = {.offset = UINT64_MAX};
    int shown;
    progress_start("unpacking");
    int result = memfs_host_export(unpack->input.fs, unpack->dir, &options, &detail);
    progress_end(&shown);
    if (result != 0)
        return failed(unpack, result, &detail);
    if (!common.quiet)
        summarise(unpack);
    return say_refusals(unpack) ? EXIT_INCOMPLETE : EXIT_DONE;
}

static int run(int argc, char **argv)
{
    struct unpack unpack = {.settings = {.jobs = processors()}};
    int first;
    int code = options_parse(&command_unpack, argc, argv, &unpack.settings, &first);
    if (code >= 0)
        return code;
    unpack.dir = argv[first + 1]; /* NULL if there is none */
    if (unpack.dir && strcmp(unpack.dir, "-") == 0)
        return message_usage("unpack", "a tree cannot be written to standard output: name a directory "
                                       "(./- if it is called '-')");
    code = unpack.dir ? EXIT_DONE : name_directory(&unpack, argv[first]);
    if (code == EXIT_DONE) {
        interrupt_catch();
        code = input_open(&unpack.input, argv[first], 1);
    }
    if (code == EXIT_DONE) {
        code = export(&unpack);
        input_close(&unpack.input);
    }
    for (size_t i = 0; i < REFUSALS_MAX; i++) {
        buffer_free(&unpack.refusals[i].path);
        buffer_free(&unpack.refusals[i].text);
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
             "devices and privileged attributes are left out unless asked for, and modes lose what the\n"
             "umask says. On failure all that was made is removed again.\n",
    .examples = "  memfs unpack photos.mfs\n"
                "  memfs unpack --all backup.mfs /mnt/restored\n"
                "  memfs unpack --max-bytes 1G --max-entries 10000 upload.mfs inbox\n",
    .common = COMMON_PROGRESS,
    .options = rows,
    .operands_min = 1,
    .operands_max = 2,
    .run = run,
};
