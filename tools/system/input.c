#include "system/input.h"

#include "options.h"
#include "output/message.h"
#include "system/eintr.h"
#include "system/interrupt.h"
#include "system/sandbox.h"
#include "values/quantity.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_STEP 65536
#define MAGIC_BYTES 8                      /* that tell an image from anything else */
#define DECODED_LEAST ((uint64_t)16 << 30) /* bytes that may be decoded of any image, */
#define DECODED_TIMES 16u                  /* or so many times what it has, */
#define DECODED_RATIO 1024u                /* which is no more than so many times the image, */
#define DECODED_RECORD 128u                /* a record with its name taken for so many */

static const char standard_input[] = "standard input";

/* A command reads most things once, but files that share parts come back to blocks of up
 * to 128 MiB before: so much of this is for blocks that are read in order. */
static const struct memfs_image_options image_options = {.size = sizeof image_options, .cache_bytes = 192 << 20};

/* Whether a beginning can be an image's: all that is wrong with it is that it is no more than that. */
static int check_beginning(const void *data, struct memfs_detail *detail)
{
    memfs_image *image = NULL;
    int result = memfs_image_open_buffer(data, MAGIC_BYTES, &image_options, &image, detail);
    memfs_image_close(image);
    return result == MEMFS_ENOTIMAGE || result == -ENOMEM ? result : 0;
}

/* Everything that standard input has, into memory, if it begins as an image. */
static int read_standard_input(struct buffer *memory, struct memfs_detail *detail)
{
    for (int checked = 0;;) {
        int result = buffer_reserve(memory, READ_STEP);
        if (result == 0 && !checked && memory->length >= MAGIC_BYTES) {
            checked = 1;
            result = check_beginning(memory->data, detail);
        }
        if (result != 0)
            return result;
        ssize_t got = read(STDIN_FILENO, memory->data + memory->length, memory->room - memory->length);
        if (got > 0)
            memory->length += (size_t)got;
        else if (got == 0)
            return 0;
        else if (errno != EINTR)
            return -errno;
        else if (interrupt_noted())
            return -ECANCELED;
    }
}

/* A whole file is read where it lies; a pipe, or the rest of a file, is taken
 * into memory. */
static int open_standard_input(struct input *input, struct memfs_detail *detail)
{
    struct stat status;
    if (fstat(STDIN_FILENO, &status) != 0)
        return -errno;
    if (S_ISREG(status.st_mode) && lseek(STDIN_FILENO, 0, SEEK_CUR) == 0)
        return memfs_image_open_fd(STDIN_FILENO, &image_options, &input->image, detail);
    int result = read_standard_input(&input->memory, detail);
    if (result != 0)
        return result;
    return memfs_image_open_buffer(input->memory.data, input->memory.length, &image_options, &input->image, detail);
}

/* Whoever reads an image decodes all of it about once; one that is made to be decoded again and
 * again is stopped. What the root says of records and blocks may be a lie: it is believed as far
 * as one can imagine of an image of this size. */
uint64_t input_decoded_max(const struct input *input)
{
    struct memfs_image_info info;
    if (common.decoded_max > 0)
        return common.decoded_max;
    memfs_image_info(input->image, &info);
    const uint64_t most = UINT64_MAX / DECODED_TIMES / DECODED_RATIO, image = info.image_bytes;
    const uint64_t believed = (image < most ? image : most) * DECODED_RATIO;
    const uint64_t records = (info.nodes + info.entries + info.extents) * DECODED_RECORD;
    const uint64_t all = info.raw_bytes < UINT64_MAX - records ? info.raw_bytes + records : UINT64_MAX;
    const uint64_t allowed = (all < believed ? all : believed) * DECODED_TIMES;
    return allowed > DECODED_LEAST ? allowed : DECODED_LEAST;
}

static int open_fs(struct input *input)
{
    struct memfs_options options = {.size = sizeof options};
    options.backing = memfs_image_backing(input->image);
    return memfs_create(&options, &input->fs);
}

static int is_empty(const struct input *input)
{
    struct stat status;
    const int known = input->name == standard_input ? fstat(STDIN_FILENO, &status) : fstat(input->fd, &status);
    return input->memory.length == 0 && known == 0 && status.st_size == 0;
}

