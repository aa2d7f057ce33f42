#define _GNU_SOURCE /* nftw() */
#include "testlib.h"

#include "backing.h"

#include <ftw.h>
#include <sys/stat.h>
#include <time.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

/* ---- Checks ---------------------------------------------------------------- */

void test_result(int64_t result, int64_t want, const char *text, const char *file, int line)
{
    if (result == want)
        return;
    print_error("%s\n  is   %" PRId64 "%s%s\n  want %" PRId64 "%s%s\n", text, result, result < 0 ? ": " : "",
                result < 0 ? memfs_strerror((int)result) : "", want, want < 0 ? ": " : "",
                want < 0 ? memfs_strerror((int)want) : "");
    _fail(file, line);
}

void test_either(int64_t result, int64_t one, int64_t other, const char *text, const char *file, int line)
{
    if (result != other)
        test_result(result, one, text, file, line);
}

/* ---- Time ------------------------------------------------------------------- */

int64_t test_clock_read(void *context)
{
    return atomic_load(&((struct test_clock *)context)->now);
}

/* ---- Memory ------------------------------------------------------------------ */

#define MEMORY_MAGIC 0x6d656d6673746573u

struct memory_header {
    _Alignas(16) uint64_t size;
    uint64_t magic;
};

static void *memory_alloc(void *context, size_t size)
{
    struct test_memory *memory = context;
    uint64_t call = atomic_fetch_add(&memory->calls, 1) + 1, fail_at = atomic_load(&memory->fail_at);
    if ((fail_at && (call == fail_at || (call > fail_at && atomic_load(&memory->fail_after)))) ||
        atomic_load(&memory->live) + size > memory->live_most) {
        atomic_fetch_add(&memory->failures, 1);
        return NULL;
    }
    struct memory_header *header = malloc(sizeof *header + size);
    if (!header)
        return NULL;
    header->size = size;
    header->magic = MEMORY_MAGIC;
    memset(header + 1, 0xa5, size < 4096 ? size : 4096);
    uint64_t live = atomic_fetch_add(&memory->live, size) + size, peak = atomic_load(&memory->peak);
    while (live > peak && !atomic_compare_exchange_weak(&memory->peak, &peak, live))
        ;
    return header + 1;
}

static void memory_free(void *context, void *pointer, size_t size)
{
    struct test_memory *memory = context;
    struct memory_header *header = (struct memory_header *)pointer - 1;
    if (header->magic != MEMORY_MAGIC || header->size != size) {
        print_error("freed with size %zu, allocated with %" PRIu64 "\n", size, header->size);
        abort();
    }
    header->magic = 0;
    memset(pointer, 0x5a, size < 4096 ? size : 4096);
    atomic_fetch_sub(&memory->live, size);
    free(header);
}

/* What is taken and given back a thousand times is not had from the kernel each time: that is most of what it takes. */
__attribute__((constructor)) static void keep_freed_memory(void)
{
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
    mallopt(M_TOP_PAD, 4 << 20);
#endif
}

void test_memory_init(struct test_memory *memory)
{
    memset(memory, 0, sizeof *memory);
    memory->live_most = UINT64_MAX;
    memory->hook = (struct memfs_allocator){.alloc = memory_alloc, .free = memory_free, .context = memory};
}

void test_memory_fail(struct test_memory *memory, uint64_t nth, int after)
{
    atomic_store(&memory->fail_after, after);
    atomic_store(&memory->fail_at, atomic_load(&memory->calls) + nth);
}

void test_memory_heal(struct test_memory *memory)
{
    atomic_store(&memory->fail_at, 0);
    atomic_store(&memory->fail_after, 0);
}

/* ---- Bytes -------------------------------------------------------------------- */

