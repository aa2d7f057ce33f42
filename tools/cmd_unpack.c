#include "commands.h"
#include "list/depth.h"
#include "list/rooted.h"
#include "memfs_host.h"
#include "output/json_node.h"
#include "output/message.h"
#include "output/output.h"
#include "output/progress.h"
#include "system/buffer.h"
#include "system/input.h"
#include "system/interrupt.h"
#include "system/processors.h"
#include "system/umask.h"
#include "unpack/destination.h"
#include "unpack/left_out.h"
#include "unpack/wanted.h"
#include "values/quantity.h"
#include "values/rules.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct settings {
    struct option_list only, exclude, exclude_from;
    uint64_t strip;
    int into;
    int overwrite;
    int skip;
    int all;
    int owner;
    int setuid;
    int devices;
    int privileged_xattrs;
    int modes;
    int sync;
    uint64_t bytes_max;
    uint64_t entries_max;
    uint64_t jobs;
    int dry_run;
    int keep_going;
};

static const struct option_row rows[] = {
    {0, "only", "PATH", OPTION_LIST, offsetof(struct settings, only), 0, 0,
     "only that path or pattern, and all below it; several add up"},
    {0, "exclude", "GLOB", OPTION_LIST, offsetof(struct settings, exclude), 0, 0,
     "leave out what matches, a rule as in .gitignore; several in order"},
    {0, "exclude-from", "FILE", OPTION_LIST, offsetof(struct settings, exclude_from), 0, 0,
     "such rules from FILE, a .gitignore; before those of --exclude"},
    {0, "strip-components", "N", OPTION_NUMBER, offsetof(struct settings, strip), 1, UINT32_MAX,
     "drop the first N components of paths"},
    {0, "into", NULL, OPTION_FLAG, offsetof(struct settings, into), 0, 0,
     "write into a DIR that is not empty, over no file that is there"},
    {0, "overwrite", NULL, OPTION_FLAG, offsetof(struct settings, overwrite), 0, 0,
     "with --into: replace files that are there"},
    {0, "skip", NULL, OPTION_FLAG, offsetof(struct settings, skip), 0, 0,
     "with --into: leave files that are there as they are"},
    {0, "all", NULL, OPTION_FLAG, offsetof(struct settings, all), 0, 0, "the five that follow, for DIR itself as well"},
    {0, "same-owner", NULL, OPTION_FLAG, offsetof(struct settings, owner), 0, 0, "restore owners and groups"},
    {0, "setuid", NULL, OPTION_FLAG, offsetof(struct settings, setuid), 0, 0,
     "restore setuid and setgid, where owner or group are right"},
    {0, "devices", NULL, OPTION_FLAG, offsetof(struct settings, devices), 0, 0, "make block and character devices"},
    {0, "privileged-xattrs", NULL, OPTION_FLAG, offsetof(struct settings, privileged_xattrs), 0, 0,
     "restore security.*, trusted.* and system.* attributes (ACLs)"},
    {0, "same-modes", NULL, OPTION_FLAG, offsetof(struct settings, modes), 0, 0,
     "restore modes whatever the umask says"},
    {0, "sync", NULL, OPTION_FLAG, offsetof(struct settings, sync), 0, 0, "wait until all is on the disk"},
    {0, "max-bytes", "SIZE", OPTION_BYTES, offsetof(struct settings, bytes_max), 1, UINT64_MAX,
     "write no more contents (default: 64G, more for large images)"},
    {0, "max-entries", "N", OPTION_NUMBER, offsetof(struct settings, entries_max), 1, UINT64_MAX,
     "make no more entries (default: 10000000, or more)"},
    {'n', "dry-run", NULL, OPTION_FLAG, offsetof(struct settings, dry_run), 0, 0,
     "list what would be unpacked, and write nothing"},
    {0, "keep-going", NULL, OPTION_FLAG, offsetof(struct settings, keep_going), 0, 0,
     "leave out what is damaged or cannot be made, and name it"},
    {'j', "jobs", "N", OPTION_NUMBER, offsetof(struct settings, jobs), 1, UINT64_MAX,
     "work on N processors, 64 at most (default: all)"},
    {.name = NULL},
};