/* Why there is no image; errors of opening a file need no more words than it has. */
static int explain(const struct input *input, int error, const struct memfs_detail *detail)
{
    switch (error) {
    case -ECANCELED:
        return EXIT_FAILED;
    case -EISDIR:
        message(input->name, NULL, "is a directory, not an image; 'memfs pack' makes one of it");
        return EXIT_DAMAGED;
    case -ESPIPE:
        message(input->name, NULL, "is no regular file, so no image; redirect it and read '-'");
        return EXIT_DAMAGED;
    case -ENOMEM:
        return message_error_hint(input->name, NULL, error, NULL,
                                  input->memory.length > 0
                                      ? "an image from a pipe is held in memory: save it to a file, and name that"
                                      : "free some memory");
    case MEMFS_ENOTIMAGE:
        if (is_empty(input))
            return message(input->name, NULL, "is empty, so no image; did what was to write it fail?"), EXIT_DAMAGED;
        return message_error(input->name, NULL, error, detail);
    case MEMFS_ECHECKSUM:
    case MEMFS_ECORRUPT:
        return message_error_hint(input->name, NULL, error, detail, "it cannot be opened");
    default:
        return message_error(input->name, NULL, error, message_is_of_image(error) ? detail : NULL);
    }
}

static int is_standard(const char *name)
{
    return strcmp(name, "-") == 0;
}

/* A descriptor or a negative errno. */
static int open_file(const char *name)
{
    int fd;
    /* Without O_NONBLOCK a FIFO would wait here for somebody who writes. */
    RETRY(fd, open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    return fd < 0 ? -errno : fd;
}

int input_begins_image(const char *name)
{
    char magic[MAGIC_BYTES];
    const int fd = open_file(name);
    if (fd < 0)
        return 0;
    ssize_t got;
    RETRY(got, pread(fd, magic, sizeof magic, 0));
    close(fd);
    if (got != (ssize_t)sizeof magic)
        return 0;
    const int result = check_beginning(magic, NULL);
    return result == MEMFS_ENOTIMAGE ? 0 : result == 0 ? 1 : result;
}

int input_hold_opened(struct input *input, const char *name, int file)
{
    const int standard = is_standard(name);
    memset(input, 0, sizeof *input);
    input->name = standard ? standard_input : name;
    if (standard && isatty(STDIN_FILENO)) {
        message(input->name, NULL, "is a terminal; redirect an image to it");
        return EXIT_USAGE;
    }
    if (standard)
        return EXIT_DONE;
    input->fd = file == INPUT_UNOPENED ? open_file(name) : file;
    if (input->fd < 0)
        return message_error(input->name, NULL, input->fd, NULL);
    input->is_held = 1;
    return EXIT_DONE;
}

int input_hold(struct input *input, const char *name)
{
    return input_hold_opened(input, name, INPUT_UNOPENED);
}

/* So many images are held at once: half of what is allowed, the rest is for the work. */
static int held_most(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) != 0 ? 0 : limit.rlim_cur < INT_MAX ? (int)(limit.rlim_cur / 2) : INT_MAX;
}

int input_open_several(char **names, int count, int **files)
{
    struct sandbox sandbox;
    const int most = held_most();
    *files = malloc((size_t)count * sizeof **files);
    if (!*files)
        return message_error(names[0], NULL, -ENOMEM, NULL);
    sandbox_begin(&sandbox);
    for (int i = 0; i < count; i++) {
        const int is_opened = i < most && !is_standard(names[i]);
        (*files)[i] = is_opened ? open_file(names[i]) : INPUT_UNOPENED;
        if (is_opened || is_standard(names[i]))
            continue;
        sandbox_allow(&sandbox, names[i], SANDBOX_READ);
        sandbox_allow_beside(&sandbox, names[i], SANDBOX_READ); /* what has the name by then */
    }
    return sandbox_enter(&sandbox);
}

int input_read(struct input *input, int with_fs)
{
    struct memfs_detail detail = {.offset = UINT64_MAX};
    int result = input->is_held ? memfs_image_open_fd(input->fd, &image_options, &input->image, &detail)
                                : open_standard_input(input, &detail);
    if (result == 0)
        memfs_image_allow(input->image, input_decoded_max(input));
    if (result == 0 && with_fs)
        result = open_fs(input);
    if (result == 0)
        return EXIT_DONE;
    int code = explain(input, result, &detail);
    input_close(input);
    return code;
}

