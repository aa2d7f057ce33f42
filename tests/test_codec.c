/*
 * Blocks: what is encoded decodes, whole and in part; frames that lie do not.
 */
#include "codec.h"
#include "layout.h"
#include "testlib.h"

#include <xxhash.h>

#define LENGTH ((size_t)300 * 1024)
#define ZSTD_BLOCK ((size_t)128 * 1024 + 100)

struct fixture {
    struct test_memory memory;
    struct memfs_encoder *encoder;
    struct memfs_decoder *decoder;
    uint8_t *raw, *scratch, *out;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    test_memory_init(&f->memory);
    assert_ok(memfs_encoder_create(&f->memory.hook, 3, MEMFS_BLOCK_MOST, &f->encoder));
    assert_ok(memfs_decoder_create(&f->memory.hook, &f->decoder));
    f->raw = malloc(LENGTH);
    f->scratch = malloc(LENGTH);
    f->out = malloc(LENGTH);
    assert_true(f->raw && f->scratch && f->out);
    for (size_t i = 0; i < LENGTH; i++)
        f->raw[i] = (uint8_t)(i / 100 * 7 + i % 13);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    memfs_encoder_destroy(f->encoder);
    memfs_decoder_destroy(f->decoder);
    assert_int_equal(f->memory.live, 0);
    free(f->raw);
    free(f->scratch);
    free(f->out);
    free(f);
    return 0;
}

/* The raw bytes as a zstd frame in scratch; its length. */
static size_t encode(struct fixture *f, size_t length)
{
    const void *stored;
    size_t stored_length;
    uint8_t codec;
    assert_ok(memfs_encode(f->encoder, f->raw, length, f->scratch, &stored, &stored_length, &codec));
    assert_int_equal(codec, MEMFS_CODEC_ZSTD);
    assert_ptr_equal(stored, f->scratch);
    assert_true(stored_length < length);
    return stored_length;
}

static int decode(struct fixture *f, size_t stored, size_t raw, size_t wanted)
{
    const char *reason;
    const int error = memfs_decode(f->decoder, MEMFS_CODEC_ZSTD, f->scratch, stored, raw, f->out, wanted, &reason);
    assert_true(error != MEMFS_ECORRUPT || reason);
    return error;
}

static void test_codec__round_trip(void **state)
{
    struct fixture *f = *state;
    const size_t stored = encode(f, LENGTH);
    assert_ok(decode(f, stored, LENGTH, LENGTH));
    assert_memory_equal(f->out, f->raw, LENGTH);
}

static void test_codec__prefixes(void **state)
{
    struct fixture *f = *state;
    static const size_t wanted[] = {1, 2, 4095, 131071, 131072, 131073, LENGTH - 1, LENGTH};
    const size_t stored = encode(f, LENGTH);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        memset(f->out, 0xaa, LENGTH);
        assert_ok(decode(f, stored, LENGTH, wanted[i]));
        assert_memory_equal(f->out, f->raw, wanted[i]);
        if (LENGTH - wanted[i] > ZSTD_BLOCK) /* no more than zstd's own block of the last byte, and a few behind */
            assert_int_equal(f->out[wanted[i] + ZSTD_BLOCK], 0xaa);
    }
}

static void test_codec__random_bytes_stay_raw(void **state)
{
    struct fixture *f = *state;
    struct test_random random = {.state = 7};
    test_random_fill(&random, f->raw, LENGTH);
    const void *stored;
    size_t stored_length;
    uint8_t codec;
    const char *reason;
    assert_ok(memfs_encode(f->encoder, f->raw, LENGTH, f->scratch, &stored, &stored_length, &codec));
    assert_int_equal(codec, MEMFS_CODEC_RAW);
    assert_ptr_equal(stored, f->raw);
    assert_int_equal(stored_length, LENGTH);
    assert_ok(memfs_decode(f->decoder, codec, stored, stored_length, LENGTH, f->out, 1000, &reason));
    assert_memory_equal(f->out, f->raw, 1000);
    assert_result(memfs_decode(f->decoder, codec, stored, 10, LENGTH, f->out, 1000, &reason), MEMFS_ECORRUPT);
}

static void test_codec__one_byte(void **state)
{
    struct fixture *f = *state;
    const void *stored;
    size_t stored_length;
    uint8_t codec;
    assert_ok(memfs_encode(f->encoder, f->raw, 1, f->scratch, &stored, &stored_length, &codec));
    assert_int_equal(codec, MEMFS_CODEC_RAW);
    assert_int_equal(stored_length, 1);
}

