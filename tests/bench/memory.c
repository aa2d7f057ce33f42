/*
 * Contents in memory, against memcpy, and what files take. (Small files: small.c; look-up by path: lookup.c.)
 *
 * memory [--scale PERCENT] [PART...]
 *
 *   stream   1 GiB written and read in pieces of 1 MiB, and viewed; memcpy
 *   append   one byte at a time
 *   bytes    what a file takes, at the allocator
 *
 * Without parts all of them.
 */
#define _GNU_SOURCE
#include "counted.h"

#include <sys/mman.h>

static unsigned scale = 100;

static uint32_t scaled(uint32_t count)
{
    uint32_t less = (uint32_t)((uint64_t)count * scale / 100);
    return less ? less : 1;
}

static memfs *make_fs(const struct memfs_allocator *allocator)
{
    memfs *fs = NULL;
    struct memfs_options options = {.size = sizeof options, .clock = memfs_clock_coarse, .allocator = allocator};
    bench_check(memfs_create(&options, &fs), "memfs_create");
    return fs;
}

/* ---- 1 GiB ----------------------------------------------------------------------------- */

struct stream {
    uint32_t pieces;
    char *piece; /* MIB bytes: what is written, and where to is read */
    char *plain; /* the same amount, mapped */
    memfs *fs;
    memfs_file *file;
    memfs_node node;
};

static void stream_report(const struct stream *stream, const char *name, double begin)
{
    bench_report(name, (double)stream->pieces * (double)MIB / (bench_now() - begin) / 1e9, "GB/s");
}

static void stream_write(struct stream *stream)
{
    double begin = bench_now();
    for (uint32_t i = 0; i < stream->pieces; i++)
        bench_check(memfs_write(stream->file, stream->piece, MIB), "memfs_write");
    stream_report(stream, "large write memfs", begin);

    begin = bench_now();
    stream->plain = mmap(NULL, stream->pieces * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stream->plain == MAP_FAILED)
        bench_system(-1, "mmap");
    for (uint32_t i = 0; i < stream->pieces; i++)
        memcpy(stream->plain + i * MIB, stream->piece, MIB);
    stream_report(stream, "large write memcpy", begin);
}

/* Keeps the compiler from leaving out a copy that nobody reads. */
static void stream_used(const void *bytes)
{
    __asm__ volatile("" : : "r"(bytes) : "memory");
}

static void stream_read(struct stream *stream)
{
    double here = 0, there = 0;
    for (int round = 0; round < 3; round++) {
        double begin = bench_now();
        for (uint32_t i = 0; i < stream->pieces; i++) {
            if (memfs_node_read(stream->fs, stream->node, i * MIB, stream->piece, MIB) != (int64_t)MIB)
                bench_die("memfs_node_read", 0);
            stream_used(stream->piece);
        }
        double middle = bench_now();
        for (uint32_t i = 0; i < stream->pieces; i++) {
            memcpy(stream->piece, stream->plain + i * MIB, MIB);
            stream_used(stream->piece);
        }
        here += middle - begin;
        there += bench_now() - middle;
    }
    double bytes = 3 * (double)stream->pieces * (double)MIB / 1e9;
    bench_report("large read memfs", bytes / here, "GB/s");
    bench_report("large read memcpy", bytes / there, "GB/s");
}

/* That nothing is copied shows in this: whoever asks twice gets the same bytes, at the
 * same place, and the filesystem has taken no memory. */
static void stream_view(struct stream *stream)
{
    struct memfs_statfs before, after;
    struct memfs_view view, again;
    uint64_t views = 0, copied = 0, end = stream->pieces * MIB;
    bench_check(memfs_statfs(stream->fs, &before), "memfs_statfs");
    double begin = bench_now();
    for (uint64_t at = 0; at < end; views++) {
        bench_check(memfs_node_view(stream->fs, stream->node, at, MIB, &view), "memfs_node_view");
        at += view.length;
        memfs_view_release(stream->fs, &view);
    }
    bench_report("view", (bench_now() - begin) * 1e6, "us/GiB");
    bench_report("view pieces", (double)views, "views/GiB");
    for (uint64_t at = 0; at < end;) {
        bench_check(memfs_node_view(stream->fs, stream->node, at, MIB, &view), "memfs_node_view");
        bench_check(memfs_node_view(stream->fs, stream->node, at, MIB, &again), "memfs_node_view");
        copied += view.data != again.data ? view.length : 0;
        at += view.length;
        memfs_view_release(stream->fs, &again);
        memfs_view_release(stream->fs, &view);
    }
    bench_check(memfs_statfs(stream->fs, &after), "memfs_statfs");
    bench_report("view copied", (double)(copied + after.private_bytes - before.private_bytes), "bytes");
}

