#include "diff/unified.h"

#include "output/message.h"
#include "output/output.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIECE_BYTES ((size_t)1 << 20)
#define SHOWN_MOST ((uint64_t)64 << 20) /* bytes of a file: diff takes several times as much memory */
#define LOOK_BYTES 4096                 /* a NUL in here makes a file binary, for diff too */

extern char **environ;

/* ---- Copies -------------------------------------------------------------------------- */

const char *unified_directory(void)
{
    const char *dir = getenv("TMPDIR");
    return dir && dir[0] != '\0' ? dir : "/tmp";
}

/* A file that has no name any more. A negative errno. */
static int open_temporary(void)
{
    struct buffer name = {.data = NULL};
    int fd = buffer_append_text(&name, unified_directory());
    if (fd == 0)
        fd = buffer_append_text(&name, "/memfs-diff.XXXXXX");
    if (fd == 0) {
        fd = mkstemp(name.data);
        if (fd < 0)
            fd = -errno;
        else
            unlink(name.data);
    }
    buffer_free(&name);
    return fd;
}

static int write_all(int fd, const char *data, size_t length, uint64_t offset)
{
    while (length > 0) {
        const ssize_t written = pwrite(fd, data, length, (off_t)offset);
        if (written < 0 && errno != EINTR)
            return -errno;
        if (written > 0) {
            data += written;
            offset += (uint64_t)written;
            length -= (size_t)written;
        }
    }
    return 0;
}

/* All data; holes stay holes. *failed is set where it is the side that could not be read. */
static int copy(struct side *side, const struct memfs_stat *stat, int fd, int *failed)
{
    if (ftruncate(fd, (off_t)stat->size) != 0)
        return -errno;
    for (uint64_t offset = 0;;) {
        struct memfs_view view;
        const int64_t data = memfs_node_seek(side->fs, stat->node, offset, MEMFS_SEEK_DATA);
        if (data == -ENXIO)
            return 0;
        int result = data < 0 ? (int)data : memfs_node_view(side->fs, stat->node, (uint64_t)data, PIECE_BYTES, &view);
        if (result != 0) {
            *failed = 1;
            return result;
        }
        offset = (uint64_t)data + view.length;
        result = write_all(fd, view.data, view.length, (uint64_t)data);
        memfs_view_release(side->fs, &view);
        if (result != 0)
            return result;
    }
}

/* A descriptor of a copy, or -1: why has been said, and *code is what it comes to for all files. */
static int make_copy(struct side *side, const struct pair *pair, const struct memfs_stat *stat, int *code)
{
    int failed = 0, fd = open_temporary();
    if (fd >= 0) {
        int result = copy(side, stat, fd, &failed);
        if (result == 0)
            return fd;
        close(fd);
        fd = result;
    }
    if (failed)
        side_error(side, pair->path, fd);
    else
        message_error_hint("a temporary file for diff", NULL, fd, NULL, "TMPDIR says where they are made");
    *code = failed ? EXIT_DONE : EXIT_FAILED;
    return -1;
}

/* ---- Names ----------------------------------------------------------------------------- */

/* As git and patch(1) write and read names: those with odd characters in quotes. */
static int is_odd(unsigned char c)
{
    return c < ' ' || c >= 0177 || c == '"' || c == '\\';
}

static int append_label(struct buffer *label, const char *prefix, const struct pair *pair)
{
    int odd = 0;
    for (size_t i = 0; i < pair->path_length; i++)
        odd |= is_odd((unsigned char)pair->path[i]);
    int result = buffer_append_text(label, odd ? "\"" : "");
    if (result == 0)
        result = buffer_append_text(label, prefix);
    for (size_t i = 0; i < pair->path_length && result == 0; i++) {
        const unsigned char c = (unsigned char)pair->path[i];
        char text[5] = {(char)c, '\0'};
        if (c == '"' || c == '\\')
            snprintf(text, sizeof text, "\\%c", c);
        else if (is_odd(c))
            snprintf(text, sizeof text, "\\%03o", c);
        result = buffer_append_text(label, text);
    }
    if (result == 0) /* a tab says that a blank before it is the name's */
        result = buffer_append_text(label, odd ? "\"" : memchr(pair->path, ' ', pair->path_length) ? "\t" : "");
    return result;
}

