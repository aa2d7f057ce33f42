/*
 * What the measuring programs share. Each prints one measure a line, "name, tab,
 * value, tab, unit", and ends at the first thing that goes wrong.
 */
#ifndef BENCH_H
#define BENCH_H

#include "memfs.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MIB ((size_t)1 << 20)

static inline void bench_die(const char *what, int error)
{
    fprintf(stderr, "bench: %s: %s\n", what, error ? memfs_strerror(error) : "failed");
    exit(1);
}

/* For calls of the library: 0 or a count, or a negative error. */
static inline int64_t bench_check(int64_t result, const char *what)
{
    if (result < 0)
        bench_die(what, (int)result);
    return result;
}

/* For system calls: -1 and errno. */
static inline int64_t bench_system(int64_t result, const char *what)
{
    if (result < 0) {
        fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
        exit(1);
    }
    return result;
}

static inline void *bench_alloc(size_t size)
{
    void *memory = malloc(size ? size : 1);
    if (!memory)
        bench_die("memory", -ENOMEM);
    return memory;
}

static inline double bench_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline void bench_report(const char *name, double value, const char *unit)
{
    printf("%s\t%.6g\t%s\n", name, value, unit);
    fflush(stdout);
}

static inline uint64_t bench_draw(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* The numbers below count in an order that the seed decides. */
static inline uint32_t *bench_shuffled(uint32_t count, uint64_t seed)
{
    uint32_t *order = bench_alloc(count * sizeof *order);
    for (uint32_t i = 0; i < count; i++)
        order[i] = i;
    for (uint32_t i = count; i > 1; i--) {
        uint32_t j = (uint32_t)(bench_draw(&seed) % i);
        uint32_t swap = order[i - 1];
        order[i - 1] = order[j];
        order[j] = swap;
    }
    return order;
}

static inline int bench_compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts them. */
static inline double bench_median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, bench_compare_doubles);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

#endif
