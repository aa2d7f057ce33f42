#include "hash/hashing.h"

#include "system/processors.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RING 256                     /* files under way */
#define PATHS_MOST ((size_t)1 << 20) /* bytes of their paths, unless it is one */
#define VIEW_MOST ((size_t)1 << 20)
#define WAIT_NANOSECONDS 100000000 /* between looks at progress and interrupts */

struct hashing {
    memfs *fs;
    memfs_image *image;
    struct hashing_options options;
    pthread_t threads[PROCESSORS_MAX];
    unsigned thread_count;
    pthread_mutex_t lock; /* binds all below it, but for what a thread works on, up to stop */
    pthread_cond_t added, done;
    struct hashing_file ring[RING];
    uint64_t first, next, end; /* not told yet; to be worked on; number of files */
    int ending;                /* no more will come */
    atomic_int stop;
    _Atomic(uint64_t) bytes;
    size_t path_bytes;
    uint64_t told;
};

/* ---- One file, in any thread -------------------------------------------------------------------- */

/* *offset is how far it got. */
static int read_file(struct hashing *hashing, memfs_node node, struct checksum *checksum, uint64_t *offset)
{
    for (*offset = 0;;) {
        struct memfs_view view;
        if (atomic_load(&hashing->stop))
            return -ECANCELED;
        const int result = memfs_node_view(hashing->fs, node, *offset, VIEW_MOST, &view);
        if (result != 0)
            return result;
        const size_t length = view.length;
        if (length > 0)
            checksum_add(checksum, view.data, length);
        memfs_view_release(hashing->fs, &view);
        if (length == 0)
            return 0;
        atomic_fetch_add(&hashing->bytes, length);
        *offset += length;
    }
}

static void hash_file(struct hashing *hashing, struct hashing_file *file)
{
    struct checksum checksum;
    file->detail.offset = UINT64_MAX;
    checksum_begin(&checksum, hashing->options.algorithm);
    uint64_t offset;
    file->error = read_file(hashing, file->node, &checksum, &offset);
    if (file->error && file->error != -ECANCELED)
        memfs_image_file_damage(hashing->image, file->node, offset, &file->detail);
    else
        file->digest_length = checksum_end(&checksum, file->digest);
}

static void *work(void *context)
{
    struct hashing *hashing = context;
    pthread_mutex_lock(&hashing->lock);
    for (;;) {
        while (hashing->next == hashing->end && !hashing->ending)
            pthread_cond_wait(&hashing->added, &hashing->lock);
        if (hashing->next == hashing->end)
            break;
        struct hashing_file *file = &hashing->ring[hashing->next++ % RING];
        pthread_mutex_unlock(&hashing->lock);
        hash_file(hashing, file);
        pthread_mutex_lock(&hashing->lock);
        file->done = 1;
        pthread_cond_signal(&hashing->done);
    }
    pthread_mutex_unlock(&hashing->lock);
    return NULL;
}

/* ---- In the thread that adds ------------------------------------------------------------------------ */

static void look_at_progress(struct hashing *hashing)
{
    struct memfs_progress progress = {.nodes = hashing->told, .bytes = atomic_load(&hashing->bytes)};
    progress.nodes_total = hashing->options.nodes_total;
    progress.bytes_total = hashing->options.bytes_total;
    if (hashing->options.progress(NULL, &progress))
        atomic_store(&hashing->stop, 1);
}

static void wait_for(struct hashing *hashing, const struct hashing_file *file)
{
    pthread_mutex_lock(&hashing->lock);
    while (!file->done) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += WAIT_NANOSECONDS;
        if (until.tv_nsec >= 1000000000) {
            until.tv_nsec -= 1000000000;
            until.tv_sec++;
        }
        pthread_cond_timedwait(&hashing->done, &hashing->lock, &until);
        pthread_mutex_unlock(&hashing->lock);
        look_at_progress(hashing);
        pthread_mutex_lock(&hashing->lock);
    }
    pthread_mutex_unlock(&hashing->lock);
}

static void tell_first(struct hashing *hashing)
{
    struct hashing_file *file = &hashing->ring[hashing->first++ % RING];
    if (hashing->thread_count > 0)
        wait_for(hashing, file);
    else
        hash_file(hashing, file);
    hashing->told++;
    look_at_progress(hashing);
    if (!atomic_load(&hashing->stop) && hashing->options.told(hashing->options.context, file))
        atomic_store(&hashing->stop, 1);
    hashing->path_bytes -= strlen(file->path);
    free(file->path);
}

int hashing_add(struct hashing *hashing, const char *path, memfs_node node, uint64_t size)
{
    const size_t length = strlen(path);
    while (hashing->end - hashing->first == RING ||
           (hashing->end > hashing->first && hashing->path_bytes + length > PATHS_MOST))
        tell_first(hashing);
    if (atomic_load(&hashing->stop))
        return -ECANCELED;
    struct hashing_file file = {.path = strdup(path), .node = node, .size = size};
    if (!file.path)
        return -ENOMEM;
    hashing->path_bytes += length;
    pthread_mutex_lock(&hashing->lock);
    hashing->ring[hashing->end++ % RING] = file;
    pthread_cond_signal(&hashing->added);
    pthread_mutex_unlock(&hashing->lock);
    return 0;
}

/* ---- Life ---------------------------------------------------------------------------------------------- */

int hashing_start(memfs *fs, memfs_image *image, const struct hashing_options *options, struct hashing **out)
{
    struct hashing *hashing = calloc(1, sizeof *hashing);
    if (!hashing)
        return -ENOMEM;
    hashing->fs = fs;
    hashing->image = image;
    hashing->options = *options;
    pthread_mutex_init(&hashing->lock, NULL);
    pthread_cond_init(&hashing->added, NULL);
    pthread_cond_init(&hashing->done, NULL);
    for (unsigned i = 0; i < options->threads && i < PROCESSORS_MAX; i++) {
        if (pthread_create(&hashing->threads[i], NULL, work, hashing) != 0)
            break; /* it goes without, too */
        hashing->thread_count++;
    }
    *out = hashing;
    return 0;
}

int hashing_finish(struct hashing *hashing)
{
    if (!hashing)
        return 0;
    while (hashing->first < hashing->end)
        tell_first(hashing);
    pthread_mutex_lock(&hashing->lock);
    hashing->ending = 1;
    pthread_cond_broadcast(&hashing->added);
    pthread_mutex_unlock(&hashing->lock);
    for (unsigned i = 0; i < hashing->thread_count; i++)
        pthread_join(hashing->threads[i], NULL);
    const int result = atomic_load(&hashing->stop) ? -ECANCELED : 0;
    pthread_cond_destroy(&hashing->done);
    pthread_cond_destroy(&hashing->added);
    pthread_mutex_destroy(&hashing->lock);
    free(hashing);
    return result;
}
