#define _GNU_SOURCE
#include "host_scan_ahead.h"

#include "host_trail.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define OPEN_MOST 64u      /* descriptors of directories above those that wait, and at most */
#define OPEN_SHARE 8u      /* such a part of those that there may be */
#define WINDOW 64u         /* directories that are listed, or being listed */
#define NAMES_MOST 1024u   /* of one of them: a larger one is not listed ahead */
#define LISTED_MOST 65536u /* names of all that are listed, some 200 bytes each; the window may bring as many more */
#define COUNT_MOST 16384u  /* directories that are known to come, half a KiB each */

/* ---- Listing: on any thread ------------------------------------------------------- */

static void see(struct memfs_scan_listing *listing, int fd, const char *name, struct memfs_scan_seen *seen, int *mute)
{
    struct memfs_scan_xattrs *xattrs = listing->ahead->xattrs;
    *seen = (struct memfs_scan_seen){.error = 0};
    if (fstatat(fd, name, &seen->stat, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT)) {
        seen->error = -errno;
        return;
    }
    const int is_of_device = seen->stat.st_dev == listing->stat.st_dev;
    if (!xattrs || (*mute && is_of_device))
        return;
    const enum memfs_scan_has has = memfs_scan_xattrs_ask(xattrs, fd, name, &seen->stat);
    seen->has_xattrs = has == MEMFS_SCAN_HAS_ANY;
    *mute |= has == MEMFS_SCAN_HAS_MUTE && is_of_device;
}

static int list_open(struct memfs_scan_listing *listing, int fd, void *buffer)
{
    struct memfs_scan_ahead *ahead = listing->ahead;
    int mute = 0;
    if (fstat(fd, &listing->stat))
        return -errno;
    int error = memfs_scan_names_read(&listing->names, fd, buffer, NAMES_MOST);
    memfs_scan_names_trim(&listing->names);
    if (error || !listing->names.count)
        return error;
    listing->seen = memfs_alloc_array(&ahead->allocator, listing->names.count, sizeof *listing->seen);
    if (!listing->seen)
        return -ENOMEM;
    listing->seen_count = listing->names.count;
    for (size_t i = 0; i < listing->seen_count; i++)
        see(listing, fd, memfs_scan_names_text(&listing->names, i), &listing->seen[i], &mute);
    return 0;
}

static int list(struct memfs_scan_listing *listing, void *buffer)
{
    int fd = memfs_host_open_directory(listing->above->fd, listing->name);
    if (fd < 0)
        return fd;
    int error = list_open(listing, fd, buffer);
    close(fd);
    if (error) /* it may be long until the walk comes */
        memfs_scan_names_free(&listing->names);
    return error;
}

static void leave_above(struct memfs_scan_ahead *ahead, struct memfs_scan_above **above)
{
    if (*above && atomic_fetch_sub(&(*above)->users, 1) == 1) {
        close((*above)->fd);
        memfs_free(&ahead->allocator, *above, sizeof **above);
        atomic_fetch_sub(&ahead->open, 1);
    }
    *above = NULL;
}

static void run_listing(struct memfs_job *work, unsigned worker)
{
    struct memfs_scan_listing *listing = (struct memfs_scan_listing *)work;
    listing->error = list(listing, listing->ahead->buffers + worker * MEMFS_SCAN_NAMES_BUFFER);
    leave_above(listing->ahead, &listing->above);
    atomic_fetch_add(&listing->ahead->listed, listing->seen_count);
}

/* ---- Life ---------------------------------------------------------------------------- */

static unsigned choose_open_most(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur / OPEN_SHARE > OPEN_MOST)
        return OPEN_MOST;
    return (unsigned)(limit.rlim_cur / OPEN_SHARE);
}

void memfs_scan_ahead_begin(struct memfs_scan_ahead *ahead, const struct memfs_allocator *allocator, unsigned threads,
                            struct memfs_scan_xattrs *xattrs)
{
    *ahead = (struct memfs_scan_ahead){.allocator = *allocator, .xattrs = xattrs, .open_most = choose_open_most()};
    if (threads < 2 || memfs_pool_create(allocator, threads, &ahead->pool) != 0)
        return;
    ahead->buffers = memfs_alloc_array(allocator, memfs_pool_threads(ahead->pool), MEMFS_SCAN_NAMES_BUFFER);
    if (!ahead->buffers)
        memfs_scan_ahead_end(ahead);
}

static void free_listing(struct memfs_scan_ahead *ahead, struct memfs_scan_listing *listing)
{
    leave_above(ahead, &listing->above);
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
    leave_above(ahead, &ahead->above);
    memfs_free(&ahead->allocator, ahead->buffers, memfs_pool_threads(ahead->pool) * MEMFS_SCAN_NAMES_BUFFER);
    memfs_pool_destroy(ahead->pool);
    *ahead = (struct memfs_scan_ahead){.pool = NULL};
}