/* ---- diff(1) ------------------------------------------------------------------------------ */

/* Signals of writing have been set to be ignored, which diff would inherit. */
static int spawn(char **argv, pid_t *child)
{
    posix_spawnattr_t attributes;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    sigaddset(&signals, SIGXFSZ);
    int error = posix_spawnattr_init(&attributes);
    if (error != 0)
        return error;
    posix_spawnattr_setsigdefault(&attributes, &signals);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    error = posix_spawnp(child, argv[0], NULL, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    return error;
}

static int run_diff(char **argv)
{
    pid_t child, ended;
    int status = 0;
    const int error = spawn(argv, &child);
    if (error == ENOENT) {
        message("diff", NULL, "is not installed, and -U needs it; without -U it is only said which files differ");
        return EXIT_FAILED;
    }
    if (error != 0)
        return message_error("diff", NULL, -error, NULL);
    do {
        ended = waitpid(child, &status, 0);
    } while (ended < 0 && errno == EINTR);
    if (WIFEXITED(status) && WEXITSTATUS(status) <= 1)
        return EXIT_DONE;
    return EXIT_FAILED; /* which diff has said, unless a signal ended it */
}

static int show_copies(const struct pair *pair, const int fds[2], uint64_t context, int colors)
{
    static char program[] = "diff", label[] = "--label", color[] = "--color=always", unified[] = "-U";
    char lines[24], files[2][32];
    struct buffer labels[2] = {{.data = NULL}, {.data = NULL}};
    int result = append_label(&labels[OLD], "a/", pair);
    if (result == 0)
        result = append_label(&labels[NEW], "b/", pair);
    snprintf(lines, sizeof lines, "%" PRIu64, context);
    for (int side = 0; side < 2; side++)
        snprintf(files[side], sizeof files[side], "/dev/fd/%d", fds[side]);
    char *argv[] = {program,    unified,    lines, label, labels[OLD].data, label, labels[NEW].data,
                    files[OLD], files[NEW], NULL,  NULL};
    if (colors)
        argv[9] = color;
    int code = result == 0 ? run_diff(argv) : message_error("diff", NULL, result, NULL);
    buffer_free(&labels[OLD]);
    buffer_free(&labels[NEW]);
    return code;
}

/* Whether a file begins as no text does; one that cannot be read does not. */
static int is_binary(const struct side *side, const struct memfs_stat *stat)
{
    char bytes[LOOK_BYTES];
    const int64_t got = memfs_node_read(side->fs, stat->node, 0, bytes, sizeof bytes);
    return got > 0 && memchr(bytes, '\0', (size_t)got) != NULL;
}

/* Whether it is too much for diff, which an image can make it at no cost. */
static int is_large(const struct memfs_stat *stat)
{
    return stat->size > SHOWN_MOST;
}

static void say_differ(const char *what, const struct pair *pair)
{
    output("%s files a/", what);
    output_name(pair->path, pair->path_length);
    output(" and b/");
    output_name(pair->path, pair->path_length);
    output(" differ\n");
}

int unified_show(struct side *const sides[2], const struct pair *pair, uint64_t context, int colors)
{
    int fds[2] = {-1, -1}, code = EXIT_DONE;
    if (is_binary(sides[OLD], &pair->stat[OLD]) || is_binary(sides[NEW], &pair->stat[NEW])) {
        say_differ("Binary", pair);
        return EXIT_DONE;
    }
    if (is_large(&pair->stat[OLD]) || is_large(&pair->stat[NEW])) {
        say_differ("Large", pair);
        return EXIT_DONE;
    }
    fds[OLD] = make_copy(sides[OLD], pair, &pair->stat[OLD], &code);
    if (fds[OLD] >= 0)
        fds[NEW] = make_copy(sides[NEW], pair, &pair->stat[NEW], &code);
    if (fds[NEW] >= 0 && !output_flush())
        code = show_copies(pair, fds, context, colors);
    for (int side = 0; side < 2; side++) {
        if (fds[side] >= 0)
            close(fds[side]);
    }
    return code;
}