static void test_codec__lengths_that_lie(void **state)
{
    struct fixture *f = *state;
    const size_t stored = encode(f, LENGTH - 100);
    assert_result(decode(f, stored, LENGTH, LENGTH), MEMFS_ECORRUPT);             /* longer than it is */
    assert_result(decode(f, stored, LENGTH - 101, LENGTH - 101), MEMFS_ECORRUPT); /* shorter */
    assert_result(decode(f, stored - 1, LENGTH - 100, 10), MEMFS_ECORRUPT);       /* cut off */
    assert_result(decode(f, stored + 1, LENGTH - 100, 10), MEMFS_ECORRUPT);       /* something behind */
    assert_result(decode(f, 0, LENGTH - 100, 10), MEMFS_ECORRUPT);
    assert_result(decode(f, 3, LENGTH - 100, 10), MEMFS_ECORRUPT);
    assert_ok(decode(f, stored, LENGTH - 100, LENGTH - 100));
}

static void test_codec__two_frames(void **state)
{
    struct fixture *f = *state;
    const size_t stored = encode(f, 1000);
    memcpy(f->scratch + stored, f->scratch, stored);
    assert_result(decode(f, 2 * stored, 1000, 1000), MEMFS_ECORRUPT);
    assert_result(decode(f, 2 * stored, 2000, 2000), MEMFS_ECORRUPT);
}

static void test_codec__skippable_frame(void **state)
{
    struct fixture *f = *state;
    static const uint8_t skippable[] = {0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4};
    memcpy(f->scratch, skippable, sizeof skippable);
    assert_result(decode(f, sizeof skippable, 4, 4), MEMFS_ECORRUPT);
}

static void test_codec__dictionary_and_window(void **state)
{
    struct fixture *f = *state;
    /* Magic; descriptor: 1 byte of dictionary id, 8 bytes of content size, single segment; one raw block "abcd" */
    static const uint8_t dictionary[] = {0x28, 0xb5, 0x2f, 0xfd, 0xe1, 9, 4,   0,   0,   0,  0,
                                         0,    0,    0,    0x21, 0,    0, 'a', 'b', 'c', 'd'};
    memcpy(f->scratch, dictionary, sizeof dictionary);
    assert_result(decode(f, sizeof dictionary, 4, 4), MEMFS_ECORRUPT);
    /* The same with a window of 2^25 bytes, and without a dictionary. */
    static const uint8_t window[] = {0x28, 0xb5, 0x2f, 0xfd, 0xc0, (25 - 10) << 3, 4, 0, 0, 0, 0, 0, 0, 0, 0x21, 0,
                                     0,    'a',  'b',  'c',  'd'};
    memcpy(f->scratch, window, sizeof window);
    assert_result(decode(f, sizeof window, 4, 4), MEMFS_ECORRUPT);
    f->scratch[5] = (24 - 10) << 3;
    assert_ok(decode(f, sizeof window, 4, 4));
    assert_memory_equal(f->out, "abcd", 4);
}

/* Behind a frame with a checksum, which is looked at by who wants all. */
static void test_codec__checksum(void **state)
{
    struct fixture *f = *state;
    const size_t length = encode(f, LENGTH);
    const uint32_t checksum = (uint32_t)XXH64(f->raw, LENGTH, 0);
    f->scratch[4] |= 4;
    for (int i = 0; i < 4; i++)
        f->scratch[length + (size_t)i] = (uint8_t)(checksum >> 8 * i);
    assert_ok(decode(f, length + 4, LENGTH, LENGTH));
    f->scratch[length]++;
    assert_ok(decode(f, length + 4, LENGTH, 1));
    assert_result(decode(f, length + 4, LENGTH, LENGTH), MEMFS_ECORRUPT);
    assert_result(decode(f, length, LENGTH, LENGTH), MEMFS_ECORRUPT);
}

/* Bytes that say of a frame that it has LENGTH bytes and a window of 2^log, from 10; behind them blocks may be put. */
static size_t put_header(uint8_t *out, unsigned log)
{
    static const uint8_t magic_and_descriptor[] = {0x28, 0xb5, 0x2f, 0xfd, 0x80};
    memcpy(out, magic_and_descriptor, sizeof magic_and_descriptor);
    out[5] = (uint8_t)((log - 10) << 3);
    for (int i = 0; i < 4; i++)
        out[6 + i] = (uint8_t)(LENGTH >> 8 * i);
    return 10;
}

/* As many blocks of one byte repeated, of `each` bytes, as come to LENGTH. */
static size_t put_repeated(uint8_t *out, size_t each)
{
    size_t used = 0;
    for (size_t left = LENGTH; left > 0; left -= each) {
        each = each < left ? each : left;
        const size_t head = each << 3 | 1 << 1 | (each == left);
        for (int i = 0; i < 3; i++)
            out[used++] = (uint8_t)(head >> 8 * i);
        out[used++] = 'a';
    }
    return used;
}

