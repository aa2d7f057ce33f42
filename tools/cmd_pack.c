#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* O_PATH */
#endif
#include "buffer.h"
#include "commands.h"
#include "interrupt.h"
#include "memfs_host.h"
#include "memfs_image.h"
#include "message.h"
#include "output.h"
#include "processors.h"
#include "progress.h"
#include "quantity.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct settings {
    uint64_t level;
    uint64_t block;
    uint64_t jobs;
    uint64_t window;
    uint64_t memory;
    int share; /* enum memfs_sharing */
    int force;
    int keep_going;
    int no_xattrs;
};

static const struct option_row rows[] = {
    {'l', "level", "LEVEL", OPTION_NUMBER, offsetof(struct settings, level), 1, 19,
     "compress with zstd's level 1 to 19 (default 3)"},
    {0, "block", "SIZE", OPTION_BYTES, offsetof(struct settings, block), 65536, 16777216,
     "compress blocks of 64K to 16M, a power of two (default 1M)"},
    {'j', "jobs", "N", OPTION_NUMBER, offsetof(struct settings, jobs), 1, PROCESSORS_MAX,
     "work on N processors (default: all)"},
    {0, "share", "parts|files|none", OPTION_CHOICE, offsetof(struct settings, share), 0, 0,
     "store once equal parts (default), equal files, nothing"},
    {0, "window", "SIZE", OPTION_BYTES, offsetof(struct settings, window), 65536, 1073741824,
     "look for equal parts in the last 64K to 1G of contents (128M)"},
    {0, "memory", "SIZE", OPTION_BYTES, offsetof(struct settings, memory), 1, UINT64_MAX,
     "take no more memory for window, reading and compressing"},
    {'f', "force", NULL, OPTION_FLAG, offsetof(struct settings, force), 0, 0, "replace IMAGE if it exists"},
    {0, "keep-going", NULL, OPTION_FLAG, offsetof(struct settings, keep_going), 0, 0,
     "leave out what cannot be read, say so, and exit 1"},
    {0, "no-xattrs", NULL, OPTION_FLAG, offsetof(struct settings, no_xattrs), 0, 0, "leave out extended attributes"},
    {.name = NULL},
};

struct pack {
    struct settings settings;
    const char *dir;
    const char *image;        /* "-" for standard output */
    struct buffer image_name; /* memory of it, if it was made from dir's */
    int has_epoch;
    int64_t epoch;        /* SOURCE_DATE_EPOCH in nanoseconds */
    uint32_t file_mode;   /* of the image; 0: by the umask */
    uint64_t bytes_total; /* of contents, as the scan found them */
    int problems;         /* of the source that were said */
    int sink_error;
};

/* ---- What was asked for ------------------------------------------------------ */

/* DIR's base name and ".mfs". "." and the like have the name that they really have. */
static int name_image(struct pack *pack)
{
    struct buffer *name = &pack->image_name;
    size_t end = strlen(pack->dir);
    while (end > 0 && pack->dir[end - 1] == '/')
        end--;
    size_t start = end;
    while (start > 0 && pack->dir[start - 1] != '/')
        start--;
    const char *base = pack->dir + start;
    size_t length = end - start;
    char *real = NULL;
    if (length == 0 || (length == 1 && base[0] == '.') || (length == 2 && base[0] == '.' && base[1] == '.')) {
        real = realpath(pack->dir, NULL);
        if (!real)
            return message_error(pack->dir, NULL, -errno, NULL);
        base = strrchr(real, '/') + 1;
        length = strlen(base);
    }
    int result = length > 0 ? buffer_append(name, base, length) : 0;
    if (result == 0)
        result = buffer_append_text(name, ".mfs");
    free(real);
    if (result != 0)
        return message_error(pack->dir, NULL, result, NULL);
    if (length == 0)
        return message_usage("pack", "'%s' gives no name for the image: name one", pack->dir);
    pack->image = name->data;
    return EXIT_DONE;
}

