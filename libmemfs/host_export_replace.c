#define _GNU_SOURCE
#include "host_export.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef RENAME_EXCHANGE /* a C library without renameat2() */
#include <linux/fs.h>
#include <sys/syscall.h>
#define renameat2(from, old, to, new, flags) (int)syscall(SYS_renameat2, from, old, to, new, flags)
#endif

#define TRIES 1000 /* temporary names are random: hardly one is taken */

void memfs_export_temporary_name(uint64_t number, char text[MEMFS_EXPORT_TEMPORARY])
{
    snprintf(text, MEMFS_EXPORT_TEMPORARY, ".memfs-%016" PRIx64, number);
}

/* ---- Making ------------------------------------------------------------------------ */

static int try_temporary(struct memfs_export_worker *worker, struct memfs_export_spot *spot, memfs_export_try *attempt,
                         const void *what)
{
    struct memfs_export *job = worker->job;
    int result = -EEXIST;
    for (int i = 0; i < TRIES && result == -EEXIST; i++) {
        uint64_t number = atomic_fetch_add(&job->temporary, 1);
        if (!number)
            continue;
        memfs_export_temporary_name(number, spot->text);
        result = attempt(worker, what, spot->text);
        if (result >= 0) {
            spot->name = spot->text;
            spot->temporary = number;
        }
    }
    return result;
}

int memfs_export_try_spot(struct memfs_export_worker *worker, struct memfs_export_spot *spot, memfs_export_try *attempt,
                          const void *what)
{
    struct stat stat;
    enum memfs_existing existing = worker->job->options.existing;
    int result = attempt(worker, what, spot->name);
    if (result != -EEXIST || existing == MEMFS_EXISTING_REFUSED)
        return result;
    if (fstatat(memfs_host_trail_fd(&worker->trail), spot->name, &stat, AT_SYMLINK_NOFOLLOW))
        return -errno;
    if (S_ISDIR(stat.st_mode))
        return -EISDIR;
    if (existing == MEMFS_EXISTING_REPLACED)
        return try_temporary(worker, spot, attempt, what);
    spot->skipped = 1;
    return result;
}

/* ---- Noting ------------------------------------------------------------------------ */

static int add_replacement(struct memfs_export_worker *worker, uint32_t directory, const struct memfs_dirent *entry,
                           const struct memfs_export_spot *spot, uint64_t ino)
{
    uint64_t name = 0;
    if (memfs_rows_put(&worker->names, entry->name, entry->name_length, &name))
        return -ENOMEM;
    struct memfs_export_replacement *record = memfs_rows_add(&worker->replacements);
    if (!record)
        return -ENOMEM;
    *record = (struct memfs_export_replacement){.name = name,
                                                .ino = ino,
                                                .temporary = spot->temporary,
                                                .directory = directory,
                                                .name_length = entry->name_length};
    return 0;
}

int memfs_export_except(struct memfs_export_worker *worker, uint32_t directory, const struct memfs_dirent *entry,
                        enum memfs_export_fate fate)
{
    struct memfs_export_exception *exception = memfs_rows_add(&worker->exceptions);
    if (!exception)
        return -ENOMEM;
    *exception = (struct memfs_export_exception){directory, fate, entry->cursor};
    return 0;
}

int memfs_export_note(struct memfs_export_worker *worker, uint32_t directory, const struct memfs_dirent *entry,
                      const struct memfs_export_spot *spot, uint64_t ino)
{
    struct memfs_exported *exported = &worker->exported;
    int error = 0;
    if (ino && spot->temporary)
        error = add_replacement(worker, directory, entry, spot, ino);
    if (!error && worker->job->options.made && (!ino || spot->temporary))
        error = memfs_export_except(worker, directory, entry,
                                    ino             ? MEMFS_EXPORT_REPLACES
                                    : spot->skipped ? MEMFS_EXPORT_SKIPPED
                                                    : MEMFS_EXPORT_MISSING);
    if (error)
        return memfs_export_fail(worker, directory, entry->name, error, "cannot be made");
    exported->files += ino && !spot->is_link;
    exported->links += ino && spot->is_link;
    exported->replaced += ino && spot->temporary;
    exported->skipped += (uint64_t)spot->skipped;
    return 0;
}

/* ---- Taking the place of what was there --------------------------------------------- */

/* One of the files, where it is, and its names there. */
struct place {
    const struct memfs_export *job;
    struct memfs_export_replacement *record;
    int fd;
    char name[MEMFS_NAME_MAX + 1];
    char temporary[MEMFS_EXPORT_TEMPORARY];
};

/* Goes there. */
static int find(struct memfs_export *job, struct memfs_export_worker *maker, uint64_t i, struct place *place)
{
    struct memfs_host_trail *trail = &job->workers[0].trail;
    struct memfs_export_replacement *record = memfs_rows_at(&maker->replacements, i);
    place->job = job;
    place->record = record;
    memcpy(place->name, memfs_rows_at(&maker->names, record->name), record->name_length);
    place->name[record->name_length] = '\0';
    memfs_export_temporary_name(record->temporary, place->temporary);
    int error = memfs_export_go(job, trail, record->directory);
    place->fd = memfs_host_trail_fd(trail);
    return error;
}

static int is_at(const struct place *place, const char *name)
{
    struct stat stat;
    return !fstatat(place->fd, name, &stat, AT_SYMLINK_NOFOLLOW) &&
           memfs_export_is_made(place->job, &stat, place->record->ino);
}

