#include "diff/pair_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct queued *item_at(struct pair_queue *queue, uint64_t number)
{
    return &queue->items[number % PAIR_QUEUE_ROOM];
}

/* The first that waits, which is now the caller's to compare; NULL if there is none. With the lock. */
static struct queued *claim(struct pair_queue *queue)
{
    while (queue->next < queue->tail) {
        struct queued *item = item_at(queue, queue->next++);
        if (!item->done)
            return item;
    }
    return NULL;
}

/* With the lock, which is not held meanwhile. */
static void work_on(struct pair_queue *queue, struct queued *item, struct compare_room *room)
{
    pthread_mutex_unlock(&queue->lock);
    const int result = compare_contents(queue->sides, item->pair.stat, room, &item->failed);
    item->result = result < 0 ? result : 0;
    item->comparison.differs |= result > 0 ? DIFFERS_CONTENTS : 0;
    pthread_mutex_lock(&queue->lock);
    item->done = 1;
    if (item == item_at(queue, queue->head))
        pthread_cond_signal(&queue->done);
}

static void *run_thread(void *context)
{
    struct pair_queue *queue = context;
    struct compare_room room = {NULL};
    pthread_mutex_lock(&queue->lock);
    while (!queue->ending) {
        struct queued *item = claim(queue);
        if (item) {
            work_on(queue, item, &room);
            continue;
        }
        queue->idle++;
        pthread_cond_wait(&queue->work, &queue->lock);
        queue->idle--;
    }
    pthread_mutex_unlock(&queue->lock);
    compare_room_free(&room);
    return NULL;
}

/* A thread that cannot be had is done without. */
static void start_threads(struct pair_queue *queue, unsigned count)
{
    while (queue->thread_count < count &&
           pthread_create(&queue->threads[queue->thread_count], NULL, run_thread, queue) == 0)
        queue->thread_count++;
}

int pair_queue_begin(struct pair_queue *queue, struct side *const sides[2], unsigned threads)
{
    memset(queue, 0, sizeof *queue);
    queue->sides = sides;
    queue->threads = calloc(threads, sizeof *queue->threads);
    if (!queue->threads)
        return -ENOMEM;
    int error = pthread_mutex_init(&queue->lock, NULL);
    if (error == 0 && (error = pthread_cond_init(&queue->work, NULL)) != 0)
        pthread_mutex_destroy(&queue->lock);
    if (error == 0 && (error = pthread_cond_init(&queue->done, NULL)) != 0) {
        pthread_cond_destroy(&queue->work);
        pthread_mutex_destroy(&queue->lock);
    }
    if (error == 0)
        start_threads(queue, threads - 1);
    else
        free(queue->threads);
    return -error;
}

int pair_queue_put(struct pair_queue *queue, const struct pair *pair, const struct comparison *comparison)
{
    struct queued *item = item_at(queue, queue->tail);
    item->path.length = 0;
    int result = buffer_append(&item->path, pair->path, pair->path_length + 1);
    if (result != 0)
        return result;
    item->pair = *pair;
    item->pair.path = item->path.data;
    item->pair.name = item->path.data + (pair->name - pair->path);
    item->comparison = *comparison;
    item->done = !comparison->unread;
    item->result = 0;
    pthread_mutex_lock(&queue->lock);
    queue->tail++;
    if (queue->idle > 0 && !item->done)
        pthread_cond_signal(&queue->work);
    pthread_mutex_unlock(&queue->lock);
    return 0;
}

struct queued *pair_queue_take(struct pair_queue *queue, int waits)
{
    struct queued *item = NULL;
    pthread_mutex_lock(&queue->lock);
    while (queue->head < queue->tail) {
        item = item_at(queue, queue->head);
        if (item->done || !waits)
            break;
        struct queued *mine = claim(queue);
        if (mine)
            work_on(queue, mine, &queue->room);
        else
            pthread_cond_wait(&queue->done, &queue->lock);
        item = NULL;
    }
    if (item && !item->done)
        item = NULL;
    if (item) {
        queue->head++;
        if (queue->next < queue->head)
            queue->next = queue->head;
    }
    pthread_mutex_unlock(&queue->lock);
    return item;
}

void pair_queue_end(struct pair_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->ending = 1;
    pthread_cond_broadcast(&queue->work);
    pthread_mutex_unlock(&queue->lock);
    for (unsigned i = 0; i < queue->thread_count; i++)
        pthread_join(queue->threads[i], NULL);
    pthread_cond_destroy(&queue->work);
    pthread_cond_destroy(&queue->done);
    pthread_mutex_destroy(&queue->lock);
    for (size_t i = 0; i < PAIR_QUEUE_ROOM; i++)
        buffer_free(&queue->items[i].path);
    free(queue->threads);
    compare_room_free(&queue->room);
}
