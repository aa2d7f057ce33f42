#include "commands.h"
#include "output/message.h"
#include "pack/packing.h"
#include "system/interrupt.h"
#include "system/processors.h"
#include "values/account.h"
#include "values/quantity.h"
#include "values/rules.h"
#include "values/timestamp.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct settings {
    uint64_t level;
    uint64_t block;
    uint64_t jobs;
    uint64_t window;
    uint64_t memory;
    int share; /* enum memfs_sharing */
    int force;
    int keep_going;
    int dry_run;
    struct option_list exclude, exclude_from;
    const char *files_from;
    int null;
    int one_file_system;
    const char *owner, *group, *mode, *mtime;
    int no_xattrs;
    uint64_t strip;
};

static const struct option_row rows[] = {
    {'l', "level", "LEVEL", OPTION_NUMBER, offsetof(struct settings, level), 1, 19,
     "compress with zstd's level 1 to 19 (default 3)"},
    {0, "block", "SIZE", OPTION_BYTES, offsetof(struct settings, block), 65536, 16777216,
     "compress blocks of 64K to 16M, a power of two (default 1M)"},
    {'j', "jobs", "N", OPTION_NUMBER, offsetof(struct settings, jobs), 1, UINT64_MAX,
     "work on N processors, 64 at most (default: all)"},
    {0, "share", "parts|files|none", OPTION_CHOICE, offsetof(struct settings, share), 0, 0,
     "store once equal parts (default), equal files, nothing"},
    {0, "window", "SIZE", OPTION_BYTES, offsetof(struct settings, window), 65536, 1073741824,
     "look for equal parts in the last 64K to 1G of contents (128M)"},
    {0, "memory", "SIZE", OPTION_BYTES, offsetof(struct settings, memory), 1, UINT64_MAX,
     "take no more memory for window, reading and compressing"},
    {0, "exclude", "GLOB", OPTION_LIST, offsetof(struct settings, exclude), 0, 0,
     "leave out what matches, a rule as in .gitignore; several in order"},
    {0, "exclude-from", "FILE", OPTION_LIST, offsetof(struct settings, exclude_from), 0, 0,
     "such rules from FILE, a .gitignore; before those of --exclude"},
    {0, "files-from", "FILE", OPTION_TEXT, offsetof(struct settings, files_from), 0, 0,
     "only the names in FILE ('-': standard input), relative to DIR"},
    {'0', "null", NULL, OPTION_FLAG, offsetof(struct settings, null), 0, 0,
     "those names end with NUL, not with a newline"},
    {0, "one-file-system", NULL, OPTION_FLAG, offsetof(struct settings, one_file_system), 0, 0,
     "leave directories empty where something is mounted"},
    {0, "owner", "ID|NAME", OPTION_TEXT, offsetof(struct settings, owner), 0, 0, "store this owner for all"},
    {0, "group", "ID|NAME", OPTION_TEXT, offsetof(struct settings, group), 0, 0, "store this group for all"},
    {0, "mode", "MODE", OPTION_TEXT, offsetof(struct settings, mode), 0, 0,
     "change all permissions as chmod does: 644, u+rwX,go-w"},
    {0, "mtime", "TIME", OPTION_TEXT, offsetof(struct settings, mtime), 0, 0,
     "store this time for all: @SECONDS, YYYY-MM-DD[THH:MM[:SS]][Z]"},
    {0, "no-xattrs", NULL, OPTION_FLAG, offsetof(struct settings, no_xattrs), 0, 0,
     "leave out extended attributes, ACLs too"},
    {0, "strip-components", "N", OPTION_NUMBER, offsetof(struct settings, strip), 0, UINT32_MAX,
     "leave out the first N names of all paths"},
    {'f', "force", NULL, OPTION_FLAG, offsetof(struct settings, force), 0, 0,
     "replace IMAGE if it exists and is an image"},
    {'n', "dry-run", NULL, OPTION_FLAG, offsetof(struct settings, dry_run), 0, 0,
     "list what would be packed, and write nothing"},
    {0, "keep-going", NULL, OPTION_FLAG, offsetof(struct settings, keep_going), 0, 0,
     "leave out what cannot be read, say so, and exit 1"},
    {.name = NULL},
};

