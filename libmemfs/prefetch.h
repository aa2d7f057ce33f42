/*
 * Memory that will soon be looked at, fetched into the processor's cache meanwhile.
 */
#ifndef MEMFS_PREFETCH_H
#define MEMFS_PREFETCH_H

/* The line of an address, which may be any. (A function that does nothing but fetch has no effect that gcc knows of,
 * and its calls go; an asm that does nothing keeps them.) */
static inline void memfs_prefetch(const void *at)
{
    __builtin_prefetch(at);
    __asm__ volatile("" : : "r"(at));
}

#endif