static int read_epoch(struct pack *pack)
{
    const char *text = getenv("SOURCE_DATE_EPOCH");
    uint64_t seconds;
    if (!text || text[0] == '\0')
        return EXIT_DONE;
    if (quantity_parse(text, 0, &seconds) != 0 || seconds > INT64_MAX / 1000000000)
        return message_usage("pack", "SOURCE_DATE_EPOCH in the environment is '%s', not a number of seconds", text);
    pack->has_epoch = 1;
    pack->epoch = (int64_t)seconds * 1000000000;
    return EXIT_DONE;
}

/* Whether the directory in which the image is to appear is dir or lies in it. */
static int lies_inside(const struct stat *dir, const char *image)
{
    const char *slash = strrchr(image, '/');
    struct buffer parent = {0};
    int inside = 0, at = -1;
    if (buffer_append(&parent, image, slash ? (size_t)(slash - image) + 1 : 0) == 0 &&
        buffer_append_text(&parent, ".") == 0)
        at = open(parent.data, O_PATH | O_DIRECTORY | O_CLOEXEC);
    buffer_free(&parent);
    struct stat here, below = {.st_ino = 0};
    for (int first = 1; at >= 0 && fstat(at, &here) == 0; first = 0) {
        inside = here.st_dev == dir->st_dev && here.st_ino == dir->st_ino;
        if (inside || (!first && here.st_dev == below.st_dev && here.st_ino == below.st_ino))
            break; /* found, or at the top, which is its own parent */
        below = here;
        int up = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        close(at);
        at = up;
    }
    if (at >= 0)
        close(at);
    return inside;
}

/* A shell has opened the file behind "> FILE" already; its path is asked of the kernel. */
static int check_standard_output(const struct stat *dir)
{
    char path[4096];
    struct stat output;
    if (isatty(STDOUT_FILENO))
        return message_usage("pack", "an image is not for a terminal: redirect it, or name a file");
    if (fstat(STDOUT_FILENO, &output) != 0 || !S_ISREG(output.st_mode) || output.st_nlink == 0)
        return EXIT_DONE;
    ssize_t length = readlink("/proc/self/fd/1", path, sizeof path - 1);
    if (length <= 0)
        return EXIT_DONE;
    path[length] = '\0';
    if (lies_inside(dir, path))
        return message_usage("pack", "standard output, %s, lies in the directory that is packed: redirect it elsewhere",
                             path);
    return EXIT_DONE;
}

/* Nothing of this protects against what happens meanwhile: memfs_freeze_path()
 * does. But it says so before a long scan, and keeps -f from replacing devices. */
static int check_places(struct pack *pack)
{
    struct stat dir, image;
    if (stat(pack->dir, &dir) != 0)
        return message_error(pack->dir, NULL, -errno, NULL);
    if (!S_ISDIR(dir.st_mode)) {
        message(pack->dir, NULL, "is not a directory; name the directory to pack");
        return EXIT_FAILED;
    }
    if (strcmp(pack->image, "-") == 0)
        return check_standard_output(&dir);
    if (lstat(pack->image, &image) == 0) {
        if (!S_ISREG(image.st_mode)) {
            message(pack->image, NULL, "exists and is no regular file; name another image, or '-' for standard output");
            return EXIT_FAILED;
        }
        if (!pack->settings.force) {
            message(pack->image, NULL, "exists; -f replaces it");
            return EXIT_FAILED;
        }
        pack->file_mode = image.st_mode & 0777u;
        if (pack->file_mode == 0)
            pack->file_mode = 0600; /* 0 would ask for the default */
    }
    if (lies_inside(&dir, pack->image))
        return message_usage("pack", "%s would lie in the directory that is packed: name an image elsewhere",
                             pack->image);
    return EXIT_DONE;
}

/* ---- Packing ------------------------------------------------------------------ */

