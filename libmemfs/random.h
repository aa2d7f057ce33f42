/*
 * Numbers that nobody is to foresee: names of temporary files, secrets of hashes. They are no keys.
 */
#ifndef MEMFS_RANDOM_H
#define MEMFS_RANDOM_H

#include <stdint.h>

/* The kernel's. Where it has none (a filter forbids asking, or it has just started) one of
 * time, process and where memory lies: another at each call. */
uint64_t memfs_random(void);

#endif