int input_open(struct input *input, const char *name, int with_fs)
{
    int code = input_hold(input, name);
    if (code != EXIT_DONE)
        return code;
    code = sandbox_enter_reading();
    if (code != EXIT_DONE) {
        input_close(input);
        return code;
    }
    return input_read(input, with_fs);
}

int input_find(const struct input *input, const char *path, int itself, struct memfs_stat *stat)
{
    int result = itself ? -ELOOP : memfs_stat(input->fs, NULL, path, stat);
    if (result == 0 && (stat->mode & MEMFS_IFMT) == MEMFS_IFDIR)
        return 0;
    /* Itself wanted, a link to something else, or to nowhere. */
    return result == 0 || result == -ENOENT || result == -ELOOP ? memfs_lstat(input->fs, NULL, path, stat) : result;
}

int input_is_spent(const struct input *input, int error)
{
    return error == MEMFS_ELIMIT && input->image && memfs_image_damage(input->image, NULL) == MEMFS_ELIMIT;
}

int input_is_cut(const struct input *input, int error)
{
    struct memfs_image_info info;
    struct stat status;
    const int fd = input->is_held ? input->fd : STDIN_FILENO;
    return error == -EIO && input->image && input->memory.length == 0 && memfs_image_info(input->image, &info) == 0 &&
           fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && (uint64_t)status.st_size < info.image_bytes;
}

int input_error(const struct input *input, const char *path, int error)
{
    struct memfs_detail detail = {.offset = UINT64_MAX};
    if (input_is_cut(input, error)) {
        message(input->name, path, "the image became shorter while it was read: is somebody writing it?");
        return EXIT_FAILED;
    }
    if (input_is_spent(input, error)) {
        char most[QUANTITY_ROOM];
        message(input->name, path, "to read this, more than %s would have to be decompressed; --max-decoded gives more",
                quantity_bytes(input_decoded_max(input), most));
        return EXIT_FAILED;
    }
    memfs_image_damage(input->image, &detail);
    return message_error(input->name, path, error, &detail);
}

int input_say_damage(struct input *input, const char *path, int error, const struct memfs_detail *damage)
{
    const struct memfs_detail *told = &input->told;
    if (input_is_cut(input, error) || input_is_spent(input, error))
        return input_error(input, path, error);
    if (damage->error == error && told->error == error && told->offset == damage->offset &&
        damage->offset != UINT64_MAX && strcmp(told->text, damage->text) == 0) {
        message(input->name, path, "damaged in the same place (at byte %" PRIu64 ")", damage->offset);
        return message_exit_code(error);
    }
    if (damage->error == error)
        input->told = *damage;
    return message_error(input->name, path, error, damage);
}

int input_error_again(struct input *input, const char *path, int error)
{
    struct memfs_detail damage = {.offset = UINT64_MAX};
    memfs_image_damage(input->image, &damage);
    return input_say_damage(input, path, error, &damage);
}

int input_file_error(struct input *input, const char *path, memfs_node node, uint64_t offset, int error)
{
    struct memfs_detail damage = {.offset = UINT64_MAX};
    if (message_is_of_image(error))
        memfs_image_file_damage(input->image, node, offset, &damage);
    return input_say_damage(input, path, error, &damage);
}

/* Whether somebody may have meant another image. */
static int is_image_name(const char *path)
{
    const size_t length = strlen(path);
    struct stat status;
    return length > 4 && strcmp(path + length - 4, ".mfs") == 0 && stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

int input_path_error(const struct input *input, const char *path, int error)
{
    switch (error) {
    case -ENOENT:
        message(input->name, path, "no such file or directory in the image%s",
                is_image_name(path) ? "; it is a file here: one image at a time" : "");
        return EXIT_INCOMPLETE;
    case -ENOTDIR:
    case -ELOOP:
    case -ENAMETOOLONG:
        input_error(input, path, error);
        return EXIT_INCOMPLETE;
    default:
        return input_error(input, path, error);
    }
}

void input_close(struct input *input)
{
    memfs_destroy(input->fs);
    memfs_image_close(input->image);
    buffer_free(&input->memory);
    if (input->is_held)
        close(input->fd);
    input->is_held = 0;
    input->fs = NULL;
    input->image = NULL;
}
