#define _GNU_SOURCE
#include "host_scan_trails.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int memfs_scan_trails_init(struct memfs_scan_trails *trails, struct memfs_host_trail *first)
{
    *trails = (struct memfs_scan_trails){.count = 0};
    int error = pthread_mutex_init(&trails->lock, NULL);
    if (error)
        return -error;
    error = pthread_cond_init(&trails->changed, NULL);
    if (error) {
        pthread_mutex_destroy(&trails->lock);
        return -error;
    }
    trails->free[0] = trails->made[0] = first;
    trails->count = trails->idle = 1;
    return 0;
}

static void free_trail(struct memfs_host_trail *trail)
{
    const struct memfs_allocator allocator = trail->allocator;
    memfs_host_trail_end(trail);
    memfs_free(&allocator, trail, sizeof *trail);
}

void memfs_scan_trails_end(struct memfs_scan_trails *trails)
{
    if (!trails->count)
        return;
    for (size_t i = 1; i < trails->count; i++)
        free_trail(trails->made[i]);
    pthread_cond_destroy(&trails->changed);
    pthread_mutex_destroy(&trails->lock);
    trails->count = 0;
}

/* One more, from the root; NULL if there is no memory, or no descriptor. */
static struct memfs_host_trail *make_trail(const struct memfs_host_trail *first)
{
    int fd = fcntl(first->root, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return NULL;
    struct memfs_host_trail *trail = memfs_alloc(&first->allocator, sizeof *trail);
    if (trail && !memfs_host_trail_begin(trail, &first->allocator, first->tree, fd))
        return trail;
    memfs_free(&first->allocator, trail, sizeof *trail);
    close(fd);
    return NULL;
}

/* Directories have numbers in the order in which they are met, so that the nearest number is mostly the
 * shortest way. Threads that took any would take each other's, and go to and fro. */
static struct memfs_host_trail *take_nearest(struct memfs_scan_trails *trails, uint32_t directory)
{
    size_t best = 0;
    uint32_t least = UINT32_MAX;
    for (size_t i = 0; i < trails->idle; i++) {
        const uint32_t at = trails->free[i]->at, away = at > directory ? at - directory : directory - at;
        if (away <= least) {
            least = away;
            best = i;
        }
    }
    struct memfs_host_trail *trail = trails->free[best];
    trails->free[best] = trails->free[--trails->idle];
    return trail;
}

/* Waits for an idle one, if no more can be had: there is always one at least. */
struct memfs_host_trail *memfs_scan_trails_enter(struct memfs_scan_trails *trails, uint32_t directory)
{
    struct memfs_host_trail *trail = NULL;
    pthread_mutex_lock(&trails->lock);
    while (trails->alone)
        pthread_cond_wait(&trails->changed, &trails->lock);
    if (!trails->idle && trails->count < MEMFS_SCAN_TRAILS && (trail = make_trail(trails->made[0])) != NULL)
        trails->made[trails->count++] = trail;
    while (!trail && (!trails->idle || trails->alone))
        pthread_cond_wait(&trails->changed, &trails->lock);
    if (!trail)
        trail = take_nearest(trails, directory);
    trails->inside++;
    pthread_mutex_unlock(&trails->lock);
    return trail;
}

void memfs_scan_trails_give(struct memfs_scan_trails *trails, struct memfs_host_trail *trail)
{
    pthread_mutex_lock(&trails->lock);
    trails->free[trails->idle++] = trail;
    pthread_cond_broadcast(&trails->changed);
    pthread_mutex_unlock(&trails->lock);
}

void memfs_scan_trails_stay(struct memfs_scan_trails *trails)
{
    pthread_mutex_lock(&trails->lock);
    while (trails->alone)
        pthread_cond_wait(&trails->changed, &trails->lock);
    trails->inside++;
    pthread_mutex_unlock(&trails->lock);
}

void memfs_scan_trails_leave(struct memfs_scan_trails *trails)
{
    pthread_mutex_lock(&trails->lock);
    trails->inside--;
    if (trails->alone)
        pthread_cond_broadcast(&trails->changed);
    pthread_mutex_unlock(&trails->lock);
}

static void forget(struct memfs_scan_trails *trails, const struct memfs_host_trail *trail)
{
    size_t at = 1;
    while (trails->made[at] != trail)
        at++;
    trails->made[at] = trails->made[--trails->count];
}

/* All but the first, which lets go of what it need not hold. */
static void close_idle(struct memfs_scan_trails *trails)
{
    struct memfs_host_trail *first = trails->made[0];
    const size_t idle = trails->idle;
    trails->idle = 0;
    for (size_t i = 0; i < idle; i++) {
        struct memfs_host_trail *trail = trails->free[i];
        if (trail == first) {
            memfs_host_trail_retry(first, -EMFILE);
            trails->free[trails->idle++] = first;
        } else {
            forget(trails, trail);
            free_trail(trail);
        }
    }
}

struct memfs_host_trail *memfs_scan_trails_begin_alone(struct memfs_scan_trails *trails, struct memfs_host_trail *trail)
{
    pthread_mutex_lock(&trails->lock);
    trails->free[trails->idle++] = trail;
    trails->inside--; /* two that want to be alone do not wait for each other */
    pthread_cond_broadcast(&trails->changed);
    while (trails->alone)
        pthread_cond_wait(&trails->changed, &trails->lock);
    trails->alone = 1;
    while (trails->inside)
        pthread_cond_wait(&trails->changed, &trails->lock);
    close_idle(trails);
    trail = trails->free[--trails->idle];
    pthread_mutex_unlock(&trails->lock);
    return trail;
}

void memfs_scan_trails_end_alone(struct memfs_scan_trails *trails)
{
    pthread_mutex_lock(&trails->lock);
    trails->alone = 0;
    trails->inside++;
    pthread_cond_broadcast(&trails->changed);
    pthread_mutex_unlock(&trails->lock);
}