/* Budgets that no honest image meets, unless others are given. */
#define BYTES_LEAST ((uint64_t)64 << 30)
#define BYTES_RATIO 1024u /* of contents to the image */
#define ENTRIES_LEAST 10000000u

struct unpack {
    struct settings settings;
    struct input input;
    int from_input; /* the image comes from standard input */
    const char *dir;
    struct buffer dir_name; /* memory of it, if it was made from the image's */
    struct wanted wanted;
    struct left_out left_out;
    struct destination destination;
    int is_unpacked;
    struct memfs_exported exported;
    struct memfs_export_failure failure;
    int problems; /* that were said */
    int code;     /* of those that were said and left out */
    double seconds;
};

/* ---- What was asked for ------------------------------------------------------ */

/* IMAGE's base name without .mfs. */
static int name_directory(struct unpack *unpack, const char *image)
{
    const char *base = strrchr(image, '/');
    base = base ? base + 1 : image;
    size_t length = strlen(base);
    if (strcmp(base, ".mfs") == 0)
        return message_usage("unpack", "'%s' has nothing before .mfs, so it gives no name for the directory: name DIR",
                             image);
    if (length <= 4 || strcmp(base + length - 4, ".mfs") != 0)
        return message_usage("unpack", "'%s' does not end in .mfs, so it gives no name for the directory: name DIR",
                             image);
    int result = buffer_append(&unpack->dir_name, base, length - 4);
    if (result == 0)
        result = buffer_append_text(&unpack->dir_name, "");
    if (result != 0)
        return message_error(image, NULL, result, NULL);
    unpack->dir = unpack->dir_name.data;
    return EXIT_DONE;
}

static int check_settings(const struct settings *settings)
{
    if (settings->overwrite && settings->skip)
        return message_usage("unpack",
                             "--overwrite and --skip: a file that is there can be replaced or left, not both");
    if ((settings->overwrite || settings->skip) && !settings->into)
        return message_usage("unpack", "%s: only with --into, since DIR is new or empty otherwise",
                             settings->overwrite ? "--overwrite" : "--skip");
    for (size_t i = 0; i < settings->only.count; i++) {
        if (settings->only.texts[i][0] == '\0')
            return message_usage("unpack", "--only '': names nothing: a path or pattern is wanted");
    }
    return EXIT_DONE;
}

/* A path or pattern of --only takes nothing: why. */
static int say_unselected(struct unpack *unpack, const char *text, int error)
{
    const struct buffer *too_deep = &unpack->wanted.chosen.too_deep;
    switch (error) {
    case -ECANCELED:
        return EXIT_FAILED;
    case -EINVAL:
        return message_usage("unpack", "--only %s: is no pattern: a bracket, '..' or a backslash at the end of a name",
                             text);
    case -ENOENT:
        message(unpack->input.name, text, "nothing in the image is called so or matches");
        return EXIT_INCOMPLETE;
    default:
        return too_deep->length > 0 ? depth_refuse(unpack->input.name, too_deep->data, "max-depth")
                                    : input_error_again(&unpack->input, text, error);
    }
}

/* EXIT_INCOMPLETE if some of them take nothing; *any is whether one does. */
static int select_paths(struct unpack *unpack, int *any)
{
    const struct option_list *only = &unpack->settings.only;
    int code = EXIT_DONE;
    *any = only->count == 0;
    unpack->wanted.chosen.fs = unpack->input.fs;
    unpack->wanted.chosen.depth_max = common.depth_max;
    for (size_t i = 0; i < only->count && code <= EXIT_INCOMPLETE; i++) {
        int error = chosen_add(&unpack->wanted.chosen, only->texts[i]);
        if (error != 0)
            code = message_worse(code, say_unselected(unpack, only->texts[i], error));
        else
            *any = 1;
    }
    return code;
}

/* ---- What goes wrong ------------------------------------------------------------ */

