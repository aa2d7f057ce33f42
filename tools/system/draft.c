#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* renameat2(), O_PATH */
#endif
#include "system/draft.h"

#include "output/message.h"
#include "system/eintr.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRIES_MAX 100  /* temporary names that may be taken */
#define NAME_SHOWN 200 /* bytes of the name that stand in the temporary one */
#define NAME_MORE 32   /* bytes beside those */

/* Now: where the sandbox is entered there may be no way to it any more. All that follows is below this
 * descriptor, wherever the path leads by then. */
static int open_directory(struct draft *draft)
{
    const int length = (int)(draft->name - draft->path);
    char *directory = malloc((size_t)length + 2);
    if (!directory)
        return -ENOMEM;
    snprintf(directory, (size_t)length + 2, "%.*s.", length, draft->path);
    RETRY(draft->directory, open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    draft->is_readable = draft->directory >= 0;
    if (draft->directory < 0 && errno == EACCES)
        RETRY(draft->directory, open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC));
    const int error = draft->directory < 0 ? -errno : 0;
    free(directory);
    return error;
}

/* A name that nobody foresees, and so nobody takes before. */
static int open_named(struct draft *draft)
{
    const size_t room = NAME_SHOWN + NAME_MORE;
    int fd = -1;
    draft->temporary = malloc(room);
    if (!draft->temporary)
        return -ENOMEM;
    for (int try = 0; try < TRIES_MAX && fd < 0; try++) {
        snprintf(draft->temporary, room, ".%.*s.%08x.tmp", NAME_SHOWN, draft->name, (unsigned)randombytes_random());
        RETRY(fd, openat(draft->directory, draft->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        if (fd < 0 && errno != EEXIST)
            break;
    }
    draft->stream = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (draft->stream)
        return 0;
    const int error = fd >= 0 ? -ENOMEM : -errno;
    if (fd >= 0) {
        unlinkat(draft->directory, draft->temporary, 0);
        close(fd);
    }
    free(draft->temporary);
    draft->temporary = NULL;
    return error;
}

static int open_temporary(struct draft *draft)
{
    const char *slash = strrchr(draft->path, '/');
    draft->name = slash ? slash + 1 : draft->path;
    const int error = open_directory(draft);
    return error ? error : open_named(draft);
}

int draft_open(struct draft *draft, const char *path, int replace)
{
    *draft = (struct draft){.path = path, .directory = -1, .replace = replace};
    const int code = place_find(&draft->place, path, replace, 0666, NULL, "-f replaces it");
    if (code != EXIT_DONE)
        return code;
    int result = path[0] == '\0' ? -ENOENT : path[strlen(path) - 1] == '/' ? -EISDIR : open_temporary(draft);
    if (result == 0)
        return EXIT_DONE;
    draft_discard(draft);
    return message_error(path, NULL, result, NULL);
}

static int sync_fd(int fd)
{
    int failed;
    RETRY(failed, fsync(fd));
    return failed;
}

/* Before it gets its name: what was there is not to be replaced by a file that is not on the disk. */
static int close_stream(struct draft *draft, int failed)
{
    if (failed == 0 && fflush(draft->stream) != 0)
        failed = errno;
    if (failed == 0 && fchmod(fileno(draft->stream), (mode_t)draft->place.mode) != 0)
        failed = errno;
    if (failed == 0 && sync_fd(fileno(draft->stream)) != 0)
        failed = errno;
    if (fclose(draft->stream) != 0 && failed == 0 && errno != EINTR)
        failed = errno;
    draft->stream = NULL;
    return -failed;
}

static int rename_new(const struct draft *draft)
{
#ifdef RENAME_NOREPLACE
    return renameat2(draft->directory, draft->temporary, draft->directory, draft->name, RENAME_NOREPLACE);
#else
    (void)draft;
    errno = ENOSYS;
    return -1;
#endif
}

static void remove_temporary(const struct draft *draft)
{
    if (unlinkat(draft->directory, draft->temporary, 0) != 0 && errno != ENOENT)
        message(draft->path, NULL, "its temporary file %s could not be removed: %s", draft->temporary,
                memfs_strerror(-errno));
}

/* Where neither this nor links can be had, what appeared meanwhile is replaced. */
static int give_name(struct draft *draft)
{
    int renamed = !draft->replace && rename_new(draft) == 0;
    if (!draft->replace && !renamed) {
        if (errno != EEXIST && linkat(draft->directory, draft->temporary, draft->directory, draft->name, 0) == 0) {
            remove_temporary(draft);
            renamed = 1;
        } else if (errno == EEXIST) {
            return -EEXIST;
        }
    }
    if (!renamed && renameat(draft->directory, draft->temporary, draft->directory, draft->name) != 0)
        return -errno;
    free(draft->temporary);
    draft->temporary = NULL;
    return 0;
}

/* Not all hosts can. */
static int sync_directory(const struct draft *draft)
{
    return !draft->is_readable || sync_fd(draft->directory) == 0 || errno == EINVAL ? 0 : -errno;
}

int draft_publish(struct draft *draft, int failed)
{
    int result = close_stream(draft, failed);
    if (result == 0)
        result = give_name(draft);
    const int unsynced = result == 0 ? sync_directory(draft) : 0;
    draft_discard(draft);
    if (unsynced == 0)
        return result == 0 ? EXIT_DONE : message_error(draft->path, NULL, result, NULL);
    message(draft->path, NULL, "is in place, but its directory cannot be synced: %s", memfs_strerror(unsynced));
    return EXIT_FAILED;
}

void draft_discard(struct draft *draft)
{
    if (draft->stream)
        fclose(draft->stream);
    if (draft->temporary)
        remove_temporary(draft);
    if (draft->path && draft->directory >= 0)
        close(draft->directory);
    free(draft->temporary);
    *draft = (struct draft){.path = draft->path, .directory = -1};
}
