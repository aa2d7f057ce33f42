/*
 * Opens the input as an image with a small cache, verifies it, walks all of it
 * and reads everything, up to a budget.
 *
 * Properties: no crash, no leak, bounded memory; a failure that is told of has
 * a text; whatever memfs_verify() calls intact can be read without an error.
 */
#include "fuzz.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define PATHS_MOST 20000u      /* visited in one input */
#define BYTES_MOST (16u << 20) /* read in one input */
#define BYTES_MOST_OF_FILE (1u << 20)

struct visit {
    memfs *fs;
    int intact; /* memfs_verify() found nothing: no call may fail */
    unsigned paths;
    uint64_t bytes;
    char buffer[1u << 16];
};

/* Any result is right of an image that is not intact. */
static int64_t result(const struct visit *visit, int64_t got, const char *call, const char *path)
{
    FUZZ_REQUIRE(got >= 0 || !visit->intact, "%s(%s) is %lld, %s", call, path, (long long)got,
                 memfs_strerror((int)got));
    return got;
}

static void read_attributes(struct visit *visit, const char *path, memfs_node node)
{
    static const size_t room = sizeof visit->buffer;
    int64_t length = result(visit, memfs_node_listxattr(visit->fs, NULL, node, visit->buffer, room), "list", path);
    for (int64_t i = 0; i < length; i += (int64_t)strlen(visit->buffer + i) + 1) {
        char value[512];
        int64_t size = memfs_node_getxattr(visit->fs, NULL, node, visit->buffer + i, value, sizeof value);
        if (size != -ERANGE)
            result(visit, size, "getxattr", path);
    }
}

/* Reads a range, and looks at the same bytes by view. */
static int64_t read_range(struct visit *visit, const char *path, memfs_node node, uint64_t offset)
{
    int64_t got = memfs_node_read(visit->fs, node, offset, visit->buffer, sizeof visit->buffer);
    if (result(visit, got, "read", path) <= 0)
        return got;
    struct memfs_view view;
    int error = memfs_node_view(visit->fs, node, offset, (size_t)got, &view);
    result(visit, error, "view", path);
    if (error)
        return error;
    FUZZ_REQUIRE(view.length >= 1 && view.length <= (size_t)got, "%zu of %lld", view.length, (long long)got);
    FUZZ_REQUIRE(memcmp(view.data, visit->buffer, view.length) == 0, "view and read of %s at %llu", path,
                 (unsigned long long)offset);
    memfs_view_release(visit->fs, &view);
    visit->bytes += (uint64_t)got;
    return got;
}

static void read_contents(struct visit *visit, const char *path, const struct memfs_stat *stat)
{
    uint64_t offset = 0;
    while (offset < stat->size && offset < BYTES_MOST_OF_FILE && visit->bytes < BYTES_MOST) {
        int64_t got = read_range(visit, path, stat->node, offset);
        if (got <= 0)
            break;
        offset += (uint64_t)got;
    }
    if (stat->size > BYTES_MOST_OF_FILE)
        read_range(visit, path, stat->node, stat->size - 100);
    /* Data and holes, from one to the other. */
    offset = 0;
    for (int i = 0; i < 100 && offset < stat->size; i++) {
        int64_t at = memfs_node_seek(visit->fs, stat->node, offset, i % 2 ? MEMFS_SEEK_HOLE : MEMFS_SEEK_DATA);
        if (at == -ENXIO)
            break;
        if (result(visit, at, "seek", path) < 0)
            break;
        FUZZ_REQUIRE((uint64_t)at >= offset, "%lld before %llu", (long long)at, (unsigned long long)offset);
        offset = (uint64_t)at;
    }
    uint64_t digest;
    (void)memfs_node_digest(visit->fs, stat->node, &digest);
}

static int visit_path(void *context, const char *path, const struct memfs_stat *stat)
{
    struct visit *visit = context;
    memfs_node node;
    int error = memfs_resolve(visit->fs, NULL, path, 0, &node);
    result(visit, error, "resolve", path);
    if (!error) {
        FUZZ_REQUIRE(node == stat->node, "%s", path);
        memfs_node_forget(visit->fs, node, 1);
    }
    read_attributes(visit, path, stat->node);
    switch (stat->mode & MEMFS_IFMT) {
    case MEMFS_IFLNK:
        result(visit, memfs_node_readlink(visit->fs, stat->node, visit->buffer, sizeof visit->buffer), "readlink",
               path);
        break;
    case MEMFS_IFREG:
        read_contents(visit, path, stat);
        break;
    default:
        break;
    }
    return ++visit->paths < PATHS_MOST && visit->bytes < BYTES_MOST ? 0 : 2; /* 2: enough */
}

static void visit_image(memfs_image *image, const struct memfs_allocator *allocator, int intact)
{
    static struct visit visit;
    visit = (struct visit){.intact = intact};
    struct memfs_options options = {
        .size = sizeof options, .allocator = allocator, .backing = memfs_image_backing(image)};
    int error = memfs_create(&options, &visit.fs);
    result(&visit, error, "create", "/");
    if (error)
        return;
    error = memfs_walk(visit.fs, NULL, "/", MEMFS_WALK_SORTED, visit_path, &visit);
    result(&visit, error, "walk", "/");
    memfs_destroy(visit.fs);
}

static int sum_stored(void *context, const struct memfs_image_block *block)
{
    if (block->level == 0 && strcmp(block->table, "blocks") == 0)
        *(uint64_t *)context += block->stored;
    return 0;
}

/* What the blocks of an image that is whole have together is what its root says. */
static void survey(memfs_image *image, size_t size, int whole)
{
    uint64_t stored = 0;
    struct memfs_detail detail = {0};
    int error = memfs_image_blocks(image, sum_stored, &stored, &detail);
    FUZZ_REQUIRE(!error || (detail.error == error && detail.text[0]), "%d told as %d: %s", error, detail.error,
                 detail.text);
    FUZZ_REQUIRE(stored <= size, "blocks of %" PRIu64 " bytes in an image of %zu", stored, size);
    struct memfs_image_info *info = malloc(sizeof *info);
    if (info && memfs_image_info(image, info) == 0)
        FUZZ_REQUIRE(!whole || (!error && stored == info->stored_bytes),
                     "%d: %" PRIu64 " bytes, the root says %" PRIu64, error, stored, info->stored_bytes);
    free(info);
}

const enum fuzz_kind fuzz_kind = FUZZ_IMAGE;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_memory memory;
    fuzz_memory_begin(&memory);
    struct memfs_image_options options = {.size = sizeof options, .allocator = &memory.hook, .cache_bytes = 256u << 10};
    struct memfs_detail detail = {0};
    memfs_image *image = NULL;

    int error = memfs_image_open_buffer(data, size, &options, &image, &detail);
    fuzz_count(!error);
    if (error) {
        FUZZ_REQUIRE(detail.error == error && detail.text[0], "%d told as %d: %s", error, detail.error, detail.text);
    } else {
        struct memfs_verify_options verify = {.size = sizeof verify};
        int whole = memfs_verify(image, &verify, &detail);
        FUZZ_REQUIRE(!whole || detail.text[0], "%d without a text", whole);
        verify.quick = 1;
        int quick = memfs_verify(image, &verify, &detail);
        FUZZ_REQUIRE(whole || !quick, "whole finds nothing, quick %s", detail.text);
        survey(image, size, !whole);
        visit_image(image, &memory.hook, !whole);
        memfs_image_close(image);
    }
    fuzz_memory_end(&memory);
    return 0;
}
