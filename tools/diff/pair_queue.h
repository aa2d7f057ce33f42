/*
 * Pairs in order, of which some wait for their contents to be compared: threads do that,
 * and whoever takes the pairs helps them. A bounded number of pairs is in the queue.
 */
#ifndef MEMFS_TOOLS_PAIR_QUEUE_H
#define MEMFS_TOOLS_PAIR_QUEUE_H

#include "diff/compare.h"

#include <pthread.h>

#define PAIR_QUEUE_ROOM 256u

struct queued {
    struct pair pair;
    struct buffer path; /* memory of the pair's */
    struct comparison comparison;
    int done;   /* the result is there */
    int result; /* of comparing contents: 0, or an error of the side `failed` */
    int failed;
};

struct pair_queue {
    struct side *const *sides;
    struct queued items[PAIR_QUEUE_ROOM];
    struct compare_room room; /* of whoever takes */
    pthread_t *threads;
    unsigned thread_count;
    pthread_mutex_t lock; /* binds what follows, and `done` of all items */
    pthread_cond_t work, done;
    uint64_t head, next, tail; /* the oldest; the first that nobody has looked at; behind the last */
    unsigned idle;             /* threads that wait for work */
    int ending;
};

/* threads that compare, whoever takes counted; as many as can be had. 0 or a negative errno. */
int pair_queue_begin(struct pair_queue *queue, struct side *const sides[2], unsigned threads);
/* Puts a copy behind the last. There must be room. -ENOMEM */
int pair_queue_put(struct pair_queue *queue, const struct pair *pair, const struct comparison *comparison);
static inline int pair_queue_is_full(const struct pair_queue *queue)
{
    return queue->tail - queue->head == PAIR_QUEUE_ROOM;
}
/* Takes the oldest out; it is the caller's until the next call. NULL: there is none, or, without waits, it is not done.
 */
struct queued *pair_queue_take(struct pair_queue *queue, int waits);
void pair_queue_end(struct pair_queue *queue); /* what is still in it is dropped */

#endif
