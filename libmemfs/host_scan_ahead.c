#define _GNU_SOURCE
#include "host_scan_ahead.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define OPEN_MOST 128u      /* descriptors of directories that wait to be listed */
#define NAMES_MOST 1024u    /* of one directory: a larger one is not listed ahead */
#define WAITING_MOST 16384u /* of all: with their stats some 4 MiB */

/* ---- Listing: on any thread ------------------------------------------------------- */

static void see(struct memfs_scan_listing *listing, const char *name, struct memfs_scan_seen *seen, int *mute)
{
    struct memfs_scan_xattrs *xattrs = listing->ahead->xattrs;
    *seen = (struct memfs_scan_seen){.error = 0};
    if (fstatat(listing->fd, name, &seen->stat, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT))
        seen->error = -errno;
    else if (xattrs && !(*mute && seen->stat.st_dev == listing->stat.st_dev))
        seen->has_xattrs = memfs_scan_xattrs_has_any(xattrs, listing->fd, name, &seen->stat, mute);
}

static int list(struct memfs_scan_listing *listing, void *buffer)
{
    struct memfs_scan_ahead *ahead = listing->ahead;
    int mute = 0;
    if (fstat(listing->fd, &listing->stat))
        return -errno;
    int error = memfs_scan_names_read(&listing->names, listing->fd, buffer, NAMES_MOST);
    if (error || !listing->names.count)
        return error;
    listing->seen = memfs_alloc_array(&ahead->allocator, listing->names.count, sizeof *listing->seen);
    if (!listing->seen)
        return -ENOMEM;
    listing->seen_count = listing->names.count;
    for (size_t i = 0; i < listing->seen_count; i++)
        see(listing, memfs_scan_names_text(&listing->names, i), &listing->seen[i], &mute);
    return 0;
}

static void close_listed(struct memfs_scan_listing *listing)
{
    if (listing->fd < 0)
        return;
    close(listing->fd);
    listing->fd = -1;
    atomic_fetch_sub(&listing->ahead->open, 1);
}

static void run_listing(struct memfs_job *work, unsigned worker)
{
    struct memfs_scan_listing *listing = (struct memfs_scan_listing *)work;
    listing->error = list(listing, listing->ahead->buffers + worker * MEMFS_SCAN_NAMES_BUFFER);
    close_listed(listing);
    atomic_fetch_add(&listing->ahead->waiting, listing->seen_count);
}

/* ---- Life ---------------------------------------------------------------------------- */

int memfs_scan_ahead_begin(struct memfs_scan_ahead *ahead, const struct memfs_allocator *allocator, unsigned threads,
                           struct memfs_scan_xattrs *xattrs)
{
    *ahead = (struct memfs_scan_ahead){.allocator = *allocator, .xattrs = xattrs};
    if (threads < 2)
        return 0;
    int error = memfs_pool_create(allocator, threads, &ahead->pool);
    if (error)
        return error;
    ahead->buffers = memfs_alloc_array(allocator, memfs_pool_threads(ahead->pool), MEMFS_SCAN_NAMES_BUFFER);
    return ahead->buffers ? 0 : -ENOMEM;
}

static void free_listing(struct memfs_scan_ahead *ahead, struct memfs_scan_listing *listing)
{
    close_listed(listing);
    memfs_scan_names_free(&listing->names);
    memfs_free(&ahead->allocator, listing->seen, listing->seen_count * sizeof *listing->seen);
    memfs_free(&ahead->allocator, listing, sizeof *listing);
}

static void free_listings(struct memfs_scan_ahead *ahead, struct memfs_scan_listing *listing)
{
    while (listing) {
        struct memfs_scan_listing *next = listing->next;
        free_listing(ahead, listing);
        listing = next;
    }
}

void memfs_scan_ahead_end(struct memfs_scan_ahead *ahead)
{
    if (!ahead->pool)
        return;
    memfs_pool_drain(ahead->pool);
    free_listings(ahead, ahead->first);
    free_listings(ahead, ahead->added);
    memfs_free(&ahead->allocator, ahead->buffers, memfs_pool_threads(ahead->pool) * MEMFS_SCAN_NAMES_BUFFER);
    memfs_pool_destroy(ahead->pool);
    *ahead = (struct memfs_scan_ahead){.pool = NULL};
}

/* ---- The walk's side -------------------------------------------------------------------- */

void memfs_scan_ahead_add(struct memfs_scan_ahead *ahead, uint32_t directory, int fd)
{
    struct memfs_scan_listing *listing = NULL;
    if (ahead->pool && atomic_load(&ahead->open) < OPEN_MOST && atomic_load(&ahead->waiting) < WAITING_MOST)
        listing = memfs_alloc_zeroed(&ahead->allocator, sizeof *listing);
    if (!listing) {
        close(fd);
        return;
    }
    listing->work.run = run_listing;
    listing->ahead = ahead;
    listing->directory = directory;
    listing->fd = fd;
    memfs_scan_names_init(&listing->names, &ahead->allocator);
    listing->next = ahead->added;
    ahead->added = listing;
    atomic_fetch_add(&ahead->open, 1);
    atomic_fetch_add(&ahead->waiting, 1);
}

void memfs_scan_ahead_submit(struct memfs_scan_ahead *ahead)
{
    while (ahead->added) {
        struct memfs_scan_listing *last = ahead->added;
        ahead->added = last->next;
        last->next = ahead->first;
        ahead->first = last;
        memfs_pool_submit_first(ahead->pool, &last->work);
    }
}

struct memfs_scan_listing *memfs_scan_ahead_take(struct memfs_scan_ahead *ahead, uint32_t directory,
                                                 const struct stat *stat)
{
    struct memfs_scan_listing *listing = ahead->first;
    if (!listing || listing->directory != directory)
        return NULL;
    memfs_pool_wait(ahead->pool, &listing->work);
    ahead->first = listing->next;
    if (!listing->error && listing->stat.st_dev == stat->st_dev && listing->stat.st_ino == stat->st_ino)
        return listing;
    memfs_scan_ahead_give(ahead, listing);
    return NULL;
}

void memfs_scan_ahead_give(struct memfs_scan_ahead *ahead, struct memfs_scan_listing *listing)
{
    if (!listing)
        return;
    atomic_fetch_sub(&ahead->waiting, listing->seen_count + 1);
    free_listing(ahead, listing);
}

int memfs_scan_ahead_settle(struct memfs_scan_ahead *ahead)
{
    if (!ahead->pool || atomic_load(&ahead->open) == 0)
        return 0;
    memfs_pool_drain(ahead->pool);
    struct memfs_scan_listing **lists[] = {&ahead->first, &ahead->added};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        for (struct memfs_scan_listing **link = lists[i]; *link;) {
            struct memfs_scan_listing *listing = *link;
            if (listing->fd < 0) {
                link = &listing->next;
                continue;
            }
            *link = listing->next;
            memfs_scan_ahead_give(ahead, listing);
        }
    }
    return 1;
}