/* The host of a virtual machine gives memory at its first touch, in its own time: let that be over. */
static void stream_warm(size_t size)
{
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        bench_system(-1, "mmap");
    memset(memory, 'x', size);
    munmap(memory, size);
}

static void measure_stream(void)
{
    struct stream stream = {.pieces = scaled(1024), .fs = make_fs(NULL), .piece = bench_alloc(MIB)};
    memset(stream.piece, 'x', MIB);
    stream_warm(stream.pieces * 2 * MIB);
    bench_check(memfs_open(stream.fs, NULL, "large", MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &stream.file), "memfs_open");
    stream.node = memfs_file_node(stream.file);
    stream_write(&stream);
    stream_read(&stream);
    stream_view(&stream);
    memfs_close(stream.file);
    memfs_destroy(stream.fs);
    munmap(stream.plain, stream.pieces * MIB);
    free(stream.piece);
}

/* ---- Appends ----------------------------------------------------------------------------- */

static double append_bytes(uint32_t count)
{
    memfs *fs = make_fs(NULL);
    memfs_file *file = NULL;
    bench_check(memfs_open(fs, NULL, "log", MEMFS_O_WRITE | MEMFS_O_APPEND | MEMFS_O_CREATE, 0644, &file),
                "memfs_open");
    double begin = bench_now();
    for (uint32_t i = 0; i < count; i++)
        bench_check(memfs_write(file, "x", 1), "memfs_write");
    double seconds = bench_now() - begin;
    memfs_close(file);
    memfs_destroy(fs);
    return seconds;
}

static void measure_append(void)
{
    uint32_t less = scaled(1000000), more = 10 * less;
    bench_report("append, tenth", append_bytes(less) * 1e9 / less, "ns");
    bench_report("append", append_bytes(more) * 1e9 / more, "ns");
}

/* ---- Bytes a file -------------------------------------------------------------------------- */

#define SMALL 100 /* bytes */

/* Files of so many bytes, with names of 16, a thousand in a directory. */
static double bytes_a_file(uint32_t files, size_t size)
{
    static const char bytes[SMALL];
    char path[48];
    uint64_t before = atomic_load(&counted_bytes);
    memfs *fs = make_fs(&counted);
    for (uint32_t i = 0; i < files; i++) {
        memfs_file *file = NULL;
        snprintf(path, sizeof path, "dir-%04u", i / 1000);
        if (i % 1000 == 0)
            bench_check(memfs_mkdir(fs, NULL, path, 0755), "memfs_mkdir");
        snprintf(path, sizeof path, "dir-%04u/file-%07u.txt", i / 1000, i);
        bench_check(memfs_open(fs, NULL, path, MEMFS_O_WRITE | MEMFS_O_CREATE, 0644, &file), "memfs_open");
        bench_check(memfs_write(file, bytes, size), "memfs_write");
        memfs_close(file);
    }
    double result = (double)(atomic_load(&counted_bytes) - before) / files;
    memfs_destroy(fs);
    return result;
}

static void measure_bytes(void)
{
    bench_report("bytes of an empty file", bytes_a_file(scaled(1000000), 0), "bytes");
    bench_report("bytes of a file of 100", bytes_a_file(scaled(1000000), SMALL), "bytes");
}

/* ---- What is asked for ------------------------------------------------------------------------ */

static const struct part {
    const char *name;
    void (*measure)(void);
} parts[] = {
    {"stream", measure_stream},
    {"append", measure_append},
    {"bytes", measure_bytes},
};
#define PARTS (sizeof parts / sizeof *parts)

static void measure(const char *name)
{
    for (size_t i = 0; i < PARTS; i++) {
        if (strcmp(parts[i].name, name) == 0) {
            parts[i].measure();
            return;
        }
    }
    fprintf(stderr, "memory: no such part: %s\n", name);
    exit(2);
}

int main(int argc, char **argv)
{
    int at = 1;
    if (argc > 2 && strcmp(argv[at], "--scale") == 0) {
        scale = (unsigned)atoi(argv[at + 1]);
        at += 2;
    }
    for (size_t i = 0; at == argc && i < PARTS; i++)
        parts[i].measure();
    for (; at < argc; at++)
        measure(argv[at]);
    return 0;
}
