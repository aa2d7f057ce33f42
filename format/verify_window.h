/*
 * Data blocks that verifying decodes ahead, by several threads, in the order in which
 * they are asked for; and keeps for a while if they will be needed again. What is
 * evicted does not depend on the number of threads.
 */
#ifndef MEMFS_VERIFY_WINDOW_H
#define MEMFS_VERIFY_WINDOW_H

#include "verify.h"

struct memfs_verify_window;

/* A block that was asked for. */
struct memfs_verify_window_block {
    uint32_t number;                   /* UINT32_MAX: none was, which can be only if the image is being changed */
    int error;                         /* of reading or decoding it; then there is no data */
    int fresh;                         /* it was decoded for this, and not there already */
    const uint8_t *data;               /* NULL too if it is known to be damaged (fresh is 0) */
    const struct memfs_detail *detail; /* of the error */
    struct memfs_ref ref;
};

/* -ENOMEM */
int memfs_verify_window_create(struct memfs_verifying *v, struct memfs_verify_window **out);
void memfs_verify_window_destroy(struct memfs_verify_window *window); /* NULL is accepted */

/* Begins to decode the first blocks of the image, while their askings are still worked
 * out: freezing puts blocks in the order in which files are read. To be called once. */
void memfs_verify_window_begin(struct memfs_verify_window *window);

/* From now on there is no data of this block. */
void memfs_verify_window_set_damaged(struct memfs_verify_window *window, uint32_t block);

/* Asks for a block. 0: there is no room before others have been taken and dropped;
 * there is if all were. */
int memfs_verify_window_ask(struct memfs_verify_window *window, uint32_t block);

/* The first that was asked for and not taken, once it is there; it stays until it is
 * dropped, which comes before taking another. keep: it will be asked for again. */
void memfs_verify_window_take(struct memfs_verify_window *window, struct memfs_verify_window_block *out);
void memfs_verify_window_drop(struct memfs_verify_window *window, int keep);

#endif
