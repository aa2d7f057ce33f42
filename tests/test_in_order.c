/*
 * Reading blocks in order: what is decoded, when, by whom, and what is kept of it.
 */
#include "surgery.h"
#include "testlib.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define ROW_BLOCKS 40u
#define ROW_BLOCK_BYTES ((size_t)1 << 20)

/* An image of one file that fills so many blocks: all tests read it. */
static struct test_buffer row;

static int freeze_row(void **state)
{
    (void)state;
    memfs *fs = NULL;
    const size_t size = ROW_BLOCKS * ROW_BLOCK_BYTES;
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)((i >> 20) + i / 9 + 1) | 1;
    assert_ok(memfs_create(NULL, &fs));
    test_put(fs, "f", bytes, size);
    const struct memfs_freeze_options freeze = {.size = sizeof freeze, .share = MEMFS_SHARE_NONE};
    const struct memfs_sink sink = test_buffer_sink(&row);
    assert_ok(memfs_freeze(fs, &sink, &freeze, NULL));
    memfs_destroy(fs);
    free(bytes);
    return 0;
}

static int free_row(void **state)
{
    (void)state;
    test_buffer_free(&row);
    return 0;
}

static memfs_image *open_row(const struct memfs_image_options *options)
{
    memfs_image *image = NULL;
    assert_ok(memfs_image_open_buffer(row.data, row.length, options, &image, NULL));
    assert_int_equal(image->root.table[MEMFS_DATA].count, ROW_BLOCKS);
    struct memfs_ref ref; /* refs are decoded too: not when it is counted */
    assert_ok(memfs_image_find_ref(image, MEMFS_DATA, 0, &ref, NULL));
    return image;
}

/* Reads a piece of a block; how many bytes that decoded. */
static uint64_t decoded_by(memfs_image *image, uint32_t block, uint64_t start)
{
    struct memfs_image_statistics before, after;
    uint8_t read[10];
    memfs_backing *backing = memfs_image_backing(image);
    memfs_image_statistics(image, &before);
    assert_ok(backing->ops->read(backing, block, start, read, sizeof read));
    memfs_image_statistics(image, &after);
    return after.decoded_bytes - before.decoded_bytes;
}

/* Whoever reads in order has every block but the first one decoded once and whole;
 * whoever does not, beginnings. */
static void test_in_order__decodes_whole_blocks(void **state)
{
    (void)state;
    memfs_image *image = open_row(NULL);
    uint64_t decoded = 0;
    for (uint32_t block = 0; block < 10; block++)
        for (uint64_t start = 0; start < ROW_BLOCK_BYTES; start += 65536)
            decoded += decoded_by(image, block, start);
    assert_int_equal(decoded, 10 * ROW_BLOCK_BYTES + 131072);
    for (uint32_t block = 38; block > 12; block -= 2)
        assert_int_equal(decoded_by(image, block, 200000), 262144);
    assert_int_equal(decoded_by(image, 10, 900000), ROW_BLOCK_BYTES); /* behind the ten */
    assert_int_equal(decoded_by(image, 11, 0), ROW_BLOCK_BYTES);
    assert_int_equal(decoded_by(image, 13, 0), 131072);
    memfs_image_close(image);
}

/* Blocks fill the cache, those read in order three quarters of it; then others want its memory,
 * then blocks again: frames are given back, and all together stay within the budget. */
static void test_in_order__frames_within_the_budget(void **state)
{
    (void)state;
    struct test_memory memory;
    test_memory_init(&memory);
    const uint64_t budget = 33u << 20;
    const struct memfs_image_options options = {
        .size = sizeof options, .allocator = &memory.hook, .cache_bytes = budget};
    memfs_image *image = open_row(&options);
    struct memfs_cache *cache = &image->cache;
    struct memfs_buffer *others[64];
    assert_int_equal(cache->frames.slab_bytes, 2 * ROW_BLOCK_BYTES);
    for (unsigned round = 0; round < 3; round++) {
        for (uint32_t block = 0; block < ROW_BLOCKS; block++)
            decoded_by(image, block, ROW_BLOCK_BYTES - 10);
        assert_true(atomic_load(&cache->bytes) > budget / 4 * 3 - 3 * ROW_BLOCK_BYTES);
        assert_true(atomic_load(&cache->bytes) < budget / 4 * 3 + 3 * ROW_BLOCK_BYTES);
        for (uint32_t block = ROW_BLOCKS; block > 0; block--)
            decoded_by(image, block - 1, ROW_BLOCK_BYTES - 10);
        assert_true(atomic_load(&cache->bytes) > budget - 3 * ROW_BLOCK_BYTES);
        for (unsigned i = 0; i < 64; i++) {
            others[i] = memfs_buffer_make(cache, ROW_BLOCK_BYTES / 2 - 4096);
            assert_non_null(others[i]);
            assert_true(atomic_load(&cache->bytes) <= budget);
        }
        for (unsigned i = 0; i < 64; i++)
            memfs_buffer_free(others[i]);
    }
    assert_true(memory.peak < budget + 4 * ROW_BLOCK_BYTES);
    memfs_cache_trim(cache, 0);
    assert_true(atomic_load(&cache->bytes) < ROW_BLOCK_BYTES);
    memfs_image_close(image);
    assert_int_equal(memory.live, 0);
}