/* Of a file that is damaged: where. */
static int say_damage(struct unpack *unpack, const struct memfs_problem *problem)
{
    struct memfs_stat stat;
    if (problem->kind != MEMFS_PROBLEM_FILE || !message_is_of_image(problem->error))
        return 0;
    const int error = memfs_lstat(unpack->input.fs, NULL, problem->path, &stat);
    if (error != 0 && error == problem->error) /* what is told of the file itself */
        input_error_again(&unpack->input, problem->path, error);
    else if (error == 0 && (stat.mode & MEMFS_IFMT) == MEMFS_IFREG)
        input_file_error(&unpack->input, problem->path, stat.node, 0, problem->error);
    else
        return 0;
    return 1;
}

/* Whatever comes next would fail as well. */
static int is_general(int error)
{
    return error == -ENOSPC || error == -EDQUOT || error == -EROFS;
}

/* Not of the file, nor of all that is in a directory. */
static int is_of_a_part(const struct memfs_problem *problem)
{
    return problem->kind != MEMFS_PROBLEM_FILE && problem->kind != MEMFS_PROBLEM_NAMES &&
           problem->kind != MEMFS_PROBLEM_DEVICE;
}

static void say_problem(const struct unpack *unpack, const struct memfs_problem *problem)
{
    const char *thing = message_is_of_image(problem->error) ? unpack->input.name : unpack->dir;
    const char *advice = "";
    if (unpack->settings.keep_going && !is_general(problem->error))
        advice = is_of_a_part(problem) ? "; all else of it is unpacked" : "; left out";
    else if (problem->error == -EPERM && problem->kind == MEMFS_PROBLEM_OWNER && geteuid() != 0)
        advice = "; only root may restore owners";
    else if (problem->error == -EEXIST && !unpack->settings.overwrite && !unpack->settings.skip)
        advice = "; --overwrite replaces such files, --skip leaves them as they are";
    else if (problem->error == -EISDIR || problem->error == -ENOTDIR)
        advice = "; move it away, or unpack elsewhere";
    else if (problem->error == -ENOSPC || problem->error == -EDQUOT)
        advice = "; make room, or name another place";
    message(thing, problem->path, "%s: %s%s", problem->text, memfs_strerror(problem->error), advice);
}

/* Errors that the destination may have as well, but has not. */
static int is_spent_or_cut(const struct input *input, int error)
{
    return input_is_spent(input, error) || input_is_cut(input, error);
}

/* A memfs_problem_fn. */
static int destination_problem(void *context, const struct memfs_problem *problem)
{
    struct unpack *unpack = context;
    if (is_spent_or_cut(&unpack->input, problem->error)) {
        input_error(&unpack->input, problem->path, problem->error);
        unpack->problems++;
        return -1;
    }
    if (left_out_note(&unpack->left_out, unpack->dir, problem))
        return 0;
    if (!say_damage(unpack, problem))
        say_problem(unpack, problem);
    unpack->problems++;
    if (!unpack->settings.keep_going || is_general(problem->error))
        return -1;
    unpack->left_out.failed++;
    unpack->code =
        message_worse(unpack->code, message_exit_code(problem->error) == EXIT_DAMAGED ? EXIT_DAMAGED : EXIT_INCOMPLETE);
    return 0;
}

static int refuse_depth(const struct unpack *unpack)
{
    struct buffer path = {.length = 0};
    int result = rooted_directory(&path, unpack->input.fs, unpack->failure.too_deep);
    const int code = result != 0 ? input_error(&unpack->input, NULL, result)
                                 : depth_refuse(unpack->input.name, path.data + 1, "max-depth");
    buffer_free(&path);
    return code;
}

/* A budget was too small: which, and if everything was to be unpacked what would have been needed. */
static int over_budget(const struct unpack *unpack)
{
    const struct settings *settings = &unpack->settings;
    const int whole = settings->only.count == 0 && settings->strip == 0 && unpack->wanted.ignore.count == 0;
    struct memfs_image_info info = {0};
    char has[QUANTITY_ROOM], allowed[QUANTITY_ROOM];
    if (whole)
        memfs_image_info(unpack->input.image, &info);
    if (unpack->failure.budget == MEMFS_BUDGET_DEPTH)
        return refuse_depth(unpack);
    else if (unpack->failure.budget == MEMFS_BUDGET_ENTRIES && info.entries > settings->entries_max)
        message(unpack->input.name, NULL, "has %" PRIu64 " entries, and --max-entries is %" PRIu64 "; nothing was made",
                info.entries, settings->entries_max);
    else if (unpack->failure.budget == MEMFS_BUDGET_ENTRIES)
        message(unpack->input.name, NULL,
                "more entries are to be made than --max-entries %" PRIu64 "; nothing was made", settings->entries_max);
    else if (info.data_bytes > settings->bytes_max)
        message(unpack->input.name, NULL, "has %s of contents, and --max-bytes is %s; nothing was made",
                quantity_bytes(info.data_bytes, has), quantity_exact(settings->bytes_max, allowed));
    else
        message(unpack->input.name, NULL,
                "more contents and attributes are to be written than --max-bytes %s; nothing was made",
                quantity_exact(settings->bytes_max, allowed));
    return EXIT_FAILED;
}

