/*
 * Tables into which a stranger's strings and sizes go: those that meet by hashes that anybody can compute do not
 * meet there, since each table has a secret.
 */
#include "ahead.h"
#include "attributes.h"
#include "host_map.h"
#include "host_scan_xattrs.h"
#include "share.h"
#include "testlib.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define MANY 1000u
#define RUN_MOST 300u /* of slots in use side by side: at random some tens, hundreds if all meet */
#define STEP 0x9e3779b97f4a7c15u

/* ---- What meets: words of 8 bytes with a chosen hash ------------------------------------------------------ */

static uint64_t inverse(uint64_t a)
{
    uint64_t x = a;
    for (int i = 0; i < 6; i++)
        x *= 2 - a * x;
    return x;
}

static uint64_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdu;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53u;
    return x ^ x >> 33;
}

static uint64_t unmix(uint64_t x)
{
    x ^= x >> 33;
    x *= inverse(0xc4ceb9fe1a85ec53u);
    x ^= x >> 33;
    x *= inverse(0xff51afd7ed558ccdu);
    return x ^ x >> 33;
}

/* By the hosts' hash, without a secret. */
static uint64_t word_of_host(uint64_t hash)
{
    const uint64_t word = unmix(hash - STEP) ^ mix(mix(8 + STEP));
    assert_true(memfs_host_hash(0, &word, 8) == hash);
    return word;
}

static uint64_t rotate(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

/* By XXH3 without a seed. */
static uint64_t word_of_xxh3(uint64_t hash)
{
    const uint64_t back = inverse(0x9fb21c651e98df25u);
    uint64_t x = hash ^ hash >> 28 ^ hash >> 56, word;
    x *= back;
    x ^= (x >> 35) + 8;
    x *= back;
    for (int i = 0; i < 63; i++)
        x ^= rotate(x, 49) ^ rotate(x, 24);
    x = rotate(x ^ XXH_readLE64(XXH3_kSecret + 8) ^ XXH_readLE64(XXH3_kSecret + 16), 32);
    uint8_t bytes[8];
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(x >> (8 * i));
    assert_true(XXH3_64bits(bytes, 8) == hash);
    memcpy(&word, bytes, 8);
    return word;
}

/* By a product with a number that was known. */
static uint64_t word_of_product(uint64_t product)
{
    return rotate(product, 32) * inverse(STEP);
}

/* By where digests were looked for. */
static uint64_t word_of_digest(uint64_t place)
{
    const uint64_t mixed = (place ^ place >> 32) * inverse(STEP);
    return mixed ^ mixed >> 32;
}

typedef uint64_t word_fn(uint64_t hash);

/* The i-th of those that meet: the hash's low half is the same. */
static uint64_t meeting(word_fn *word_of, uint32_t i)
{
    return word_of((uint64_t)i << 32 | 0x12345678);
}

/* ---- How far they are apart ------------------------------------------------------------------------------- */

struct run {
    size_t length, most, used;
};

static void see(struct run *run, int in_use)
{
    run->length = in_use ? run->length + 1 : 0;
    run->used += (size_t)in_use;
    if (run->length > run->most)
        run->most = run->length;
}

static void expect_spread(const struct run *run)
{
    assert_in_range(run->used, MANY, MANY + 1);
    assert_in_range(run->most, 2, RUN_MOST);
}

static void expect_slots_spread(const uint64_t *slots, size_t room)
{
    struct run run = {0};
    for (size_t i = 0; i < room; i++)
        see(&run, slots[i] != 0);
    expect_spread(&run);
}

/* ---- Freezing --------------------------------------------------------------------------------------------- */

struct scene {
    struct memfs_detail detail;
    struct memfs_freezing job;
    struct memfs_order order;
};

static void begin(struct scene *scene, memfs *fs)
{
    struct memfs_statfs statfs;
    *scene = (struct scene){.job.fs = fs};
    assert_ok(memfs_statfs(fs, &statfs));
    scene->job.allocator = memfs_allocator_or_default(NULL);
    scene->job.detail = &scene->detail;
    scene->job.changes = statfs.changes;
    assert_ok(memfs_pool_create(&scene->job.allocator, 1, &scene->job.pool));
    memfs_order_begin(&scene->order, &scene->job);
    assert_ok(memfs_order_walk(&scene->order));
}

static void end(struct scene *scene)
{
    memfs_order_end(&scene->order);
    memfs_pool_destroy(scene->job.pool);
}

static void check_links(struct test_state *test, word_fn *word_of)
{
    struct scene scene;
    struct memfs_attributes attributes;
    char name[16], target[9] = {0};
    memfs *fs = test_create(test, NULL);
    for (uint32_t i = 0, made = 0; made < MANY; i++) {
        const uint64_t word = meeting(word_of, i);
        memcpy(target, &word, 8);
        if (strlen(target) < 8)
            continue;
        snprintf(name, sizeof name, "%u", made++);
        assert_ok(memfs_symlink(fs, NULL, target, name));
    }
    begin(&scene, fs);
    memfs_attributes_begin(&attributes, &scene.job);
    assert_ok(memfs_attributes_gather(&attributes, &scene.order));
    expect_slots_spread(attributes.intern.strings.slots, attributes.intern.strings.room);
    memfs_attributes_end(&attributes);
    end(&scene);
    memfs_destroy(fs);
}

static void test_secrets__strings_of_an_image(void **state)
{
    check_links(*state, word_of_xxh3);
    check_links(*state, word_of_host);
}

static void check_sizes(struct test_state *test, word_fn *word_of)
{
    struct scene scene;
    struct memfs_ahead ahead;
    struct memfs_unit *unit = NULL;
    char name[16];
    memfs *fs = test_create(test, NULL);
    for (uint32_t i = 0, made = 0; made < MANY; i++) {
        const uint64_t size = meeting(word_of, i);
        if (size >> 63 || size <= MEMFS_UNIT_BYTES)
            continue;
        snprintf(name, sizeof name, "%u", made++);
        test_put_text(fs, name, "");
        assert_ok(memfs_truncate(fs, NULL, name, size));
    }
    begin(&scene, fs);
    assert_ok(memfs_ahead_begin(&ahead, &scene.order, 1, 0, 1));
    for (uint32_t i = 0; i < MANY; i++, memfs_ahead_give(&ahead)) {
        assert_ok(memfs_ahead_take(&ahead, &unit));
        assert_non_null(unit);
    }
    expect_slots_spread(ahead.sizes, ahead.sizes_room);
    memfs_ahead_end(&ahead);
    end(&scene);
    memfs_destroy(fs);
}

static void test_secrets__sizes_of_an_image(void **state)
{
    check_sizes(*state, word_of_product);
    check_sizes(*state, word_of_host);
}

static void put_files(memfs *fs)
{
    char name[16];
    for (uint32_t i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "%u", i);
        test_put_text(fs, name, "");
    }
}

