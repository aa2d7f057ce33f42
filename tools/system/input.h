/*
 * The image that a subcommand reads: a file, or standard input.
 */
#ifndef MEMFS_TOOLS_INPUT_H
#define MEMFS_TOOLS_INPUT_H

#include "memfs_image.h"
#include "system/buffer.h"

#include <limits.h>

/* Zeroed: nothing is open. */
struct input {
    const char *name; /* for messages */
    memfs_image *image;
    memfs *fs; /* standing on it; NULL unless asked for */
    struct buffer memory;
    int is_held, fd;          /* the file is open, and which */
    struct memfs_detail told; /* the damage that input_say_damage() said last; error 0: none */
};

/* Whether a file begins as an image does: 1, 0, or -ENOMEM. No more of it is read. */
int input_begins_image(const char *name);

/* Opens the file of the image name, "-" for standard input, and reads nothing of it: what is not
 * needed any more is to be given up first. EXIT_DONE, or says what is wrong. */
int input_hold(struct input *input, const char *name);

/* The same for several images that are read one after the other, and gives up what is not needed any more: the images
 * are those that had the names at the beginning, whatever has replaced them when their turn comes. Some may be missing:
 * input_hold_opened() says so. *files is by number what that takes, and to be freed, also after a failure. Of more than
 * half of the descriptors that there may be, the rest is opened by name later: for these, reading their directories
 * stays allowed. */
#define INPUT_UNOPENED INT_MIN
int input_open_several(char **names, int count, int **files);
int input_hold_opened(struct input *input, const char *name, int file);

/* Opens the image in it, and with with_fs makes a filesystem on it, for which no
 * more than --max-decoded is decoded. The same. */
int input_read(struct input *input, int with_fs);

/* Both, and between them gives up everything but reading what is open (see sandbox.h): for
 * subcommands that need no more. */
int input_open(struct input *input, const char *name, int with_fs);

/* What is at path: of a symbolic link to a directory that directory, unless itself; else the link. */
int input_find(const struct input *input, const char *path, int itself, struct memfs_stat *stat);

/* How much may be decoded of it: as --max-decoded says, or its default. */
uint64_t input_decoded_max(const struct input *input);

/* Whether an error of reading says that --max-decoded, or its default, is spent. */
int input_is_spent(const struct input *input, int error);

/* Whether an error of reading comes of the image's file, which is shorter than when it was opened. */
int input_is_cut(const struct input *input, int error);

/* Says that an operation on the image failed, with the damage that was met if
 * that is why. Returns the exit code. */
int input_error(const struct input *input, const char *path, int error);

/* The same in a word, if the damage is what was told last. */
int input_error_again(struct input *input, const char *path, int error);

/* The same for a regular file that cannot be read from offset on: what is wrong with this one. */
int input_file_error(struct input *input, const char *path, memfs_node node, uint64_t offset, int error);
/* The same where that is known already. Many files have parts in one block: of the second it is
 * said in a word. */
int input_say_damage(struct input *input, const char *path, int error, const struct memfs_detail *damage);

/* The same for a path that was looked for: EXIT_INCOMPLETE where it is not there. */
int input_path_error(const struct input *input, const char *path, int error);

void input_close(struct input *input);

#endif
