#include "commands.h"
#include "hash/hashing.h"
#include "list/depth.h"
#include "list/rooted.h"
#include "output/json.h"
#include "output/message.h"
#include "output/output.h"
#include "output/progress.h"
#include "system/input.h"
#include "system/interrupt.h"
#include "system/processors.h"
#include "values/quantity.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

struct settings {
    int algorithm;
    int zero;
    uint64_t jobs, bytes_max;
};

static const struct option_row rows[] = {
    {'a', "algorithm", CHECKSUM_NAMES, OPTION_CHOICE, offsetof(struct settings, algorithm), 0, 0,
     "as sha256sum (default), sha512sum, b2sum"},
    {'j', "jobs", "N", OPTION_NUMBER, offsetof(struct settings, jobs), 1, UINT64_MAX,
     "work on N processors, 64 at most (default: all)"},
    {0, "max-bytes", "SIZE", OPTION_BYTES, offsetof(struct settings, bytes_max), 1, UINT64_MAX,
     "read no more than this (default: 64G, or more)"},
    {'z', "zero", NULL, OPTION_FLAG, offsetof(struct settings, zero), 0, 0,
     "end lines with NUL, and leave names as they are"},
    {.name = NULL},
};

#define BYTES_MOST ((uint64_t)64 << 30)
#define BYTES_PER_BYTE 1024 /* of a large image */

struct hash {
    struct input input;
    struct settings settings;
    int code;
    struct hashing *hashing;
    uint64_t bytes; /* of all files so far */
    int terminal;   /* is standard output */
};

/* ---- A line --------------------------------------------------------------------------------- */

/* As sha256sum -c takes it: with a backslash before the line, if one is needed. */
static void print_escaped(const char *digest, const char *path)
{
    static const char special[] = "\\\n\r", names[] = "\\nr";
    if (path[strcspn(path, special)] != '\0')
        output_text("\\", 1);
    output("%s  ", digest);
    for (;;) {
        const size_t plain = strcspn(path, special);
        output_text(path, plain);
        path += plain;
        if (*path == '\0')
            return;
        output("\\%c", names[strchr(special, *path++) - special]);
    }
}

static void print_line(const struct hash *hash, const char *digest, const char *path)
{
    if (hash->settings.zero || hash->terminal) {
        output("%s  ", digest);
        if (hash->settings.zero)
            output_text(path, strlen(path));
        else
            output_name(path, strlen(path));
    } else {
        print_escaped(digest, path);
    }
    output_text(hash->settings.zero ? "\0" : "\n", 1);
}

static void print_json(const struct hash *hash, const struct hashing_file *file, const char *digest)
{
    static const char *const names[] = {"sha256", "sha512", "blake2b"};
    struct json json = json_begin(stdout);
    json_text(&json, "path", file->path);
    json_text(&json, "algorithm", names[hash->settings.algorithm]);
    json_text(&json, "digest", digest);
    json_unsigned(&json, "size", file->size);
    json_end(&json);
}

static int told(void *context, const struct hashing_file *file)
{
    struct hash *hash = context;
    char digest[2 * CHECKSUM_BYTES_MAX + 1];
    if (input_is_spent(&hash->input, file->error)) { /* nor will there be more for those that follow */
        hash->code = input_error(&hash->input, file->path, file->error);
        return 1;
    }
    if (file->error) {
        hash->code = message_worse(hash->code, input_say_damage(&hash->input, file->path, file->error, &file->detail));
        return 0;
    }
    for (size_t i = 0; i < file->digest_length; i++)
        snprintf(digest + 2 * i, 3, "%02x", file->digest[i]);
    if (hash->terminal)
        progress_hide();
    if (common.json)
        print_json(hash, file, digest);
    else
        print_line(hash, digest, file->path);
    return output_failed();
}

/* ---- Which files ------------------------------------------------------------------------------ */

static int add(struct hash *hash, const char *path, const struct memfs_stat *stat)
{
    if (stat->size > hash->settings.bytes_max - hash->bytes) {
        char most[QUANTITY_ROOM];
        message(hash->input.name, path, "left out: it would be more than %s in all; --max-bytes gives more",
                quantity_exact(hash->settings.bytes_max, most));
        hash->code = message_worse(hash->code, EXIT_INCOMPLETE);
        return 0;
    }
    hash->bytes += stat->size;
    return hashing_add(hash->hashing, path, stat->node, stat->size);
}

static int visit(void *context, const struct memfs_step *step)
{
    return (step->stat->mode & MEMFS_IFMT) == MEMFS_IFREG ? add(context, step->path + 1, step->stat) : 0;
}

/* What cannot be read is passed over; a limit ends this PATH. */
static int failed(void *context, const struct memfs_step *step, int error)
{
    struct hash *hash = context;
    hash->code = message_worse(hash->code, depth_error(&hash->input, step->node, step->path + 1, error, "max-depth"));
    return error == MEMFS_ELIMIT || error == -ENOMEM ? DEPTH_ENDS_PATH : 0;
}