static int read_epoch(struct packing *packing)
{
    const char *text = getenv("SOURCE_DATE_EPOCH");
    uint64_t seconds;
    if (!text || text[0] == '\0')
        return EXIT_DONE;
    if (text[strspn(text, "0123456789")] != '\0')
        return message_usage("pack", "SOURCE_DATE_EPOCH in the environment is '%s', not a number of seconds", text);
    if (quantity_parse(text, 0, &seconds) != 0 || seconds > INT64_MAX / 1000000000)
        return message_usage("pack", "SOURCE_DATE_EPOCH in the environment is %s: beyond the year 2262", text);
    packing->freeze.has_time = packing->scan.has_mtime_max = 1;
    packing->freeze.time = packing->scan.mtime_max = (int64_t)seconds * 1000000000;
    return EXIT_DONE;
}

/* ---- What to take ---------------------------------------------------------------- */

static int take_rules(const struct settings *settings, struct ignore *ignore)
{
    const int is_taken = settings->files_from && strcmp(settings->files_from, "-") == 0;
    return rules_take(&command_pack, &settings->exclude, &settings->exclude_from, is_taken, ignore);
}

static int take_names(const struct settings *settings, struct packing *packing)
{
    const char *dir = packing->sources.all[0].path;
    if (!settings->files_from)
        return EXIT_DONE;
    packing->selection.by_name = 1;
    const int absolute = dir[strspn(dir, "/")] == '\0';
    int refused = 0;
    int code = names_read(&packing->selection.names, settings->files_from, settings->null, absolute, &refused);
    packing->problems += refused;
    return code == EXIT_DONE && refused > 0 && !settings->keep_going ? EXIT_FAILED : code;
}

static const char *or_empty(const char *text)
{
    return text[0] != '\0' ? text : "''";
}

/* text is what the option says, or NULL; kind is "user" or "group". */
static int take_account(const char *option, const char *kind, const char *text, uint32_t *id)
{
    const int result = !text ? 0 : kind[0] == 'u' ? account_user(text, id) : account_group(text, id);
    if (result == -ENOMEM)
        return message_error(option, NULL, result, NULL);
    if (result != 0)
        return message_usage("pack", "%s %s: no %s of this machine, and no number from 0 to 4294967294", option,
                             or_empty(text), kind);
    return EXIT_DONE;
}

static int take_accounts(const struct settings *settings, struct selection *selection)
{
    int code = take_account("--owner", "user", settings->owner, &selection->uid);
    if (code == EXIT_DONE)
        code = take_account("--group", "group", settings->group, &selection->gid);
    selection->has_uid = settings->owner != NULL;
    selection->has_gid = settings->group != NULL;
    return code;
}

static int take_attributes(const struct settings *settings, struct selection *selection)
{
    if (settings->mode && mode_parse(settings->mode, &selection->mode) != 0)
        return message_usage("pack", "--mode %s: no mode such as 644 or u+rwX,go-w", or_empty(settings->mode));
    const int result = settings->mtime ? timestamp_parse(settings->mtime, &selection->mtime) : 0;
    if (result == -ERANGE)
        return message_usage("pack", "--mtime %s: beyond the years 1677 to 2262", settings->mtime);
    if (result != 0)
        return message_usage("pack", "--mtime %s: no time such as @1700000000, 2023-11-14 or 2023-11-14T22:13:20Z",
                             or_empty(settings->mtime));
    selection->has_mtime = settings->mtime != NULL;
    return take_accounts(settings, selection);
}

/* ---- What, and where to ------------------------------------------------------------ */