/* What happened to a file, and what becomes of it. */
static void say_problem(const struct pack *pack, const char *path, const struct memfs_problem *problem)
{
    const char *fate = "left out";
    if (problem->kind == MEMFS_PROBLEM_NAMES)
        fate = "left empty";
    if (!pack->settings.keep_going)
        fate = problem->kind == MEMFS_PROBLEM_XATTR ? "no image was made: --no-xattrs leaves out all of them"
                                                    : "no image was made: --keep-going leaves out such files";
    if (problem->error == -ESTALE || problem->error == -ENOENT)
        message(pack->dir, path, "%s while it was packed; %s", problem->error == -ESTALE ? "changed" : "vanished",
                fate);
    else if (problem->error == -EOPNOTSUPP && problem->kind == MEMFS_PROBLEM_FILE)
        message(pack->dir, path, "%s; %s", problem->text, fate); /* says why */
    else
        message(pack->dir, path, "%s: %s; %s", problem->text, memfs_strerror(problem->error), fate);
}

/* A memfs_problem_fn for the source. A time that had to be clamped leaves nothing out. */
static int source_problem(void *context, const struct memfs_problem *problem)
{
    struct pack *pack = context;
    const char *path = problem->path;
    if (problem->kind == MEMFS_PROBLEM_TIME && problem->error == -EOVERFLOW) {
        message(pack->dir, path, "time of modification is beyond the years 1677 to 2262; stored as the nearest");
        return 0;
    }
    say_problem(pack, path, problem);
    pack->problems++;
    return pack->settings.keep_going ? 0 : -1;
}

static int scan_progress(void *context, const struct memfs_progress *progress)
{
    struct pack *pack = context;
    pack->bytes_total = progress->bytes_total;
    return progress_update(NULL, progress);
}

static int freeze_progress(void *context, const struct memfs_progress *progress)
{
    const struct pack *pack = context;
    struct memfs_progress whole = *progress;
    if (whole.bytes_total == 0 && whole.bytes <= pack->bytes_total)
        whole.bytes_total = pack->bytes_total;
    return progress_update(NULL, &whole);
}

static int write_standard_output(void *context, const void *data, size_t length)
{
    struct pack *pack = context;
    pack->sink_error = output_bytes(data, length);
    return pack->sink_error;
}

static struct memfs_freeze_options freeze_options(struct pack *pack)
{
    struct memfs_freeze_options options = {.size = sizeof options};
    options.level = (int)pack->settings.level;
    options.block_size = (uint32_t)pack->settings.block;
    options.threads = (unsigned)pack->settings.jobs;
    options.share = (enum memfs_sharing)pack->settings.share;
    options.window = pack->settings.window;
    options.memory = pack->settings.memory;
    options.has_time = pack->has_epoch;
    options.time = pack->epoch;
    options.replace = pack->settings.force;
    options.file_mode = pack->file_mode;
    options.problem = source_problem;
    options.problem_context = pack;
    options.progress = freeze_progress;
    options.progress_context = pack;
    return options;
}

/* Before anything is read. */
static int check_memory(struct pack *pack)
{
    const struct memfs_freeze_options options = freeze_options(pack);
    struct memfs_detail detail = {.offset = UINT64_MAX};
    uint64_t least;
    const int error = memfs_freeze_memory_least(&options, &least, &detail);
    if (error)
        return message_error(pack->image, NULL, error, &detail);
    if (options.memory == 0 || options.memory >= least)
        return EXIT_DONE;
    return message_usage("pack",
                         "--memory: too little for this level, --block and --window: at least %" PRIu64
                         "K; less for a smaller --window or --share files",
                         least / 1024 + (least % 1024 != 0));
}

static int freeze(struct pack *pack, memfs *fs, struct memfs_detail *detail)
{
    const struct memfs_freeze_options options = freeze_options(pack);
    struct memfs_sink sink = {.write = write_standard_output, .context = pack};
    progress_start("packing");
    return strcmp(pack->image, "-") == 0 ? memfs_freeze(fs, &sink, &options, detail)
                                         : memfs_freeze_path(fs, pack->image, &options, detail);
}

static int scan(struct pack *pack, memfs_backing **backing, struct memfs_detail *detail)
{
    struct memfs_scan_options options = {.size = sizeof options};
    options.has_mtime_max = pack->has_epoch;
    options.mtime_max = pack->epoch;
    options.no_xattrs = pack->settings.no_xattrs;
    options.problem = source_problem;
    options.problem_context = pack;
    options.progress = scan_progress;
    options.progress_context = pack;
    progress_start("reading names:");
    return memfs_host_scan(pack->dir, &options, backing, detail);
}