/* By its own path, since a walk does not begin at a symbolic link to it. */
static int take_directory(struct hash *hash, const char *path)
{
    const struct memfs_walk_options options = {
        .size = sizeof options, .flags = MEMFS_WALK_SORTED, .depth_max = common.depth_max, .failed = failed};
    struct buffer rooted = {.length = 0};
    int result = rooted_path(&rooted, hash->input.fs, path, 1);
    if (result == 0)
        result = memfs_walk_steps(hash->input.fs, NULL, rooted.data, &options, visit, hash);
    buffer_free(&rooted);
    return result == DEPTH_ENDS_PATH ? 0 : result;
}

/* A file or directory that was named; a symbolic link stands for what it leads to. */
static int take_path(struct hash *hash, const char *path)
{
    struct memfs_stat stat;
    int result = memfs_stat(hash->input.fs, NULL, path, &stat);
    if (result != 0) {
        hash->code = message_worse(hash->code, input_path_error(&hash->input, path, result));
        return 0;
    }
    const uint32_t type = stat.mode & MEMFS_IFMT;
    if (type == MEMFS_IFREG)
        return add(hash, path + strspn(path, "/"), &stat);
    if (type == MEMFS_IFDIR)
        return take_directory(hash, path);
    message(hash->input.name, path, "is not a regular file and has no contents");
    hash->code = message_worse(hash->code, EXIT_INCOMPLETE);
    return 0;
}

static int take_paths(struct hash *hash, char **paths, int count)
{
    static char root[] = "/";
    int result = count == 0 ? take_path(hash, root) : 0;
    for (int i = 0; i < count && result == 0; i++) {
        result = take_path(hash, paths[i]);
        if (result < 0 && result != -ECANCELED) {
            hash->code = message_worse(hash->code, input_error(&hash->input, paths[i], result));
            result = 0;
        }
    }
    return result;
}

static void run_hash(struct hash *hash, char **paths, int count)
{
    struct memfs_image_info info;
    memfs_image_info(hash->input.image, &info);
    struct hashing_options options = {.told = told, .context = hash, .progress = progress_update};
    options.algorithm = (enum checksum_algorithm)hash->settings.algorithm;
    options.threads = processors_used(hash->settings.jobs);
    if (count == 0) {
        options.nodes_total = info.types[0];
        options.bytes_total = info.content_bytes;
    }
    if (hash->settings.bytes_max == 0)
        hash->settings.bytes_max =
            info.image_bytes > BYTES_MOST / BYTES_PER_BYTE ? info.image_bytes * BYTES_PER_BYTE : BYTES_MOST;
    int shown;
    progress_start("hashing");
    output_in_large_pieces();
    int result = checksum_prepare();
    if (result == 0)
        result = hashing_start(hash->input.fs, hash->input.image, &options, &hash->hashing);
    if (result == 0)
        result = take_paths(hash, paths, count);
    const int finished = hashing_finish(hash->hashing);
    progress_end(&shown);
    if (result < 0 && result != -ECANCELED)
        hash->code = message_worse(hash->code, input_error(&hash->input, NULL, result));
    else if (finished != 0)
        hash->code = EXIT_FAILED;
}

static int run(int argc, char **argv)
{
    struct hash hash = {.settings = {.jobs = processors()}, .code = EXIT_DONE, .terminal = isatty(STDOUT_FILENO)};
    int first;
    int code = options_parse(&command_hash, argc, argv, &hash.settings, &first);
    if (code < 0 && common.json && hash.settings.zero)
        code = message_usage("hash", "--json and --zero contradict each other");
    if (code >= 0)
        return code;
    interrupt_catch();
    code = input_open(&hash.input, argv[first], 1);
    if (code != EXIT_DONE)
        return code;
    run_hash(&hash, argv + first + 1, argc - first - 1);
    input_close(&hash.input);
    return message_worse(hash.code, output_finish());
}

const struct command command_hash = {
    .name = "hash",
    .operands = "IMAGE [PATH]...",
    .summary = "write a digest of every file in an image",
    .about = "Writes a line with a digest and a name for every regular file that is a PATH in IMAGE\n"
             "('-': standard input), or lies below one, sorted by name; without PATH for all. The lines\n"
             "are those of sha256sum, and sha256sum -c compares a directory with them.\n",
    .examples = "  memfs hash photos.mfs >photos.sha256\n"
                "  memfs hash photos.mfs | (cd photos && sha256sum -c --quiet)\n"
                "  memfs hash --algorithm blake2b photos.mfs 2024\n",
    .common = COMMON_JSON | COMMON_PROGRESS | COMMON_DEPTH | COMMON_DECODED,
    .manual =
        "Names are paths from the image's root, without a slash before them. Names with a backslash, a newline or a\n"
        "carriage return are escaped, as sha256sum does, unless standard output is a terminal, which gets them "
        "escaped\n"
        "as all names. A PATH that is a symbolic link stands for what it leads to; others are passed over, as is\n"
        "everything else that is no regular file.\n\n"
        "With --json each file is an object with path, algorithm (sha256, sha512 or blake2b), digest (hexadecimal) "
        "and\n"
        "size.\n\n"
        "An image can have files of any size that are mostly holes: what would be more than --max-bytes in all is "
        "left\n"
        "out and named, and the exit code is 1.\n",
    .options = rows,
    .operands_min = 1,
    .operands_max = -1,
    .run = run,
};