static void say_left(const struct unpack *unpack, uint64_t count, const char *one, const char *many)
{
    if (count > 0)
        message(unpack->dir, NULL, "%" PRIu64 " %s", count, count == 1 ? one : many);
}

/* When the detail is not said for another reason: what is left behind, if anything is. */
static void say_left_behind(const struct unpack *unpack)
{
    say_left(unpack, unpack->failure.left_replaced, "file that was there stays replaced",
             "files that were there stay replaced");
    say_left(unpack, unpack->failure.left_behind, "thing that was made could not be removed again",
             "things that were made could not be removed again");
}

static int failed(const struct unpack *unpack, int error, const struct memfs_detail *detail)
{
    if (unpack->failure.budget != MEMFS_BUDGET_NONE) /* whatever was told before, it ends because of this */
        return over_budget(unpack);
    const int spent = is_spent_or_cut(&unpack->input, error);
    int code = spent ? EXIT_FAILED : message_exit_code(error), said = error == -ECANCELED || unpack->problems > 0;
    if ((message_is_of_image(error) || spent) && !said) {
        said = 1;
        if (!spent && detail->error == error && detail->text[0])
            message_error(unpack->input.name, NULL, error, detail);
        else
            input_error(&unpack->input, NULL, error);
    }
    if (said) {
        say_left_behind(unpack);
        return code;
    }
    switch (error) {
    case -ENOTEMPTY:
        return message_error_hint(unpack->dir, NULL, error, NULL, "name a new directory, or use --into");
    case -ENOENT:
    case -ENOTDIR:
    case -ELOOP:
        return message_error_hint(unpack->dir, NULL, error, detail, ""); /* has its advice */
    default:
        return message_error(unpack->dir, NULL, error, detail);
    }
}

/* ---- What comes out -------------------------------------------------------------- */

/* A memfs_made_fn. */
static int list_made(void *context, const struct memfs_made *made)
{
    (void)context;
    if (!common.json) {
        output_name(made->path, strlen(made->path));
        return output_text("\n", 1);
    }
    struct json json = json_begin(stdout);
    json_text(&json, "path", made->path);
    json_text(&json, "type", json_type(made->stat->mode));
    if ((made->stat->mode & MEMFS_IFMT) == MEMFS_IFREG)
        json_unsigned(&json, "size", made->stat->size);
    json_bool(&json, "replaced", made->replaced);
    json_end(&json);
    return output("%s", "");
}

static void summarise_json(const struct unpack *unpack)
{
    const struct memfs_exported *exported = &unpack->exported;
    struct json json = json_begin(stdout);
    json_text(&json, "name", unpack->dir);
    json_unsigned(&json, "directories", exported->directories);
    json_unsigned(&json, "files", exported->files);
    json_unsigned(&json, "links", exported->links);
    json_unsigned(&json, "bytes", exported->bytes);
    json_unsigned(&json, "replaced", exported->replaced);
    json_unsigned(&json, "skipped", exported->skipped);
    left_out_json(&unpack->left_out, &json);
    json_seconds(&json, "seconds", unpack->seconds);
    json_end(&json);
}