void test_buffer_add(struct test_buffer *buffer, const void *data, size_t length)
{
    if (buffer->length + length > buffer->room) {
        buffer->room = (buffer->length + length) * 2 + 64;
        buffer->data = realloc(buffer->data, buffer->room);
        if (!buffer->data)
            abort();
    }
    if (length)
        memcpy(buffer->data + buffer->length, data, length);
    buffer->length += length;
}

void test_buffer_print(struct test_buffer *buffer, const char *format, ...)
{
    char small[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(small, sizeof small, format, arguments);
    va_end(arguments);
    if (length < 0)
        abort();
    if ((size_t)length < sizeof small) {
        test_buffer_add(buffer, small, (size_t)length);
        return;
    }
    char *large = malloc((size_t)length + 1);
    if (!large)
        abort();
    va_start(arguments, format);
    vsnprintf(large, (size_t)length + 1, format, arguments);
    va_end(arguments);
    test_buffer_add(buffer, large, (size_t)length);
    free(large);
}

void test_same_bytes(const struct test_buffer *got, const struct test_buffer *want)
{
    assert_int_equal(got->length, want->length);
    assert_memory_equal(got->data, want->data, got->length);
}

void test_buffer_free(struct test_buffer *buffer)
{
    free(buffer->data);
    memset(buffer, 0, sizeof *buffer);
}

static int buffer_write(void *context, const void *data, size_t length)
{
    struct test_buffer *buffer = context;
    if (buffer->limit && buffer->length + length > buffer->limit)
        return -ENOSPC;
    test_buffer_add(buffer, data, length);
    return 0;
}

struct memfs_sink test_buffer_sink(struct test_buffer *buffer)
{
    return (struct memfs_sink){.write = buffer_write, .context = buffer};
}

static int source_read(void *context, uint64_t offset, void *data, size_t length)
{
    struct test_source *source = context;
    uint64_t call = atomic_fetch_add(&source->reads, 1) + 1, fail_at = atomic_load(&source->fail_at);
    if (fail_at && (call == fail_at || (call > fail_at && atomic_load(&source->fail_after)))) {
        atomic_fetch_add(&source->failures, 1);
        return -EIO;
    }
    atomic_fetch_add(&source->bytes, length);
    if (offset > source->buffer->length || length > source->buffer->length - offset)
        return -EINVAL;
    if (length)
        memcpy(data, source->buffer->data + offset, length);
    return 0;
}

static void source_close(void *context)
{
    atomic_fetch_add(&((struct test_source *)context)->closed, 1);
}

struct memfs_source test_source_of(struct test_source *source, const struct test_buffer *buffer)
{
    source->buffer = buffer;
    return (struct memfs_source){
        .read_at = source_read, .close = source_close, .context = source, .size = buffer->length};
}

/* ---- Backings that fail --------------------------------------------------------- */

struct fault_backing {
    struct memfs_backing base;
    memfs_backing *inner;
    struct test_fault *fault;
};

/* table is -1 for contents. */
static int fault_now(struct test_fault *fault, int table)
{
    if (fault->only && fault->only != 1 + table)
        return 0;
    if (fault->before)
        fault->before(fault->context);
    uint64_t call = atomic_fetch_add(&fault->calls, 1) + 1, fail_at = atomic_load(&fault->fail_at);
    if (!fail_at || !(call == fail_at || (call > fail_at && atomic_load(&fault->fail_after))))
        return 0;
    atomic_fetch_add(&fault->failures, 1);
    return 1;
}

static int fault_error(const struct test_fault *fault)
{
    return fault->error ? fault->error : -EIO;
}

/* Counts what has been pinned, if it has. */
static int fault_held(struct test_fault *fault, int r)
{
    uint64_t held = r ? 0 : atomic_fetch_add(&fault->held, 1) + 1, most = atomic_load(&fault->held_most);
    while (most < held && !atomic_compare_exchange_weak(&fault->held_most, &most, held))
        continue;
    return r;
}

static void fault_destroy(memfs_backing *backing)
{
    struct fault_backing *self = (struct fault_backing *)backing;
    memfs_backing_release(self->inner);
    free(self);
}

static const void *fault_peek(memfs_backing *backing, enum memfs_table table, uint64_t chunk)
{
    struct fault_backing *self = (struct fault_backing *)backing;
    const int is_cold = self->fault->only == 1 + (int)table && atomic_load(&self->fault->held) == 0;
    return is_cold ? NULL : self->inner->ops->peek(self->inner, table, chunk);
}

static int fault_load(memfs_backing *backing, enum memfs_table table, uint64_t chunk, struct memfs_pin *pin)
{
    struct fault_backing *self = (struct fault_backing *)backing;
    memset(pin, 0, sizeof *pin);
    int r = fault_now(self->fault, (int)table) ? fault_error(self->fault)
                                               : self->inner->ops->load(self->inner, table, chunk, pin);
    return fault_held(self->fault, r);
}

static int fault_read(memfs_backing *backing, uint32_t block, uint64_t start, void *buffer, size_t length)
{
    struct fault_backing *self = (struct fault_backing *)backing;
    return fault_now(self->fault, -1) ? fault_error(self->fault)
                                      : self->inner->ops->read(self->inner, block, start, buffer, length);
}

static int fault_view(memfs_backing *backing, uint32_t block, uint64_t start, size_t length, const void **data,
                      size_t *got, struct memfs_pin *pin)
{
    struct fault_backing *self = (struct fault_backing *)backing;
    size_t most = self->fault->view_most ? 1 + start * 2654435761u / 128 % self->fault->view_most : length;
    length = length < most ? length : most;
    memset(pin, 0, sizeof *pin);
    int r = fault_now(self->fault, -1) ? fault_error(self->fault)
                                       : self->inner->ops->view(self->inner, block, start, length, data, got, pin);
    return fault_held(self->fault, r);
}

static int64_t fault_seek_data(memfs_backing *backing, uint32_t block, uint64_t start, uint64_t length)
{
    memfs_backing *inner = ((struct fault_backing *)backing)->inner;
    return inner->ops->seek_data(inner, block, start, length);
}

static void fault_unpin(memfs_backing *backing, struct memfs_pin *pin)
{
    struct fault_backing *self = (struct fault_backing *)backing;
    memfs_backing *inner = self->inner;
    atomic_fetch_sub(&self->fault->held, 1);
    inner->ops->unpin(inner, pin);
}

static const struct memfs_backing_ops fault_ops = {
    .destroy = fault_destroy,
    .peek = fault_peek,
    .load = fault_load,
    .read = fault_read,
    .view = fault_view,
    .seek_data = fault_seek_data,
    .unpin = fault_unpin,
};

static const struct memfs_backing_ops fault_ops_without_seek = {
    .destroy = fault_destroy,
    .peek = fault_peek,
    .load = fault_load,
    .read = fault_read,
    .view = fault_view,
    .unpin = fault_unpin,
};

memfs_backing *test_fault_backing(memfs_backing *inner, struct test_fault *fault)
{
    struct fault_backing *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    memfs_backing_init(&self->base, inner->ops->seek_data ? &fault_ops : &fault_ops_without_seek, inner->epochs);
    memcpy(self->base.count, inner->count, sizeof inner->count);
    self->base.blocks = inner->blocks;
    self->base.nodes_in_use = inner->nodes_in_use;
    self->base.layers = inner->layers;
    memfs_backing_retain(inner);
    self->inner = inner;
    self->fault = fault;
    return &self->base;
}

/* ---- Directories of the host ------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *at)
{
    (void)stat, (void)type, (void)at;
    return remove(path);
}

int test_remove_tree(const char *path)
{
    struct stat stat;
    return lstat(path, &stat) && errno == ENOENT ? 0 : nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- Random numbers ---------------------------------------------------------------- */

uint64_t test_random_next(struct test_random *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t test_random_below(struct test_random *random, uint64_t below)
{
    return test_random_next(random) % below;
}

void test_random_fill(struct test_random *random, void *data, size_t length)
{
    uint8_t *byte = data;
    for (size_t i = 0; i < length; i++)
        byte[i] = (uint8_t)(test_random_next(random) >> 32);
}

uint8_t *test_random_bytes(uint64_t seed, size_t length)
{
    struct test_random random = {.state = seed};
    uint8_t *bytes = malloc(length + 1);
    assert_non_null(bytes);
    test_random_fill(&random, bytes, length);
    return bytes;
}

uint64_t test_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

int test_is_fast(void)
{
    return test_environment("MEMFS_FAST", 0) != 0;
}

uint64_t test_slowness(void)
{
    return test_is_fast() ? test_environment("MEMFS_SLOW", 1) : 1;
}

uint64_t test_step(uint64_t fast)
{
    if (!test_is_fast())
        return 1;
    return test_slowness() > 1 ? (fast * test_slowness()) | 1 : fast;
}

uint64_t test_seed(void)
{
    uint64_t seed = test_environment("MEMFS_SEED", (uint64_t)time(NULL));
    print_message("seed %" PRIu64 " (MEMFS_SEED)\n", seed);
    return seed;
}

/* ---- Filesystems ---------------------------------------------------------------------- */

memfs *test_create(struct test_state *state, memfs_backing *backing)
{
    struct memfs_options options = {
        .size = sizeof options,
        .allocator = &state->memory.hook,
        .clock = test_clock_read,
        .clock_context = &state->clock,
        .backing = backing,
    };
    memfs *fs = NULL;
    assert_ok(memfs_create(&options, &fs));
    return fs;
}

int test_setup(void **state)
{
    struct test_state *made = calloc(1, sizeof *made);
    if (!made)
        return -1;
    *state = made;
    test_memory_init(&made->memory);
    made->clock.now = 1000;
    made->fs = test_create(made, NULL);
    return 0;
}

int test_teardown(void **state)
{
    struct test_state *made = *state;
    memfs_destroy(made->fs);
    uint64_t left = atomic_load(&made->memory.live);
    free(made);
    if (left)
        print_error("%" PRIu64 " bytes were not given back\n", left);
    return left ? -1 : 0;
}

void test_freeze(memfs *fs, struct test_buffer *out)
{
    struct memfs_sink sink = test_buffer_sink(out);
    struct memfs_detail detail = {0};
    out->length = 0;
    int error = memfs_freeze(fs, &sink, NULL, &detail);
    if (error)
        print_error("freeze: %s\n", detail.text);
    assert_ok(error);
}

static memfs_image *open_image(struct test_state *state, const struct test_buffer *buffer, uint64_t cache_bytes)
{
    struct memfs_image_options options = {
        .size = sizeof options, .allocator = &state->memory.hook, .cache_bytes = cache_bytes};
    struct memfs_detail detail = {0};
    memfs_image *image = NULL;
    int error = memfs_image_open_buffer(buffer->data, buffer->length, &options, &image, &detail);
    if (error)
        print_error("open: %s\n", detail.text);
    assert_ok(error);
    return image;
}

memfs *test_thaw(struct test_state *state, const struct test_buffer *buffer, uint64_t cache_bytes)
{
    memfs_image *image = open_image(state, buffer, cache_bytes);
    memfs *fs = test_create(state, memfs_image_backing(image));
    memfs_image_close(image);
    return fs;
}

memfs *test_thaw_fault(struct test_state *state, const struct test_buffer *buffer, struct test_fault *fault)
{
    memfs_image *image = open_image(state, buffer, 0);
    memfs_backing *backing = test_fault_backing(memfs_image_backing(image), fault);
    memfs *fs = test_create(state, backing);
    memfs_backing_release(backing);
    memfs_image_close(image);
    return fs;
}

void test_reopen(struct test_state *state, struct test_buffer *buffer)
{
    test_freeze(state->fs, buffer);
    memfs_destroy(state->fs);
    state->fs = NULL;
    state->fs = test_thaw(state, buffer, 0);
}

void test_end(struct test_state *state, struct test_buffer *buffer)
{
    memfs_destroy(state->fs);
    state->fs = NULL;
    test_buffer_free(buffer);
}

void test_put(memfs *fs, const char *path, const void *data, size_t length)
{
    memfs_file *file = NULL;
    assert_ok(memfs_open(fs, NULL, path, MEMFS_O_WRITE | MEMFS_O_CREATE | MEMFS_O_TRUNC, 0644, &file));
    assert_result(memfs_write(file, data, length), length);
    memfs_close(file);
}

void test_put_text(memfs *fs, const char *path, const char *text)
{
    test_put(fs, path, text, strlen(text));
}

void test_expect(memfs *fs, const char *path, const void *data, size_t length)
{
    memfs_file *file = NULL;
    assert_ok(memfs_open(fs, NULL, path, MEMFS_O_READ, 0, &file));
    uint8_t *got = malloc(length + 1);
    assert_non_null(got);
    assert_result(memfs_read(file, got, length + 1), length);
    if (length)
        assert_memory_equal(got, data, length);
    free(got);
    memfs_close(file);
}

void test_expect_text(memfs *fs, const char *path, const char *text)
{
    test_expect(fs, path, text, strlen(text));
}

struct memfs_stat test_lstat(memfs *fs, const char *path)
{
    struct memfs_stat stat;
    memset(&stat, 0xee, sizeof stat);
    int error = memfs_lstat(fs, NULL, path, &stat);
    if (error)
        print_error("%s\n", path);
    assert_ok(error);
    return stat;
}

memfs_node test_node(memfs *fs, const char *path)
{
    return test_lstat(fs, path).node;
}

char *test_names(memfs *fs, const char *path)
{
    struct test_buffer names = {0};
    struct memfs_dirent entries[7];
    memfs_node dir = test_node(fs, path);
    uint64_t cursor = 0;
    int64_t count;
    while ((count = memfs_node_readdir(fs, NULL, dir, cursor, entries, 7, 0)) > 0) {
        for (int64_t i = 0; i < count; i++)
            test_buffer_print(&names, "%s ", entries[i].name);
        cursor = entries[count - 1].cursor;
    }
    assert_result(count, 0);
    test_buffer_add(&names, "", 1);
    return (char *)names.data;
}

void test_expect_names(memfs *fs, const char *path, const char *want)
{
    char *names = test_names(fs, path);
    assert_string_equal(names, want);
    free(names);
}

/* ---- The whole as text ------------------------------------------------------------------ */

struct dump {
    memfs *fs;
    unsigned flags;
    struct test_buffer out;
    struct test_buffer links; /* memfs_node of each first path of a node with several */
};

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t length)
{
    const uint8_t *byte = data;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ byte[i]) * 0x100000001b3u;
    return hash;
}

