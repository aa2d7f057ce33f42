#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* renameat2() */
#endif
#include "system/draft.h"

#include "output/message.h"
#include "system/eintr.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRIES_MAX 100  /* temporary names that may be taken */
#define NAME_SHOWN 200 /* bytes of the name that stand in the temporary one */
#define NAME_MORE 48   /* bytes beside those */

/* May there be a file of this name, and which permissions shall it have? 0: the umask's. */
static int check_place(const struct draft *draft, mode_t *mode)
{
    struct stat status;
    *mode = 0;
    if (lstat(draft->path, &status) != 0)
        return EXIT_DONE; /* if it cannot be, opening it will tell */
    if (!S_ISREG(status.st_mode)) {
        message(draft->path, NULL, "exists and is no regular file; name another, or '-' for standard output");
        return EXIT_FAILED;
    }
    if (!draft->replace) {
        message(draft->path, NULL, "exists; -f replaces it");
        return EXIT_FAILED;
    }
    *mode = status.st_mode & 0777u;
    if (*mode == 0)
        *mode = 0600; /* 0 would ask for the default */
    return EXIT_DONE;
}

static int open_temporary(struct draft *draft)
{
    const char *slash = strrchr(draft->path, '/');
    const int directory = slash ? (int)(slash + 1 - draft->path) : 0;
    const size_t room = strlen(draft->path) + NAME_MORE;
    draft->temporary = malloc(room);
    if (!draft->temporary)
        return -ENOMEM;
    for (int try = 0; try < TRIES_MAX; try++) {
        snprintf(draft->temporary, room, "%.*s.%.*s.%ld-%d.tmp", directory, draft->path, NAME_SHOWN,
                 draft->path + directory, (long)getpid(), try);
        int fd;
        RETRY(fd, open(draft->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
        if (fd >= 0) {
            draft->stream = fdopen(fd, "w");
            return draft->stream ? 0 : -ENOMEM;
        }
        if (errno != EEXIST)
            break;
    }
    const int error = -errno;
    free(draft->temporary);
    draft->temporary = NULL;
    return error;
}

int draft_open(struct draft *draft, const char *path, int replace)
{
    mode_t mode;
    *draft = (struct draft){.path = path, .replace = replace};
    const int code = check_place(draft, &mode);
    if (code != EXIT_DONE)
        return code;
    int result = path[0] == '\0' ? -ENOENT : path[strlen(path) - 1] == '/' ? -EISDIR : open_temporary(draft);
    if (result == 0 && mode != 0 && fchmod(fileno(draft->stream), mode) != 0)
        result = -errno;
    if (result == 0)
        return EXIT_DONE;
    draft_discard(draft);
    return message_error(path, NULL, result, NULL);
}

/* Before it gets its name: what was there is not to be replaced by a file that is not on the disk. */
static int sync_stream(FILE *stream)
{
    int failed;
    RETRY(failed, fsync(fileno(stream)));
    return failed;
}

static int close_stream(struct draft *draft, int failed)
{
    if (failed == 0 && fflush(draft->stream) != 0)
        failed = errno;
    if (failed == 0 && sync_stream(draft->stream) != 0)
        failed = errno;
    if (fclose(draft->stream) != 0 && failed == 0 && errno != EINTR)
        failed = errno;
    draft->stream = NULL;
    return -failed;
}

static int rename_new(const struct draft *draft)
{
#ifdef RENAME_NOREPLACE
    return renameat2(AT_FDCWD, draft->temporary, AT_FDCWD, draft->path, RENAME_NOREPLACE);
#else
    (void)draft;
    errno = ENOSYS;
    return -1;
#endif
}

/* Where neither this nor links can be had, what appeared meanwhile is replaced. */
static int give_name(struct draft *draft)
{
    int renamed = !draft->replace && rename_new(draft) == 0;
    if (!draft->replace && !renamed) {
        if (errno != EEXIST && link(draft->temporary, draft->path) == 0)
            return 0;
        if (errno == EEXIST)
            return -EEXIST;
    }
    if (!renamed && rename(draft->temporary, draft->path) != 0)
        return -errno;
    free(draft->temporary);
    draft->temporary = NULL;
    return 0;
}

int draft_publish(struct draft *draft, int failed)
{
    int result = close_stream(draft, failed);
    if (result == 0)
        result = give_name(draft);
    draft_discard(draft);
    return result == 0 ? EXIT_DONE : message_error(draft->path, NULL, result, NULL);
}

static void remove_temporary(const struct draft *draft)
{
    if (unlink(draft->temporary) != 0 && errno != ENOENT)
        message(draft->path, NULL, "its temporary file %s could not be removed: %s", draft->temporary,
                memfs_strerror(-errno));
}

void draft_discard(struct draft *draft)
{
    if (draft->stream)
        fclose(draft->stream);
    if (draft->temporary)
        remove_temporary(draft);
    free(draft->temporary);
    draft->temporary = NULL;
    draft->stream = NULL;
}
