/*
 * Files by the extension of their names: ".c", ".JPG" (with ".jpg"), or none. Memory is
 * fixed: when it is full, further extensions count together.
 */
#ifndef MEMFS_TOOLS_EXTENSIONS_H
#define MEMFS_TOOLS_EXTENSIONS_H

#include "info/weight.h"
#include "output/json.h"

#define EXTENSION_MAX 15 /* bytes: what is longer, or has other than ASCII's letters, digits, _, + and -, is none */

struct extension {
    char text[EXTENSION_MAX + 1]; /* in lower case, without the dot; "" for names that have none */
    struct weight weight;
};

struct extensions {
    struct extension *rows;
    uint16_t *slots; /* a hash table: 1 + the number of a row, or 0 */
    size_t count;
    struct extension others; /* all that were met when there was no more room */
};

/* 0 or -ENOMEM. */
int extensions_begin(struct extensions *extensions);
void extensions_add(struct extensions *extensions, const char *name, size_t length, const struct weight *weight);
/* The heaviest first. No more can be added. */
void extensions_sort(struct extensions *extensions);

/* Once sorted: the first `most` of them and the rest together, as text; as a member of an object. */
void extensions_print(const struct extensions *extensions, uint64_t most);
void extensions_json(const struct extensions *extensions, uint64_t most, struct json *json);

void extensions_free(struct extensions *extensions);

#endif