static int all_zero(const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (data[i])
            return 0;
    return 1;
}

/* One range of data, in aligned pages; pages of zeros count as holes. */
static int64_t dump_range(struct dump *dump, memfs_node node, uint64_t start, uint64_t end, uint64_t *hash)
{
    uint8_t page[4096];
    for (uint64_t at = start & ~(uint64_t)4095; at < end; at += sizeof page) {
        int64_t got = memfs_node_read(dump->fs, node, at, page, sizeof page);
        if (got < 0)
            return got;
        if (all_zero(page, (size_t)got))
            continue;
        *hash = hash_bytes(*hash, &at, sizeof at);
        *hash = hash_bytes(*hash, page, (size_t)got);
    }
    return 0;
}

static void dump_content(struct dump *dump, const struct memfs_stat *stat)
{
    uint64_t hash = 0xcbf29ce484222325u, at = 0;
    for (;;) {
        int64_t start = memfs_node_seek(dump->fs, stat->node, at, MEMFS_SEEK_DATA);
        if (start == -ENXIO)
            break;
        int64_t end = start < 0 ? start : memfs_node_seek(dump->fs, stat->node, (uint64_t)start, MEMFS_SEEK_HOLE);
        int64_t error = end < 0 ? end : dump_range(dump, stat->node, (uint64_t)start, (uint64_t)end, &hash);
        if (error < 0 || end <= start) {
            test_buffer_print(&dump->out, " error=%" PRId64, error);
            return;
        }
        if (dump->flags & TEST_DUMP_HOLES)
            test_buffer_print(&dump->out, " data=%" PRId64 "-%" PRId64, start, end);
        at = (uint64_t)end;
    }
    test_buffer_print(&dump->out, " content=%016" PRIx64, hash);
}

