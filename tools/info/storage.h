/*
 * How an image is stored: its tables and the blocks with contents, raw and
 * compressed.
 */
#ifndef MEMFS_TOOLS_STORAGE_H
#define MEMFS_TOOLS_STORAGE_H

#include "output/json.h"
#include "system/input.h"

#define STORAGE_TABLES_MAX 16
#define STORAGE_STEPS 10 /* of the distribution of ratios: ten percent each */

struct storage_table {
    const char *name;
    uint64_t chunks, raw, stored;
};

/* Zeroed: nothing. */
struct storage {
    struct storage_table tables[STORAGE_TABLES_MAX]; /* "blocks" are those with contents */
    size_t count;
    struct storage_table refs;     /* to all of them */
    uint64_t steps[STORAGE_STEPS]; /* blocks with contents that are compressed to 0 to 10 %, 10 to 20 %, ... */
    uint64_t uncompressed;         /* those that are not, since it would gain nothing */
    uint64_t rest; /* bytes of the image that are none of these: header, root, trailer, earlier generations */
};

/* Fills storage. EXIT_DONE, or says what is wrong. */
int storage_read(struct storage *storage, const struct input *input);

/* As text; as members of an object. */
void storage_print(const struct storage *storage);
void storage_json(const struct storage *storage, struct json *json);

#endif