/* ---- The walk's side -------------------------------------------------------------------- */

/* The descriptor by which all directories that are added are opened; NULL if there is none. */
static struct memfs_scan_above *hold_parent(struct memfs_scan_ahead *ahead, int parent)
{
    struct memfs_scan_above *above = ahead->above;
    if (above || atomic_load(&ahead->open) >= ahead->open_most)
        return above;
    above = memfs_alloc_zeroed(&ahead->allocator, sizeof *above);
    if (!above)
        return NULL;
    above->fd = fcntl(parent, F_DUPFD_CLOEXEC, 0);
    if (above->fd < 0) {
        memfs_free(&ahead->allocator, above, sizeof *above);
        return NULL;
    }
    atomic_store(&above->users, 1);
    atomic_fetch_add(&ahead->open, 1);
    return ahead->above = above;
}

void memfs_scan_ahead_add(struct memfs_scan_ahead *ahead, uint32_t directory, int parent, const char *name,
                          size_t length)
{
    if (!ahead->pool || ahead->count >= COUNT_MOST)
        return;
    struct memfs_scan_above *above = hold_parent(ahead, parent);
    struct memfs_scan_listing *listing = above ? memfs_alloc_zeroed(&ahead->allocator, sizeof *listing) : NULL;
    if (!listing)
        return;
    assert(length < sizeof listing->name);
    atomic_fetch_add(&above->users, 1);
    ahead->count++;
    listing->work.run = run_listing;
    listing->ahead = ahead;
    listing->directory = directory;
    listing->above = above;
    memcpy(listing->name, name, length);
    memfs_scan_names_init(&listing->names, &ahead->allocator);
    listing->next = ahead->added;
    ahead->added = listing;
}

/* Hands to the pool what the window has come to: what is new in front before all that waits there, the rest behind. */
static void hand_out(struct memfs_scan_ahead *ahead)
{
    struct memfs_scan_listing *front[WINDOW], *listing = ahead->first;
    size_t seen = 0, count = 0;
    if (atomic_load(&ahead->listed) >= LISTED_MOST)
        return;
    for (; listing && !listing->submitted && seen < WINDOW; listing = listing->next, seen++)
        front[count++] = listing;
    for (; listing && seen < WINDOW; listing = listing->next, seen++) {
        if (!listing->submitted)
            memfs_pool_submit(ahead->pool, &listing->work, 1);
        listing->submitted = 1;
    }
    while (count > 0) {
        front[--count]->submitted = 1;
        memfs_pool_submit_first(ahead->pool, &front[count]->work);
    }
}

void memfs_scan_ahead_submit(struct memfs_scan_ahead *ahead)
{
    leave_above(ahead, &ahead->above);
    while (ahead->added) {
        struct memfs_scan_listing *last = ahead->added;
        ahead->added = last->next;
        last->next = ahead->first;
        ahead->first = last;
    }
    if (ahead->pool)
        hand_out(ahead);
}

/* A directory whose names are what they were when it was listed. */
static int is_unchanged(const struct stat *then, const struct stat *now)
{
    return then->st_dev == now->st_dev && then->st_ino == now->st_ino && then->st_ctim.tv_sec == now->st_ctim.tv_sec &&
           then->st_ctim.tv_nsec == now->st_ctim.tv_nsec;
}

struct memfs_scan_listing *memfs_scan_ahead_take(struct memfs_scan_ahead *ahead, uint32_t directory,
                                                 const struct stat *stat)
{
    struct memfs_scan_listing *listing = ahead->first;
    if (!listing || listing->directory != directory)
        return NULL;
    ahead->first = listing->next;
    if (listing->submitted)
        memfs_pool_wait(ahead->pool, &listing->work);
    if (listing->submitted && !listing->error && is_unchanged(&listing->stat, stat))
        return listing;
    memfs_scan_ahead_give(ahead, listing);
    return NULL;
}

void memfs_scan_ahead_give(struct memfs_scan_ahead *ahead, struct memfs_scan_listing *listing)
{
    if (!listing)
        return;
    ahead->count--;
    atomic_fetch_sub(&ahead->listed, listing->seen_count);
    free_listing(ahead, listing);
}

/* Takes out of a list what has not been tried. */
static void drop_untried(struct memfs_scan_ahead *ahead, struct memfs_scan_listing **link)
{
    while (*link) {
        struct memfs_scan_listing *listing = *link;
        if (listing->above) {
            *link = listing->next;
            memfs_scan_ahead_give(ahead, listing);
        } else {
            link = &listing->next;
        }
    }
}

int memfs_scan_ahead_settle(struct memfs_scan_ahead *ahead)
{
    if (!ahead->pool)
        return 0;
    memfs_pool_drain(ahead->pool);
    drop_untried(ahead, &ahead->first);
    drop_untried(ahead, &ahead->added);
    leave_above(ahead, &ahead->above);
    ahead->open_most = 0;
    return 1;
}