static void dump_xattrs(struct dump *dump, memfs_node node)
{
    char names[4096], value[65536];
    int64_t length = memfs_node_listxattr(dump->fs, NULL, node, names, sizeof names);
    if (length < 0)
        test_buffer_print(&dump->out, " listxattr=%" PRId64, length);
    for (int64_t at = 0; at < length; at += (int64_t)strlen(names + at) + 1) {
        int64_t size = memfs_node_getxattr(dump->fs, NULL, node, names + at, value, sizeof value);
        test_buffer_print(&dump->out, " %s=%" PRId64 ":%016" PRIx64, names + at, size,
                          size > 0 ? hash_bytes(0xcbf29ce484222325u, value, (size_t)size) : 0);
    }
}

static void dump_link(struct dump *dump, const struct memfs_stat *stat)
{
    size_t count = dump->links.length / sizeof stat->node, i;
    for (i = 0; i < count; i++)
        if (memcmp(dump->links.data + i * sizeof stat->node, &stat->node, sizeof stat->node) == 0)
            break;
    if (i == count)
        test_buffer_add(&dump->links, &stat->node, sizeof stat->node);
    test_buffer_print(&dump->out, " same=%zu", i);
}

static int dump_visit(void *context, const char *path, const struct memfs_stat *stat)
{
    struct dump *dump = context;
    uint32_t type = stat->mode & MEMFS_IFMT;
    test_buffer_print(&dump->out, "%s mode=%o nlink=%u owner=%u:%u size=%" PRIu64 " mtime=%" PRId64, path, stat->mode,
                      stat->nlink, stat->uid, stat->gid, stat->size, stat->mtime);
    if (dump->flags & TEST_DUMP_TIMES)
        test_buffer_print(&dump->out, " ctime=%" PRId64 " atime=%" PRId64, stat->ctime, stat->atime);
    if (type == MEMFS_IFCHR || type == MEMFS_IFBLK)
        test_buffer_print(&dump->out, " rdev=%u:%u", stat->rdev_major, stat->rdev_minor);
    if (type != MEMFS_IFDIR && stat->nlink > 1)
        dump_link(dump, stat);
    if (type == MEMFS_IFLNK) {
        char target[MEMFS_TARGET_MAX + 1];
        int64_t length = memfs_node_readlink(dump->fs, stat->node, target, sizeof target);
        test_buffer_print(&dump->out, " target=%" PRId64 ":%.*s", length, length > 0 ? (int)length : 0, target);
    }
    if (type == MEMFS_IFREG)
        dump_content(dump, stat);
    dump_xattrs(dump, stat->node);
    test_buffer_add(&dump->out, "\n", 1);
    return 0;
}