/* ---- Two threads ---------------------------------------------------------------------- */

#define MEETING_BLOCK 5u /* its reader waits until somebody reads the block behind it */
#define PATIENCE_S 20

/* A source whose reads of two blocks meet. */
struct meeting {
    uint64_t first, second; /* where the blocks are stored */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int first_is_read, second_is_read, failed;
};

static int wait_for(struct meeting *meeting, const int *condition)
{
    struct timespec end;
    int error = 0;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += PATIENCE_S;
    while (!*condition && !error)
        error = pthread_cond_timedwait(&meeting->changed, &meeting->lock, &end);
    return error;
}

static int read_meeting(void *context, uint64_t offset, void *buffer, size_t length)
{
    struct meeting *meeting = context;
    memcpy(buffer, row.data + offset, length);
    pthread_mutex_lock(&meeting->lock);
    meeting->first_is_read |= offset == meeting->first;
    meeting->second_is_read |= offset == meeting->second;
    pthread_cond_broadcast(&meeting->changed);
    if (offset == meeting->first && wait_for(meeting, &meeting->second_is_read))
        meeting->failed = 1;
    pthread_mutex_unlock(&meeting->lock);
    return 0;
}

/* NULL, or what it read into: that failed. */
static void *read_first(void *context)
{
    static _Thread_local uint8_t read[10];
    memfs_backing *backing = memfs_image_backing(context);
    return backing->ops->read(backing, MEETING_BLOCK, 0, read, sizeof read) ? read : NULL;
}

/* Whoever needs a block that another thread is decoding decodes the next one meanwhile,
 * where blocks are read in order. */
static void test_in_order__waiting_threads_decode_ahead(void **state)
{
    (void)state;
    struct memfs_ref ref;
    struct meeting meeting = {.first = UINT64_MAX, .second = UINT64_MAX};
    pthread_t thread;
    memfs_image *image = NULL;
    const struct memfs_source source = {.read_at = read_meeting, .context = &meeting, .size = row.length};
    assert_int_equal(pthread_mutex_init(&meeting.lock, NULL), 0);
    assert_int_equal(pthread_cond_init(&meeting.changed, NULL), 0);
    assert_ok(memfs_image_open_source(&source, NULL, &image, NULL));
    assert_ok(memfs_image_find_ref(image, MEMFS_DATA, MEETING_BLOCK, &ref, NULL));
    meeting.first = ref.offset;
    assert_ok(memfs_image_find_ref(image, MEMFS_DATA, MEETING_BLOCK + 1, &ref, NULL));
    meeting.second = ref.offset;
    for (uint32_t block = 0; block < MEETING_BLOCK; block++)
        decoded_by(image, block, ROW_BLOCK_BYTES - 10);

    assert_int_equal(pthread_create(&thread, NULL, read_first, image), 0);
    pthread_mutex_lock(&meeting.lock);
    assert_int_equal(wait_for(&meeting, &meeting.first_is_read), 0);
    pthread_mutex_unlock(&meeting.lock);
    assert_null(read_first(image));
    void *failed = NULL;
    pthread_join(thread, &failed);
    assert_null(failed);
    assert_false(meeting.failed);
    assert_int_equal(decoded_by(image, MEETING_BLOCK + 1, 0), 0);
    memfs_image_close(image);
    pthread_cond_destroy(&meeting.changed);
    pthread_mutex_destroy(&meeting.lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_order__decodes_whole_blocks),
        cmocka_unit_test(test_in_order__frames_within_the_budget),
        cmocka_unit_test(test_in_order__waiting_threads_decode_ahead),
    };
    return cmocka_run_group_tests(tests, freeze_row, free_row);
}