/* A frame's blocks have no more bytes than its window; whether that is so does not depend on how much is wanted. */
static void test_codec__blocks_larger_than_the_window(void **state)
{
    struct fixture *f = *state;
    for (unsigned log = 10; log <= 18; log++) {
        const size_t window = (size_t)1 << log, most = window < 131072 ? window : 131072;
        size_t stored = put_header(f->scratch, log);
        stored += put_repeated(f->scratch + stored, most);
        assert_ok(decode(f, stored, LENGTH, 1));
        assert_ok(decode(f, stored, LENGTH, LENGTH));
        stored = put_header(f->scratch, log);
        stored += put_repeated(f->scratch + stored, most + 1);
        assert_result(decode(f, stored, LENGTH, 1), MEMFS_ECORRUPT);
        assert_result(decode(f, stored, LENGTH, LENGTH), MEMFS_ECORRUPT);
    }
    /* What zstd made with the window that it has, for one that is smaller. */
    const size_t stored = encode(f, LENGTH);
    assert_true(f->scratch[4] == 0xa0); /* a single segment: no window is stated, which is as long as all of it */
    memmove(f->scratch + 10, f->scratch + 9, stored - 9);
    for (unsigned log = 10; log <= 18; log++) {
        put_header(f->scratch, log);
        assert_result(decode(f, stored + 1, LENGTH, 1), log < 17 ? MEMFS_ECORRUPT : 0);
        assert_result(decode(f, stored + 1, LENGTH, LENGTH), log < 17 ? MEMFS_ECORRUPT : 0);
    }
}

static void test_codec__unknown_codec(void **state)
{
    struct fixture *f = *state;
    const char *reason;
    assert_result(memfs_decode(f->decoder, 2, f->raw, 10, 10, f->out, 10, &reason), MEMFS_ECORRUPT);
    assert_non_null(reason);
}

/* Whatever bits are turned, decoding ends, and never writes more than there is room for. */
static void test_codec__turned_bits(void **state)
{
    struct fixture *f = *state;
    struct test_random random = {.state = 11};
    const size_t stored = encode(f, 20000);
    for (unsigned i = 0; i < 2000; i++) {
        const size_t at = (size_t)test_random_below(&random, stored);
        const uint8_t bit = (uint8_t)(1u << test_random_below(&random, 8));
        f->scratch[at] ^= bit;
        f->out[20000] = 0x77;
        const int error = decode(f, stored, 20000, i % 2 ? 15000 : 20000);
        assert_true(error == 0 || error == MEMFS_ECORRUPT);
        assert_int_equal(f->out[20000], 0x77);
        f->scratch[at] ^= bit;
    }
}

static void test_codec__no_memory(void **state)
{
    struct fixture *f = *state;
    const size_t stored = encode(f, LENGTH);
    struct test_memory memory;
    test_memory_init(&memory);
    int error = -ENOMEM;
    for (uint64_t n = 1; error; n++) {
        struct memfs_decoder *decoder = NULL;
        const char *reason;
        test_memory_fail(&memory, n, 0);
        error = memfs_decoder_create(&memory.hook, &decoder);
        if (!error)
            error = memfs_decode(decoder, MEMFS_CODEC_ZSTD, f->scratch, stored, LENGTH, f->out, 1000, &reason);
        if (!error)
            assert_memory_equal(f->out, f->raw, 1000);
        else
            assert_int_equal(error, -ENOMEM);
        memfs_decoder_destroy(decoder);
        assert_int_equal(memory.live, 0);
    }
    assert_true(memory.failures >= 2);
    struct memfs_encoder *encoder = NULL;
    test_memory_fail(&memory, 1, 0);
    assert_result(memfs_encoder_create(&memory.hook, 3, MEMFS_BLOCK_MOST, &encoder), -ENOMEM);
    test_memory_fail(&memory, 2, 0);
    assert_result(memfs_encoder_create(&memory.hook, 3, MEMFS_BLOCK_MOST, &encoder), -ENOMEM);
    assert_int_equal(memory.live, 0);
}

static void test_codec__levels(void **state)
{
    struct fixture *f = *state;
    struct memfs_encoder *encoder = NULL;
    assert_result(memfs_encoder_create(&f->memory.hook, 0, MEMFS_BLOCK_MOST, &encoder), -EINVAL);
    assert_result(memfs_encoder_create(&f->memory.hook, 20, MEMFS_BLOCK_MOST, &encoder), -EINVAL);
    assert_ok(memfs_encoder_create(&f->memory.hook, 19, MEMFS_BLOCK_MOST, &encoder));
    memfs_encoder_destroy(encoder);
    memfs_encoder_destroy(NULL);
    memfs_decoder_destroy(NULL);
}

#define test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_codec__round_trip),
        test(test_codec__prefixes),
        test(test_codec__random_bytes_stay_raw),
        test(test_codec__one_byte),
        test(test_codec__lengths_that_lie),
        test(test_codec__two_frames),
        test(test_codec__skippable_frame),
        test(test_codec__dictionary_and_window),
        test(test_codec__checksum),
        test(test_codec__blocks_larger_than_the_window),
        test(test_codec__unknown_codec),
        test(test_codec__turned_bits),
        test(test_codec__no_memory),
        test(test_codec__levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