char *test_dump(memfs *fs, unsigned flags)
{
    struct dump dump = {.fs = fs, .flags = flags};
    int error = memfs_walk(fs, NULL, "/", MEMFS_WALK_SORTED, dump_visit, &dump);
    if (error)
        test_buffer_print(&dump.out, "walk=%d\n", error);
    test_buffer_add(&dump.out, "", 1);
    test_buffer_free(&dump.links);
    return (char *)dump.out.data;
}

void test_same_text(const char *got, const char *want, const char *what)
{
    if (strcmp(got, want) == 0)
        return;
    size_t at = 0;
    while (got[at] && got[at] == want[at])
        at++;
    while (at && got[at - 1] != '\n')
        at--;
    print_error("%s: differs\n  is   %.*s\n  want %.*s\n", what, (int)strcspn(got + at, "\n"), got + at,
                (int)strcspn(want + at, "\n"), want + at);
    fail();
}

void test_same_fs(memfs *got, memfs *want, unsigned flags)
{
    char *got_text = test_dump(got, flags), *want_text = test_dump(want, flags);
    test_same_text(got_text, want_text, "filesystems");
    free(got_text);
    free(want_text);
}

void test_build_everything(memfs *fs)
{
    static const struct {
        const char *path;
        uint32_t mode;
    } nodes[] = {{"dev/null", MEMFS_IFCHR | 0666},
                 {"dev/disk", MEMFS_IFBLK | 0660},
                 {"dev/pipe", MEMFS_IFIFO | 0600},
                 {"dev/socket", MEMFS_IFSOCK | 0755}};
    uint8_t data[70000];
    struct test_random random = {.state = 7};
    test_random_fill(&random, data, sizeof data);
    assert_ok(memfs_mkdir(fs, NULL, "dev", 0755));
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
        assert_ok(memfs_mknod(fs, NULL, nodes[i].path, nodes[i].mode, (uint32_t)(i < 2 ? 1 + i : 0),
                              (uint32_t)(i < 2 ? 3 + i : 0)));
    assert_ok(memfs_mkdir(fs, NULL, "a", 01777));
    assert_ok(memfs_mkdir(fs, NULL, "a/b", 0700));
    assert_ok(memfs_mkdir(fs, NULL, "a/b/c", 02755));
    assert_ok(memfs_mkdir(fs, NULL, "a/empty", 0500));
    test_put_text(fs, "a/small", "small\n");
    test_put(fs, "a/b/large", data, sizeof data);
    test_put(fs, "a/b/twin", data, sizeof data);
    test_put(fs, "a/b/c/none", "", 0);
    assert_ok(memfs_link(fs, NULL, "a/small", "a/b/hard"));
    assert_ok(memfs_link(fs, NULL, "dev/pipe", "a/b/pipe"));
    assert_ok(memfs_symlink(fs, NULL, "../small", "a/b/soft"));
    assert_ok(memfs_symlink(fs, NULL, "/nowhere", "a/dangling"));
    assert_ok(memfs_link(fs, NULL, "a/dangling", "a/dangling2"));
    test_put(fs, "sparse", data, 5000);
    assert_result(memfs_node_write(fs, test_node(fs, "sparse"), 200000, data, 5000), 5000);
    assert_ok(memfs_truncate(fs, NULL, "sparse", 1000000));
    struct memfs_setattr set = {
        .set = MEMFS_SET_UID | MEMFS_SET_GID | MEMFS_SET_MTIME, .uid = 12, .gid = 4000000000u, .mtime = -77000000001};
    assert_ok(memfs_setattr(fs, NULL, "a/small", 1, &set));
    assert_ok(memfs_setattr(fs, NULL, "a/dangling", 0, &set));
    set = (struct memfs_setattr){.set = MEMFS_SET_MODE, .mode = 06711};
    assert_ok(memfs_setattr(fs, NULL, "a/b/large", 1, &set));
    assert_ok(memfs_setxattr(fs, NULL, "a", 1, "user.one", "1", 1, 0));
    assert_ok(memfs_setxattr(fs, NULL, "a/small", 1, "user.one", "1", 1, 0));
    assert_ok(memfs_setxattr(fs, NULL, "a/small", 1, "user.empty", "", 0, 0));
    assert_ok(memfs_setxattr(fs, NULL, "a/dangling", 0, "trusted.link", data, 3000, 0));
}
