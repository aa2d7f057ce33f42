/*
 * Makes trees to measure with, the same ones every time.
 *
 * make_files small FILES DIR     so many files of 50 to 450 bytes, a thousand in a directory
 * make_files versions COUNT DIR  so many versions of 40 files of 100 to 500 KB: each changes
 *                                some lines of the one before
 */
#define _GNU_SOURCE
#include "bench.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define VERSION_FILES 40u
#define LINE_CHANGES 1000u /* one line in so many is another in the next version */

static const char *const words[] = {
    "block", "chunk", "const",  "entry", "extent", "for",    "hash", "if",     "image", "int",    "length",
    "name",  "node",  "offset", "out",   "read",   "return", "size", "struct", "table", "uint64", "while",
};

static uint64_t line_seed(uint64_t file, uint64_t line, uint64_t version)
{
    uint64_t seed = file << 32 | line;
    for (uint64_t v = 1; v <= version; v++) {
        uint64_t changes = file << 40 ^ line << 8 ^ v;
        if (bench_draw(&changes) % LINE_CHANGES == 0)
            seed ^= v << 56;
    }
    return seed;
}

static size_t put_line(char *text, uint64_t seed)
{
    size_t length = 0;
    uint64_t count = 3 + bench_draw(&seed) % 9;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t draw = bench_draw(&seed);
        const char *word = words[draw % (sizeof words / sizeof *words)];
        length += (size_t)sprintf(text + length, draw >> 32 & 1 ? "%s " : "%s_%u ", word, (unsigned)(draw >> 48 & 255));
    }
    text[length - 1] = '\n';
    return length;
}

static void write_file(int dir, const char *name, const char *text, size_t length)
{
    int fd = (int)bench_system(openat(dir, name, O_WRONLY | O_CREAT | O_EXCL, 0644), name);
    if (write(fd, text, length) != (ssize_t)length)
        bench_die(name, 0);
    close(fd);
}

static int make_dir(const char *parent, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", parent, name);
    bench_system(mkdir(path, 0755), path);
    return (int)bench_system(open(path, O_RDONLY | O_DIRECTORY), path);
}

static void make_small(uint32_t files, const char *root)
{
    char name[32], text[1024];
    int dir = -1;
    for (uint32_t i = 0; i < files; i++) {
        uint64_t seed = i;
        size_t length = 0, least = 50 + bench_draw(&seed) % 300;
        if (i % 1000 == 0) {
            if (dir >= 0)
                close(dir);
            snprintf(name, sizeof name, "dir-%04u", i / 1000);
            dir = make_dir(root, name);
        }
        for (uint64_t line = 0; length < least; line++)
            length += put_line(text + length, line_seed(i, line, 0));
        snprintf(name, sizeof name, "file-%07u.txt", i);
        write_file(dir, name, text, length);
    }
    if (dir >= 0)
        close(dir);
}

static void make_versions(uint32_t count, const char *root)
{
    char name[32], *text = bench_alloc(MIB);
    for (uint32_t version = 0; version < count; version++) {
        snprintf(name, sizeof name, "version-%u", version);
        int dir = make_dir(root, name);
        for (uint32_t file = 0; file < VERSION_FILES; file++) {
            uint64_t seed = file;
            size_t length = 0, least = 100000 + bench_draw(&seed) % 400000;
            for (uint64_t line = 0; length < least; line++)
                length += put_line(text + length, line_seed(file, line, version));
            snprintf(name, sizeof name, "file-%02u.c", file);
            write_file(dir, name, text, length);
        }
        close(dir);
    }
    free(text);
}

int main(int argc, char **argv)
{
    uint32_t count = argc == 4 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
    if (count == 0) {
        fprintf(stderr, "usage: make_files small|versions COUNT DIR\n");
        return 2;
    }
    if (mkdir(argv[3], 0755) != 0 && errno != EEXIST)
        bench_system(-1, argv[3]);
    if (strcmp(argv[1], "versions") == 0)
        make_versions(count, argv[3]);
    else
        make_small(count, argv[3]);
    return 0;
}