/* Options may leave nothing of an image that has something. */
static int say_emptiness(const struct unpack *unpack)
{
    const struct memfs_exported *exported = &unpack->exported;
    const char *what = unpack->settings.into ? "gets nothing" : "is empty";
    struct memfs_image_info info;
    memfs_image_info(unpack->input.image, &info);
    if (info.entries == 0 || exported->directories + exported->files + exported->skipped > 0)
        return EXIT_DONE;
    if (unpack->settings.strip > 0)
        message(unpack->dir, NULL, "%s: no path has more than %" PRIu64 " component%s", what, unpack->settings.strip,
                unpack->settings.strip == 1 ? "" : "s");
    else if (unpack->wanted.ignore.count > 0)
        message(unpack->dir, NULL, "%s: what is excluded is all there is", what);
    else
        return EXIT_DONE;
    return EXIT_INCOMPLETE;
}

static int summarise(const struct unpack *unpack, int shown)
{
    const struct memfs_exported *exported = &unpack->exported;
    if (common.json && !common.quiet)
        summarise_json(unpack);
    if (shown && !unpack->settings.dry_run) /* DIR is a node of the image too */
        progress_summary(unpack->dir, exported->directories + exported->files + !unpack->settings.into, exported->bytes,
                         unpack->seconds);
    if (!common.quiet && !unpack->settings.dry_run)
        left_out_say_defaults(&unpack->left_out, unpack->dir, unpack->settings.all);
    int code = left_out_say_refusals(&unpack->left_out, unpack->dir) ? EXIT_INCOMPLETE : EXIT_DONE;
    code = message_worse(code, message_worse(unpack->code, say_emptiness(unpack)));
    return message_worse(code, output_finish());
}

static void set_budgets(struct unpack *unpack)
{
    struct settings *settings = &unpack->settings;
    struct memfs_image_info info;
    memfs_image_info(unpack->input.image, &info);
    if (settings->bytes_max == 0)
        settings->bytes_max =
            info.image_bytes > BYTES_LEAST / BYTES_RATIO ? info.image_bytes * BYTES_RATIO : BYTES_LEAST;
    if (settings->entries_max == 0)
        settings->entries_max = info.image_bytes > ENTRIES_LEAST ? info.image_bytes : ENTRIES_LEAST;
}

static struct memfs_export_options export_options(struct unpack *unpack)
{
    const struct settings *settings = &unpack->settings;
    struct memfs_export_options options = {.size = sizeof options};
    options.owner = settings->all || settings->owner;
    options.setuid = settings->all || settings->setuid;
    options.devices = settings->all || settings->devices;
    options.privileged_xattrs = settings->all || settings->privileged_xattrs;
    options.mode_mask = settings->all || settings->modes ? 0 : umask_ask();
    options.root_attributes = settings->all;
    options.into = settings->into;
    options.existing = settings->overwrite ? MEMFS_EXISTING_REPLACED
                       : settings->skip    ? MEMFS_EXISTING_SKIPPED
                                           : MEMFS_EXISTING_REFUSED;
    options.strip = (uint32_t)settings->strip;
    options.sync = settings->sync;
    options.bytes_max = settings->bytes_max;
    options.entries_max = settings->entries_max;
    options.depth_max = (uint32_t)(common.depth_max < UINT32_MAX ? common.depth_max : UINT32_MAX);
    options.threads = processors_used(settings->jobs);
    unpack->wanted.by_choice = settings->only.count > 0 && !chosen_is_whole(&unpack->wanted.chosen);
    if (unpack->wanted.by_choice || unpack->wanted.ignore.count > 0) {
        options.select = wanted_take;
        options.select_context = &unpack->wanted;
    }
    options.made = common.verbose || settings->dry_run ? list_made : NULL;
    options.plan_only = settings->dry_run;
    options.exported = &unpack->exported;
    options.failure = &unpack->failure;
    options.made_root = unpack->destination.made;
    options.problem = destination_problem;
    options.problem_context = unpack;
    options.progress = progress_update;
    return options;
}

static int export(struct unpack *unpack)
{
    const struct memfs_export_options options = export_options(unpack);
    struct memfs_detail detail = {.offset = UINT64_MAX};
    int shown;
    output_in_large_pieces();
    progress_start("unpacking");
    int result = memfs_host_export(unpack->input.fs, unpack->dir, &options, &detail);
    unpack->seconds = progress_end(&shown);
    unpack->is_unpacked = result == 0;
    if (result != 0)
        return message_worse(failed(unpack, result, &detail), output_finish());
    return summarise(unpack, shown);
}