static int swap_names(const struct place *place)
{
    return renameat2(place->fd, place->temporary, place->fd, place->name, RENAME_EXCHANGE);
}

/* What was there gets the temporary name, so that it can be restored. Hosts that
 * cannot do that say EINVAL; if nothing is there any more, nothing is to be kept. */
static int exchange(struct place *place)
{
    struct stat stat;
    struct memfs_export_replacement *record = place->record;
    if (!is_at(place, place->temporary))
        return -ESTALE;
    if (!swap_names(place)) {
        record->is_exchanged = 1;
        int failed = fstatat(place->fd, place->temporary, &stat, AT_SYMLINK_NOFOLLOW);
        return failed ? -errno : S_ISDIR(stat.st_mode) ? -EISDIR : 0;
    }
    int lost = errno == EINVAL || errno == ENOSYS;
    if ((!lost && errno != ENOENT) || renameat(place->fd, place->temporary, place->fd, place->name))
        return -errno;
    record->is_final = (uint8_t)lost;
    return 0;
}

int memfs_export_replaces(const struct memfs_export *job)
{
    for (unsigned i = 0; i < job->worker_room; i++)
        if (job->workers[i].replacements.count)
            return 1;
    return 0;
}

/* ---- Which of them are to be left alone when all else is removed --------------------- */

static uint64_t hash(const struct memfs_export *job, const char *name, size_t length)
{
    return memfs_host_hash(job->seed, name, length);
}

/* While nothing has been replaced yet, since it needs memory. */
static int index_maker(struct memfs_export *job, unsigned n)
{
    const struct memfs_export_worker *maker = &job->workers[n];
    for (uint64_t i = 0; i < maker->replacements.count; i++) {
        const struct memfs_export_replacement *record = memfs_rows_at(&maker->replacements, i);
        uint32_t directory = memfs_export_host(job, record->directory);
        uint64_t key = hash(job, memfs_rows_at(&maker->names, record->name), record->name_length);
        if (!memfs_host_map_get(&job->replaced, directory, key) &&
            memfs_host_map_put(&job->replaced, directory, key, i * job->worker_room + n + 1))
            return memfs_host_fail(&job->report, record->directory, NULL, -ENOMEM, "cannot be put in its place");
    }
    return 0;
}

/* Its place would be empty. */
int memfs_export_stays(const struct memfs_export *job, uint32_t directory, const char *name, size_t length)
{
    uint64_t number = memfs_host_map_get(&job->replaced, directory, hash(job, name, length));
    if (!number)
        return 0;
    const struct memfs_export_worker *maker = &job->workers[(number - 1) % job->worker_room];
    const struct memfs_export_replacement *record =
        memfs_rows_at(&maker->replacements, (number - 1) / job->worker_room);
    return record->is_exchanged || record->is_final;
}

/* ---- All of them ----------------------------------------------------------------------- */

static int replace(struct memfs_export *job, struct memfs_export_worker *maker, uint64_t i)
{
    struct place place;
    int error = find(job, maker, i, &place);
    if (!error)
        error = exchange(&place);
    if (!error)
        return memfs_export_tell(&job->workers[0]);
    return memfs_host_fail(&job->report, place.record->directory, place.name, error,
                           error == -EISDIR                   ? memfs_export_in_the_way
                           : memfs_export_is_exchanged(error) ? memfs_export_exchanged
                                                              : "cannot be replaced");
}

int memfs_export_replace(struct memfs_export *job)
{
    int error = 0;
    for (unsigned n = 0; n < job->worker_room && !error; n++)
        error = index_maker(job, n);
    for (unsigned n = 0; n < job->worker_room && !error; n++)
        for (uint64_t i = 0; i < job->workers[n].replacements.count && !error; i++)
            error = replace(job, &job->workers[n], i);
    return error;
}

static int restore(struct memfs_export *job, struct memfs_export_worker *maker, uint64_t i)
{
    struct place place;
    int error = find(job, maker, i, &place);
    return !error && is_at(&place, place.name) && !swap_names(&place);
}

uint64_t memfs_export_restore(struct memfs_export *job)
{
    uint64_t kept = 0;
    for (unsigned n = 0; n < job->worker_room; n++) {
        struct memfs_export_worker *maker = &job->workers[n];
        for (uint64_t i = 0; i < maker->replacements.count; i++) {
            struct memfs_export_replacement *record = memfs_rows_at(&maker->replacements, i);
            if (record->is_exchanged && restore(job, maker, i))
                record->is_exchanged = 0;
            if (!record->is_exchanged && !record->is_final)
                continue;
            kept++;
        }
    }
    return kept;
}

int memfs_export_drop(struct memfs_export *job)
{
    struct place place;
    int first = 0;
    for (unsigned n = 0; n < job->worker_room; n++) {
        struct memfs_export_worker *maker = &job->workers[n];
        for (uint64_t i = 0; i < maker->replacements.count; i++) {
            int error = find(job, maker, i, &place);
            if (!place.record->is_exchanged)
                continue;
            if (!error && unlinkat(place.fd, place.temporary, 0))
                error = -errno;
            if (error && !first)
                first = memfs_host_fail(&job->report, place.record->directory, place.temporary, error,
                                        "was replaced, and cannot be removed");
        }
    }
    return first;
}
