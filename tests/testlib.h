/*
 * What the suites share: a clock that is told the time, an allocator that
 * counts and fails, sources and sinks in memory, a backing that fails, random
 * numbers, and the whole of a filesystem as text, to compare two.
 */
#ifndef TESTLIB_H
#define TESTLIB_H

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off: needs some of the above before it */
#include <cmocka.h>
/* clang-format on */

#include "memfs.h"
#include "memfs_image.h"

/* ---- Checks ---------------------------------------------------------------- */

/* result == want, or the test fails and says both in words. */
#define assert_result(expression, want)                                                                                \
    test_result((int64_t)(expression), (int64_t)(want), #expression, __FILE__, __LINE__)
#define assert_ok(expression) assert_result(expression, 0)
/* Either of two results, where POSIX leaves a choice. */
#define assert_either(expression, one, other)                                                                          \
    test_either((int64_t)(expression), (int64_t)(one), (int64_t)(other), #expression, __FILE__, __LINE__)
void test_result(int64_t result, int64_t want, const char *text, const char *file, int line);
void test_either(int64_t result, int64_t one, int64_t other, const char *text, const char *file, int line);

/* ---- Time ------------------------------------------------------------------- */

/* Tells `now`, which the test moves: all stamps of one operation are equal. */
struct test_clock {
    _Atomic(int64_t) now;
};
memfs_clock test_clock_read;

/* ---- Memory ------------------------------------------------------------------ */

/* Counts, checks that sizes come back right, fills what it gives and what it
 * gets back, and fails when told. */
struct test_memory {
    struct memfs_allocator hook;
    _Atomic(uint64_t) live, peak; /* bytes, as asked for */
    uint64_t live_most;           /* a call that would make it more fails */
    _Atomic(uint64_t) calls;      /* allocations, the failed ones too */
    _Atomic(uint64_t) fail_at;    /* the call with this number fails; 0: none */
    _Atomic(int) fail_after;      /* and all calls after it */
    _Atomic(uint64_t) failures;   /* how many did */
};
void test_memory_init(struct test_memory *memory);
/* From now on the n-th allocation fails, and with after those behind it. */
void test_memory_fail(struct test_memory *memory, uint64_t nth, int after);
void test_memory_heal(struct test_memory *memory);

/* ---- Bytes -------------------------------------------------------------------- */

struct test_buffer {
    uint8_t *data;
    size_t length, room;
    size_t limit; /* sink: beyond this many bytes -ENOSPC; 0: none */
};
void test_buffer_add(struct test_buffer *buffer, const void *data, size_t length);
void test_buffer_print(struct test_buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
void test_buffer_free(struct test_buffer *buffer);
/* Equal, or the test fails. */
void test_same_bytes(const struct test_buffer *got, const struct test_buffer *want);
struct memfs_sink test_buffer_sink(struct test_buffer *buffer);

/* Reads from a buffer, and counts; fails at the n-th read if told. Starts zeroed. */
struct test_source {
    const struct test_buffer *buffer;
    _Atomic(uint64_t) reads, bytes;
    _Atomic(uint64_t) fail_at; /* 0: never */
    _Atomic(int) fail_after;
    _Atomic(uint64_t) failures;
    _Atomic(int) closed;
};
struct memfs_source test_source_of(struct test_source *source, const struct test_buffer *buffer);

/* ---- Backings that fail --------------------------------------------------------- */

/* Starts zeroed. */
struct test_fault {
    _Atomic(uint64_t) held, held_most; /* chunks and views that are pinned, now and at most */
    _Atomic(uint64_t) calls;
    _Atomic(uint64_t) fail_at; /* 0: never */
    _Atomic(int) fail_after;
    _Atomic(uint64_t) failures;
    int error; /* 0: -EIO */
    int only;  /* 1 + a table, whose loads alone count, also of what is cached but not held; 0: all */
    void (*before)(void *context); /* called before each call, by whom it is made; may be NULL */
    void *context;
    size_t view_most; /* views have from 1 to so many bytes, unevenly; 0: as inner has them */
};
/* A backing that is another one, but for the calls of load, read and view that
 * fault lets fail with its error. Holds inner. */
memfs_backing *test_fault_backing(memfs_backing *inner, struct test_fault *fault);

/* ---- Directories of the host ------------------------------------------------------- */

/* Removes a directory, if it is there, with all below it; by paths, which must not be too long. Returns 0 if it is
 * gone. Where a thousand are removed: without a process. */
int test_remove_tree(const char *path);

/* ---- Random numbers ---------------------------------------------------------------- */

struct test_random {
    uint64_t state;
};
uint64_t test_random_next(struct test_random *random); /* splitmix64 */
uint64_t test_random_below(struct test_random *random, uint64_t below);
void test_random_fill(struct test_random *random, void *data, size_t length);
uint8_t *test_random_bytes(uint64_t seed, size_t length); /* to be freed */
/* MEMFS_SEED of the environment, else the time; printed. */
uint64_t test_seed(void);
uint64_t test_environment(const char *name, uint64_t otherwise);
int test_is_fast(void);       /* MEMFS_FAST */
uint64_t test_slowness(void); /* 1; in fast runs with ASan 3, with TSan and on emulators 4 (MEMFS_SLOW) */
/* How far it is to the next of many cases that is tried: with MEMFS_FAST so far (about test_slowness() times that),
 * best a prime, and odd where all is slow, so that what comes by turns is met all the same; else to the next one. */
uint64_t test_step(uint64_t fast);

/* ---- Filesystems ---------------------------------------------------------------------- */

/* A filesystem with clock and memory, made by test_setup() and checked for
 * leaks by test_teardown(); for cmocka. */
struct test_state {
    struct test_clock clock;
    struct test_memory memory;
    memfs *fs;
};
int test_setup(void **state);
int test_teardown(void **state);
#define test_with_fs(function) cmocka_unit_test_setup_teardown(function, test_setup, test_teardown)

memfs *test_create(struct test_state *state, memfs_backing *backing);

/* Freezes to a buffer; opens the buffer and makes a filesystem on it (the
 * image is held by that alone). */
void test_freeze(memfs *fs, struct test_buffer *out);
memfs *test_thaw(struct test_state *state, const struct test_buffer *buffer, uint64_t cache_bytes);
/* The same on a backing that fails when told. */
memfs *test_thaw_fault(struct test_state *state, const struct test_buffer *buffer, struct test_fault *fault);
/* state->fs, frozen and opened again; the bytes stay in buffer. */
void test_reopen(struct test_state *state, struct test_buffer *buffer);
/* The end of a test that reopened: the filesystem first, then its bytes. */
void test_end(struct test_state *state, struct test_buffer *buffer);

void test_put(memfs *fs, const char *path, const void *data, size_t length); /* makes or overwrites a file */
void test_put_text(memfs *fs, const char *path, const char *text);
void test_expect(memfs *fs, const char *path, const void *data, size_t length);
void test_expect_text(memfs *fs, const char *path, const char *text);
struct memfs_stat test_lstat(memfs *fs, const char *path);
memfs_node test_node(memfs *fs, const char *path); /* without a look-up count: for nodes that have a name */
/* The names of a directory in their order, with a space behind each. */
char *test_names(memfs *fs, const char *path);
void test_expect_names(memfs *fs, const char *path, const char *want);

/* The whole filesystem as text, by the public functions; to be freed. */
#define TEST_DUMP_TIMES 1u /* mtime and ctime too; mtime alone is always there */
#define TEST_DUMP_HOLES 2u /* where data is allocated */
char *test_dump(memfs *fs, unsigned flags);
/* Equal texts, or the test fails and shows the first line that differs. */
void test_same_text(const char *got, const char *want, const char *what);
void test_same_fs(memfs *got, memfs *want, unsigned flags);

/* A small tree with everything in it: all types, links, holes, attributes. */
void test_build_everything(memfs *fs);

#endif