static int unpack_image(struct unpack *unpack)
{
    int any;
    set_budgets(unpack);
    int code = select_paths(unpack, &any);
    if (!any || code > EXIT_INCOMPLETE)
        return code;
    return message_worse(code, export(unpack));
}

/* Why there is no directory to unpack into is found with nothing to unpack, before an image is parsed. */
static int say_no_directory(struct unpack *unpack)
{
    const struct memfs_options empty = {.size = sizeof empty};
    const struct memfs_export_options options = {
        .size = sizeof options, .into = unpack->settings.into, .failure = &unpack->failure};
    struct memfs_detail detail = {.offset = UINT64_MAX};
    memfs *fs = NULL;
    int result = memfs_create(&empty, &fs);
    if (result == 0)
        result = memfs_host_export(fs, unpack->dir, &options, &detail);
    memfs_destroy(fs);
    return result != 0 ? failed(unpack, result, &detail) : EXIT_DONE;
}

static int enter_destination(struct unpack *unpack)
{
    const struct settings *settings = &unpack->settings;
    if (settings->dry_run)
        return destination_look(&unpack->destination, unpack->dir);
    const int code = destination_make(&unpack->destination, unpack->dir) ? EXIT_DONE : say_no_directory(unpack);
    return code == EXIT_DONE ? destination_enter(&unpack->destination, settings->all || settings->devices) : code;
}

/* Whatever else is to be read is read before the destination is made, and that before the image is parsed. */
static int unpack_held(struct unpack *unpack)
{
    const struct settings *settings = &unpack->settings;
    int code = rules_take(&command_unpack, &settings->exclude, &settings->exclude_from, unpack->from_input,
                          &unpack->wanted.ignore);
    if (code == EXIT_DONE) {
        interrupt_catch(); /* from here on there is something to be removed */
        code = enter_destination(unpack);
        if (code == EXIT_DONE)
            code = input_read(&unpack->input, 1);
        if (code == EXIT_DONE)
            code = unpack_image(unpack);
        destination_close(&unpack->destination, unpack->is_unpacked);
    }
    wanted_free(&unpack->wanted);
    input_close(&unpack->input);
    return code;
}

static int run(int argc, char **argv)
{
    struct unpack unpack = {.settings = {.jobs = processors()}};
    int first;
    int code = options_parse(&command_unpack, argc, argv, &unpack.settings, &first);
    if (code >= 0)
        goto out;
    code = check_settings(&unpack.settings);
    if (code != EXIT_DONE)
        goto out;
    unpack.from_input = strcmp(argv[first], "-") == 0;
    unpack.dir = argv[first + 1]; /* NULL if there is none */
    if (unpack.dir && strcmp(unpack.dir, "-") == 0) {
        code = message_usage("unpack", "a tree cannot be written to standard output: name a directory "
                                       "(./- if it is called '-')");
        goto out;
    }
    code = unpack.dir ? EXIT_DONE : name_directory(&unpack, argv[first]);
    if (code == EXIT_DONE)
        code = input_hold(&unpack.input, argv[first]);
    if (code == EXIT_DONE)
        code = unpack_held(&unpack);
out:
    left_out_free(&unpack.left_out);
    buffer_free(&unpack.dir_name);
    option_list_free(&unpack.settings.only);
    option_list_free(&unpack.settings.exclude);
    option_list_free(&unpack.settings.exclude_from);
    return code;
}