/* On a terminal, what came of it. */
static void summarise(const struct pack *pack, memfs *fs, double seconds)
{
    struct memfs_statfs statfs;
    struct stat image;
    char size[QUANTITY_ROOM], time[QUANTITY_ROOM];
    if (strcmp(pack->image, "-") == 0 || stat(pack->image, &image) != 0 || memfs_statfs(fs, &statfs) != 0)
        return;
    message(pack->image, NULL, "%" PRIu64 " node%s in %s, %s", statfs.nodes, statfs.nodes == 1 ? "" : "s",
            quantity_bytes((uint64_t)image.st_size, size), quantity_seconds((uint64_t)(seconds + 0.5), time));
}

static int failed(const struct pack *pack, const char *thing, int error, const struct memfs_detail *detail)
{
    if (error == -ECANCELED || pack->sink_error == -ECANCELED || (pack->problems > 0 && !pack->settings.keep_going))
        return EXIT_FAILED; /* by the user, or said already */
    if (pack->sink_error != 0)
        message_error("standard output", NULL, pack->sink_error, NULL);
    else if (error == -EEXIST)
        message_error_hint(thing, NULL, error, NULL, "-f replaces it");
    else
        message_error(thing, NULL, error, detail);
    return EXIT_FAILED;
}

static int pack_dir(struct pack *pack)
{
    memfs_backing *backing = NULL;
    memfs *fs = NULL;
    struct memfs_detail detail = {.offset = UINT64_MAX};
    int code = EXIT_FAILED, shown;
    int result = scan(pack, &backing, &detail);
    double seconds = progress_end(&shown);
    if (result != 0) {
        code = failed(pack, pack->dir, result, &detail);
        goto out;
    }
    struct memfs_options options = {.size = sizeof options, .backing = backing};
    result = memfs_create(&options, &fs);
    if (result == 0)
        result = freeze(pack, fs, &detail);
    seconds += progress_end(&shown);
    if (result != 0) {
        code = failed(pack, pack->image, result, &detail);
        goto out;
    }
    code = pack->problems > 0 ? EXIT_INCOMPLETE : EXIT_DONE;
    if (shown)
        summarise(pack, fs, seconds);
out:
    memfs_destroy(fs);
    memfs_backing_release(backing);
    return code;
}

static int run(int argc, char **argv)
{
    struct pack pack = {.settings = {.jobs = processors()}};
    int first;
    int code = options_parse(&command_pack, argc, argv, &pack.settings, &first);
    if (code >= 0)
        return code;
    uint64_t block = pack.settings.block;
    if ((block & (block - 1)) != 0)
        return message_usage("pack", "--block %" PRIu64 ": not a power of two", block);
    pack.dir = argv[first];
    pack.image = argv[first + 1]; /* NULL if there is none */
    code = pack.image ? EXIT_DONE : name_image(&pack);
    if (code == EXIT_DONE)
        code = read_epoch(&pack);
    if (code == EXIT_DONE)
        code = check_places(&pack);
    if (code == EXIT_DONE)
        code = check_memory(&pack);
    if (code == EXIT_DONE) {
        interrupt_catch();
        code = pack_dir(&pack);
    }
    buffer_free(&pack.image_name);
    return code;
}

const struct command command_pack = {
    .name = "pack",
    .operands = "DIR [IMAGE]",
    .summary = "pack a directory into an image",
    .about = "Packs DIR and all below it into IMAGE ('-': standard output); without IMAGE into DIR's\n"
             "name with .mfs in the current directory. The image appears whole or not at all. Whoever\n"
             "may read it can read all that is in it: for secret files, type umask 077 first. Times\n"
             "of modification after SOURCE_DATE_EPOCH, if the environment has it, become that.\n",
    .examples = "  memfs pack photos\n"
                "  memfs pack -l 19 --block 16M photos /backup/photos.mfs\n"
                "  memfs pack photos - | ssh host 'cat > photos.mfs'\n",
    .common = COMMON_PROGRESS,
    .options = rows,
    .operands_min = 1,
    .operands_max = 2,
    .run = run,
};
