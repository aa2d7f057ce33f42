/*
 * What somebody may have meant who wrote a word that there is not.
 */
#ifndef MEMFS_TOOLS_NEAREST_H
#define MEMFS_TOOLS_NEAREST_H

#include <stddef.h>

/* Zeroed, but for the word: nothing is near. */
struct nearest {
    const char *word;
    const char *found; /* NULL: nothing */
    size_t distance;   /* letters to be changed, put in, left out or exchanged */
};

/* One of the words that there are, which must outlive this. */
void nearest_look(struct nearest *nearest, const char *candidate);

#endif