/* The i-th file has a digest. */
static void add(struct scene *scene, struct memfs_share *share, uint32_t i, uint64_t digest)
{
    struct memfs_order_node *node = memfs_order_at(&scene->order, 2 + i);
    node->digest.low = (uint32_t)digest;
    node->digest.high = (uint32_t)(digest >> 32);
    assert_ok(memfs_share_add(share, 2 + i));
}

static void check_digests(struct scene *scene, word_fn *word_of)
{
    struct memfs_share share;
    struct run run = {0};
    assert_ok(memfs_share_begin(&share, &scene->order, NULL, NULL));
    for (uint32_t i = 0; i < MANY; i++)
        add(scene, &share, i, meeting(word_of, i));
    for (size_t i = 0; i < share.slots_room; i++)
        see(&run, share.slots[i] != 0);
    expect_spread(&run);
    memfs_share_end(&share);
}

static void test_secrets__digests_of_an_image(void **state)
{
    struct test_state *test = *state;
    struct scene scene;
    put_files(test->fs);
    begin(&scene, test->fs);
    check_digests(&scene, word_of_digest);
    check_digests(&scene, word_of_host);
    end(&scene);
}

/* Half of the files have one digest, as nobody prevents. No more of them are kept than are looked at, and in their
 * order, whatever the secret is: the bytes of images must not show it. */
static void test_secrets__files_of_one_digest(void **state)
{
    struct test_state *test = *state;
    struct scene scene;
    put_files(test->fs);
    begin(&scene, test->fs);
    for (uint64_t secret = 0; secret < 100; secret++) {
        struct memfs_share share;
        uint32_t last = 0, seen = 0;
        size_t start = 0;
        assert_ok(memfs_share_begin(&share, &scene.order, NULL, NULL));
        share.secret = secret;
        for (uint32_t i = 0; i < MANY; i++)
            add(&scene, &share, i, i % 2 ? i : 1u << 20);
        assert_int_equal(share.slots_used, MANY / 2 + 64);
        while (share.slots[start])
            start++;
        for (size_t i = 0; i < share.slots_room; i++) {
            const uint32_t number = (uint32_t)share.slots[(start + i) & (share.slots_room - 1)];
            if (!number || number % 2)
                continue;
            assert_true(number > last);
            last = number;
            seen++;
        }
        assert_int_equal(seen, 64);
        assert_int_equal(last, 2 + 2 * 63);
        memfs_share_end(&share);
    }
    end(&scene);
}

/* ---- Scanning --------------------------------------------------------------------------------------------- */

static void test_secrets__strings_of_a_scan(void **state)
{
    const struct memfs_allocator allocator = memfs_allocator_or_default(NULL);
    struct memfs_scan_tables tables;
    struct memfs_scan_xattrs xattrs;
    uint64_t offset = 0;
    (void)state;
    assert_ok(memfs_scan_tables_init(&tables, &allocator));
    assert_ok(memfs_scan_xattrs_init(&xattrs, &tables));
    for (uint32_t i = 0; i < MANY; i++) {
        const uint64_t word = meeting(word_of_host, i);
        assert_ok(memfs_intern_string(&xattrs.intern, &word, 8, &offset));
    }
    expect_slots_spread(xattrs.intern.strings.slots, xattrs.intern.strings.room);
    memfs_scan_xattrs_free(&xattrs);
    memfs_scan_tables_free(&tables);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_fs(test_secrets__strings_of_an_image), test_with_fs(test_secrets__sizes_of_an_image),
        test_with_fs(test_secrets__digests_of_an_image), test_with_fs(test_secrets__files_of_one_digest),
        test_with_fs(test_secrets__strings_of_a_scan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