static int is_directory(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

/* The last operand is the image, unless there is one only. */
static int take_sources(const struct settings *settings, struct packing *packing, char **operands, int count)
{
    const int several = count > 1;
    packing->target.path = several ? operands[count - 1] : NULL;
    int code = several ? EXIT_DONE : target_name(&packing->target, operands[0]);
    if (code != EXIT_DONE)
        return code;
    return sources_find(&packing->sources, operands, several ? (size_t)count - 1 : 1, settings->keep_going,
                        &packing->problems);
}

/* The same for names from a list, which are relative to one directory: to the current one, if
 * the only operand is none and so must be the image. */
static int take_base(const struct settings *settings, struct packing *packing, char **operands, int count)
{
    static char here[] = ".";
    char *relative[] = {here, operands[0], NULL};
    if (count > 2)
        return message_usage("pack", "--files-from takes names relative to one directory: '%s' is one too many",
                             operands[1]);
    if (count == 1 && !is_directory(operands[0])) {
        operands = relative;
        count = 2;
    }
    int code = take_sources(settings, packing, operands, count);
    if (code != EXIT_DONE || packing->sources.is_root)
        return code;
    message(packing->sources.all[0].path, NULL, "is not a directory; --files-from takes names relative to one");
    return EXIT_FAILED;
}

/* With names from a list the image may lie beside what they name, but not be named. */
static int check_target(const struct settings *settings, struct packing *packing)
{
    int code = settings->dry_run ? EXIT_DONE : target_find(&packing->target, settings->force);
    if (code != EXIT_DONE)
        return code;
    if (!settings->files_from)
        return target_check(&packing->target, &packing->sources);
    packing->selection.has_image = packing->target.place.is_there;
    packing->selection.image_dev = (uint64_t)packing->target.place.stat.st_dev;
    packing->selection.image_ino = (uint64_t)packing->target.place.stat.st_ino;
    return EXIT_DONE;
}

static void take_numbers(const struct settings *settings, struct packing *packing)
{
    packing->keep_going = settings->keep_going;
    packing->dry_run = settings->dry_run;
    packing->strip = settings->strip;
    packing->scan.size = sizeof packing->scan;
    packing->scan.no_xattrs = settings->no_xattrs;
    packing->scan.one_file_system = settings->one_file_system;
    packing->freeze.size = sizeof packing->freeze;
    packing->freeze.level = (int)settings->level;
    packing->freeze.block_size = (uint32_t)settings->block;
    packing->freeze.threads = packing->scan.threads = processors_used(settings->jobs);
    packing->freeze.share = (enum memfs_sharing)settings->share;
    packing->freeze.window = settings->window;
    packing->freeze.memory = settings->memory;
    packing->freeze.replace = settings->force;
}

static int check_settings(const struct settings *settings, int output_is_image)
{
    if ((settings->block & (settings->block - 1)) != 0)
        return message_usage("pack", "--block %" PRIu64 ": not a power of two, as 64K (65536 bytes), 256K and 1M are",
                             settings->block);
    if ((common.json || common.verbose) && output_is_image && !settings->dry_run)
        return message_usage("pack", "standard output is the image: --json and -v would write into it");
    if (settings->null && !settings->files_from)
        return message_usage("pack", "--null is about names from a list, and there is no --files-from");
    return EXIT_DONE;
}

static int prepare(const struct settings *settings, struct packing *packing, char **operands, int count)
{
    int code = check_settings(settings, count > 1 && strcmp(operands[count - 1], "-") == 0);
    take_numbers(settings, packing);
    if (code == EXIT_DONE)
        code = take_attributes(settings, &packing->selection);
    if (code == EXIT_DONE)
        code = read_epoch(packing);
    if (code == EXIT_DONE)
        code = (settings->files_from ? take_base : take_sources)(settings, packing, operands, count);
    if (code == EXIT_DONE)
        code = check_target(settings, packing);
    if (code == EXIT_DONE)
        code = packing_check_memory(packing);
    if (code == EXIT_DONE)
        code = take_rules(settings, &packing->selection.ignore);
    return code == EXIT_DONE ? take_names(settings, packing) : code;
}

static int pack(const struct settings *settings, char **operands, int count)
{
    struct packing packing = {.problems = 0};
    int code = prepare(settings, &packing, operands, count);
    if (code == EXIT_DONE) {
        interrupt_catch();
        code = packing_run(&packing);
    }
    packing_free(&packing);
    return code;
}

static int run(int argc, char **argv)
{
    struct settings settings = {.jobs = processors()};
    int first;
    int code = options_parse(&command_pack, argc, argv, &settings, &first);
    if (code < 0)
        code = pack(&settings, argv + first, argc - first);
    option_list_free(&settings.exclude);
    option_list_free(&settings.exclude_from);
    return code;
}

const struct command command_pack = {
    .name = "pack",
    .operands = "DIR | SOURCE... IMAGE",
    .summary = "pack directories and files into an image",
    .about = "Packs DIR and all below it into an image of DIR's name with .mfs behind in the current\n"
             "directory; or one SOURCE, or several under their own names, into IMAGE ('-': standard\n"
             "output). The image appears whole or not at all. Whoever may read it can read all that is\n"
             "in it: for secret files, type umask 077 first. Times of modification after\n"
             "SOURCE_DATE_EPOCH, if the environment has it, become that.\n",
    .examples = "  memfs pack photos\n"
                "  memfs pack -l 19 --block 16M photos /backup/photos.mfs\n"
                "  memfs pack bin share README app.mfs\n"
                "  memfs pack --exclude-from project/.gitignore project project.mfs\n"
                "  find . -name '*.c' -print0 | memfs pack -0 --files-from - sources.mfs\n"
                "  memfs pack photos - | ssh host 'cat > photos.mfs'\n",
    .manual =
        "A single directory gives the image's root its contents; it is followed if it is a symbolic link. Several\n"
        "sources, and a single one of another type, stand in the root under the last names of their paths, in "
        "whatever\n"
        "order they are given; \".\" and the like have the names that they really have. Two of one name are refused.\n"
        "A symbolic link among them is packed as it is, unless a slash stands behind it. The root then has the mode\n"
        "0755, owner and group of the first source by name, the latest of their times, and no extended attributes.\n"
        "The image may not lie in a directory that is packed, nor may standard output.\n"
        "\n"
        "Rules of --exclude and --exclude-from are those of gitignore(5): * and ? stand for what is within a name,\n"
        "[a-z] for one byte, ** as a whole name for any number of directories. A rule with a slash at its beginning "
        "or\n"
        "in its middle is about the whole path in the image, else about the last name of any path; with a slash at "
        "its\n"
        "end about directories only. One that begins with ! takes back what an earlier one left out. Of those that "
        "match\n"
        "the last counts: first come the files in the order given, then --exclude. What is in a directory that is "
        "left\n"
        "out is not looked at. In files, empty lines and those that begin with # mean nothing. Bytes are compared,\n"
        "whatever the locale.\n"
        "\n"
        "Names of --files-from are relative to DIR, which may be followed by IMAGE; a single operand that is no\n"
        "directory is IMAGE, and they are relative to the current directory. Exactly what is named is packed, as find\n"
        "lists it: a directory without what is in it; and the directories above, with their own attributes. Symbolic\n"
        "links on the way are not followed. What is named and not there fails, or with --keep-going is left out, and "
        "the exit code\n"
        "is 1. Rules hold too, and what they leave out is no error, unless nothing is left: then the exit code is 1.\n"
        "The image may lie in DIR, but not be named.\n"
        "\n"
        "--mode does to all but symbolic links what chmod does, whatever the umask: without u, g or o all are meant.\n"
        "Directories keep setuid and setgid bits that are not named. --mtime takes local time without Z, and counts\n"
        "for more than SOURCE_DATE_EPOCH. --owner and --group take the names that this machine has. These change the\n"
        "root as well.\n"
        "\n"
        "--strip-components takes away the first names of all paths, after rules and lists have been applied; what "
        "has\n"
        "no more names than that is left out. Directories that come to have one path become one, with the attributes\n"
        "of the first in path order; other files in one place are refused, or with --keep-going left out.\n"
        "\n"
        "--one-file-system keeps the directories where something is mounted, empty. Without it mount points are\n"
        "crossed. Files of /proc, /sys and their like, whose sizes are made up, count as files that cannot be read.\n"
        "\n"
        "Greater blocks pack better, smaller ones are faster to read one file from. Of equal parts hashes find what\n"
        "may be equal; the bytes decide. Equal files are found however far they are apart, parts in the last SIZE of\n"
        "contents that --window gives; with other ways of sharing it has no effect. --memory bounds what window, "
        "reading\n"
        "ahead and compressing take together, if need be with fewer processors; 200 to 350 bytes for each file, with "
        "its\n"
        "name, come on top. What is too little for level, block size and window is refused, with the least that would "
        "do.\n"
        "The image's bytes are the same for any number of processors and any memory.\n"
        "\n"
        "The image gets the permissions 0644 less the umask; one that -f replaces hands its permissions on. Only\n"
        "regular files that are images, damaged ones as well, or empty are replaced.\n"
        "\n"
        "-n lists the paths that would be packed, and -v those that are, one a line; what cannot be read is found out\n"
        "in either case, except for contents. With -n what may stand in the image's place is not looked at.\n"
        "\n"
        "With --json, -n and -v write objects with path (path_base64 if it is not UTF-8), type (file, directory,\n"
        "symlink, fifo, socket, character, block), mode, uid, gid, size (not of directories) and mtime, in path "
        "order.\n"
        "Packing ends with one that has image, nodes, bytes (of the image) and seconds.\n",
    .common = COMMON_PROGRESS | COMMON_JSON,
    .options = rows,
    .operands_min = 1,
    .operands_max = -1,
    .run = run,
};