const struct command command_unpack = {
    .name = "unpack",
    .operands = "IMAGE [DIR]",
    .summary = "write an image's contents into a directory",
    .about = "Writes all that is in IMAGE ('-': standard input) into DIR, which is new or empty; without\n"
             "DIR into IMAGE's name without .mfs in the current directory. Owners, setuid and setgid,\n"
             "devices and privileged attributes are left out unless asked for, and modes lose what the\n"
             "umask says. On failure all that was made is removed again. -v lists what was made.\n",
    .examples = "  memfs unpack photos.mfs\n"
                "  memfs unpack --all backup.mfs /mnt/restored\n"
                "  memfs unpack --only 2024 --exclude '*.raw' photos.mfs some\n"
                "  memfs unpack --keep-going damaged.mfs rescued\n"
                "  memfs unpack --into --overwrite photos.mfs photos\n"
                "  memfs unpack --max-bytes 1G --max-entries 10000 upload.mfs inbox\n",
    .manual =
        "--only takes a path of the image, or a pattern: * and ? and [a-z] within a name, ** for any number\n"
        "of directories. A directory brings all that is below it, and the directories on the way are made\n"
        "with the attributes that they have in the image. One that takes nothing is said, and the exit code\n"
        "is 1; if none takes anything, nothing is made.\n"
        "\n"
        "A DIR that was there keeps its mode, owner and attributes, and has the time at which something was last made\n"
        "in it, unless --all gives it the image's (not the time if --overwrite replaces something in it).\n"
        "\n"
        "With --into, directories below DIR that are there are filled, and keep their mode, owner and attributes. If\n"
        "a file of any type is there where one is to be made, nothing is written at all, unless --overwrite\n"
        "or --skip says what to do. Symbolic links that are there are never followed; --overwrite replaces\n"
        "them themselves. A directory is never replaced by a file, nor a file by a directory: both are\n"
        "refused before the first write, as is a filesystem that is mounted below DIR. Files that replace\n"
        "others are written beside them, under names that begin with .memfs-, and take their places when\n"
        "all is written: until then there must be room for both. If something fails, the old ones are\n"
        "there as they were. What was killed (kill -9, a power cut) leaves files that are not whole under their\n"
        "names, and directories that only their owner may enter: remove DIR, and unpack again. --skip would keep\n"
        "such files; --overwrite replaces them, but leaves these directories as they are. What is called .memfs-\n"
        "and 16 hexadecimal digits was on its way to replace a file, and may be removed when no memfs is at work.\n"
        "\n"
        "Rules of --exclude are those of pack, on the image's paths: of what --only chooses, or of everything, they\n"
        "leave out what matches, a directory with all that is in it. If they, or --strip-components, leave nothing of\n"
        "what is there, that is said, and the exit code is 1.\n"
        "\n"
        "With --keep-going everything is unpacked that can be: each file that is damaged, or cannot be made, is\n"
        "named with the reason and left out, as is an attribute that cannot be set; a directory that cannot be\n"
        "listed stays empty. The exit code is 3 if there was damage, else 1. Without it the first one fails, and\n"
        "nothing is unpacked. A disk that is full ends it in either case. The image must open: one that lost its end,\n"
        "or has bytes behind it, gives nothing; and damage in its tables loses all files that they tell of.\n"
        "\n"
        "-n lists as -v does what would be made, and writes nothing: the tree, the budgets and what is in DIR are\n"
        "checked, contents are not.\n"
        "\n"
        "--strip-components leaves out what has no more components than that. If two paths become the same,\n"
        "nothing is written.\n"
        "\n"
        "An image of a few kilobytes can have contents without end: hence budgets. By default no more than 64 GiB of\n"
        "contents and attributes are written (or 1,024 times the image, if that is more; holes are not counted, and "
        "files may look\n"
        "of any size), 10,000,000 entries made (or one for each byte of the image), directories no more than 4,096\n"
        "deep; these are counted before the first write. And no\n"
        "more than 16 GiB are decompressed, or 16 times what the image has: it can also have the same block\n"
        "decompressed over and over. Larger values lift them.\n"
        "\n"
        "-v lists on standard output what was made, in the order of paths, when all is made: if only that fails (exit\n"
        "code 4), DIR is there, whole. With --json\n"
        "each is an object with the keys path, type (file, directory, symlink, fifo, socket, character,\n"
        "block), size (of files) and replaced. The last object has the keys name (DIR), directories, files\n"
        "(of all other types), links (further names of files), bytes (of contents that were written),\n"
        "replaced, skipped, left_out and seconds. left_out is an object: owners (whether there were others'),\n"
        "setuid, devices, privileged_xattrs and refused_xattrs are numbers of what was left out, failed of what\n"
        "--keep-going left out.\n",
    .common = COMMON_PROGRESS | COMMON_JSON | COMMON_DEPTH | COMMON_DECODED,
    .options = rows,
    .operands_min = 1,
    .operands_max = 2,
    .run = run,
};
