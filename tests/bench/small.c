/*
 * Small files: create, stat, open and read, overwrite, list, unlink, and create again; in memfs by its calls, in a
 * plain hash (plain.h), and in a tmpfs by system calls. At last some of it beside another thread.
 *
 * small [--tmpfs DIR] FILES
 *
 * 200 files in a directory, 100 bytes each. Without --tmpfs nothing is measured there.
 */
#define _GNU_SOURCE
#include "plain.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#define SMALL 100 /* bytes */
#define SMALL_PER_DIR 200
#define PATH_SIZE 48
#define FILE_HERE 1024  /* bytes: a file takes less, in memfs and in the hash, */
#define FILE_THERE 6144 /* and in a tmpfs */

/* So that what is measured is not how a virtual machine's host gives memory: what has long been free it takes back, and
 * gives it again page by page, at many times the cost of a page that is there. Touches so many bytes and frees them,
 * by huge pages and by small ones: the kernel keeps them apart. */
static void warm(size_t size)
{
    static const int advice[] = {MADV_HUGEPAGE, MADV_NOHUGEPAGE};
    for (size_t i = 0; i < sizeof advice / sizeof *advice; i++) {
        unsigned char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED)
            bench_die("memory", -ENOMEM);
        madvise(memory, size, advice[i]);
        memset(memory, 1, size);
        munmap(memory, size);
    }
}

/* The same paths for all: relative to the root here, to the working directory there. */
struct small {
    uint32_t files, dirs;
    char (*paths)[PATH_SIZE];    /* in order of making */
    char (*shuffled)[PATH_SIZE]; /* and in none, laid out as they are asked for: no path has to be waited for */
    memfs *fs;
    struct plain hash;
    char bytes[SMALL];
};

static void small_path(uint32_t number, char path[PATH_SIZE])
{
    snprintf(path, PATH_SIZE, "directory-%04u/file-%06u.txt", number / SMALL_PER_DIR, number);
}

static void small_init(struct small *small, uint32_t files)
{
    const struct memfs_options options = {.size = sizeof options, .clock = memfs_clock_coarse};
    *small = (struct small){.files = files, .dirs = (files + SMALL_PER_DIR - 1) / SMALL_PER_DIR};
    bench_check(memfs_create(&options, &small->fs), "memfs_create");
    plain_init(&small->hash, small->files + small->dirs);
    small->paths = bench_alloc(small->files * sizeof *small->paths);
    small->shuffled = bench_alloc(small->files * sizeof *small->shuffled);
    uint32_t *order = bench_shuffled(small->files, 1);
    for (uint32_t i = 0; i < small->files; i++) {
        small_path(i, small->paths[i]);
        small_path(order[i], small->shuffled[i]);
    }
    free(order);
    memset(small->bytes, 'x', SMALL);
}

static void small_free(struct small *small)
{
    memfs_destroy(small->fs);
    plain_free(&small->hash);
    free(small->paths);
    free(small->shuffled);
}

static const char *small_dir(uint32_t number)
{
    static char name[PATH_SIZE];
    snprintf(name, sizeof name, "directory-%04u", number);
    return name;
}

static void here_mkdir(struct small *small)
{
    for (uint32_t i = 0; i < small->dirs; i++)
        bench_check(memfs_mkdir(small->fs, NULL, small_dir(i), 0755), "memfs_mkdir");
}

static void here_create(struct small *small)
{
    for (uint32_t i = 0; i < small->files; i++) {
        memfs_file *file = NULL;
        bench_check(memfs_open(small->fs, NULL, small->paths[i], MEMFS_O_WRITE | MEMFS_O_CREATE, 0644, &file),
                    "memfs_open");
        bench_check(memfs_write(file, small->bytes, SMALL), "memfs_write");
        memfs_close(file);
    }
}

static void here_stat(struct small *small)
{
    struct memfs_stat status;
    for (uint32_t i = 0; i < small->files; i++)
        bench_check(memfs_stat(small->fs, NULL, small->shuffled[i], &status), "memfs_stat");
}

static void here_read(struct small *small)
{
    char buffer[4096];
    for (uint32_t i = 0; i < small->files; i++) {
        memfs_file *file = NULL;
        bench_check(memfs_open(small->fs, NULL, small->shuffled[i], MEMFS_O_READ, 0, &file), "memfs_open");
        if (memfs_read(file, buffer, sizeof buffer) != SMALL)
            bench_die("memfs_read", 0);
        memfs_close(file);
    }
}

static void here_overwrite(struct small *small)
{
    memfs_file *file = NULL;
    bench_check(memfs_open(small->fs, NULL, small->paths[0], MEMFS_O_RDWR, 0, &file), "memfs_open");
    for (uint32_t i = 0; i < small->files; i++) {
        bench_check(memfs_pwrite(file, small->bytes, 16, i % 64), "memfs_pwrite");
        bench_check(memfs_pread(file, small->bytes, 16, i % 64), "memfs_pread");
    }
    memfs_close(file);
}

static void here_list(struct small *small)
{
    struct memfs_dirent entries[64];
    uint32_t seen = 0;
    for (uint32_t i = 0; i < small->dirs; i++) {
        memfs_node dir;
        uint64_t cursor = 0;
        int64_t count;
        bench_check(memfs_resolve(small->fs, NULL, small_dir(i), 1, &dir), "memfs_resolve");
        while ((count = memfs_node_readdir(small->fs, NULL, dir, cursor, entries, 64, 1)) > 0) {
            cursor = entries[count - 1].cursor;
            seen += (uint32_t)count;
        }
        bench_check(count, "memfs_node_readdir");
        memfs_node_forget(small->fs, dir, 1);
    }
    if (seen != small->files)
        bench_die("memfs_node_readdir: not all entries", 0);
}

static void here_unlink(struct small *small)
{
    for (uint32_t i = 0; i < small->files; i++)
        bench_check(memfs_unlink(small->fs, NULL, small->paths[i]), "memfs_unlink");
}

static void hash_mkdir(struct small *small)
{
    for (uint32_t i = 0; i < small->dirs; i++)
        plain_make(&small->hash, small_dir(i), MEMFS_IFDIR | 0755);
}

static void hash_create(struct small *small)
{
    for (uint32_t i = 0; i < small->files; i++) {
        struct plain_node *node = plain_make(&small->hash, small->paths[i], MEMFS_IFREG | 0644);
        plain_write(&small->hash, node, small->bytes, SMALL);
    }
}

static void hash_stat(struct small *small)
{
    struct memfs_stat status;
    for (uint32_t i = 0; i < small->files; i++) {
        plain_stat(&small->hash, small->shuffled[i], &status);
        if (status.size != SMALL)
            bench_die("plain_stat", 0);
    }
}

static void hash_read(struct small *small)
{
    char buffer[4096];
    for (uint32_t i = 0; i < small->files; i++) {
        if (plain_read(&small->hash, small->shuffled[i], buffer, sizeof buffer) != SMALL ||
            buffer[0] != small->bytes[0])
            bench_die("plain_read", 0);
    }
}

static void hash_unlink(struct small *small)
{
    for (uint32_t i = 0; i < small->files; i++)
        plain_unlink(&small->hash, small->paths[i]);
}

static void there_mkdir(struct small *small)
{
    for (uint32_t i = 0; i < small->dirs; i++)
        bench_system(mkdir(small_dir(i), 0755), "mkdir");
}

static void there_create(struct small *small)
{
    for (uint32_t i = 0; i < small->files; i++) {
        int fd = (int)bench_system(open(small->paths[i], O_WRONLY | O_CREAT, 0644), "open");
        bench_system(write(fd, small->bytes, SMALL), "write");
        close(fd);
    }
}

static void there_stat(struct small *small)
{
    struct stat status;
    for (uint32_t i = 0; i < small->files; i++)
        bench_system(stat(small->shuffled[i], &status), "stat");
}

static void there_read(struct small *small)
{
    char buffer[4096];
    for (uint32_t i = 0; i < small->files; i++) {
        int fd = (int)bench_system(open(small->shuffled[i], O_RDONLY), "open");
        if (read(fd, buffer, sizeof buffer) != SMALL)
            bench_die("read", 0);
        close(fd);
    }
}

static void there_overwrite(struct small *small)
{
    int fd = (int)bench_system(open(small->paths[0], O_RDWR), "open");
    for (uint32_t i = 0; i < small->files; i++) {
        bench_system(pwrite(fd, small->bytes, 16, i % 64), "pwrite");
        bench_system(pread(fd, small->bytes, 16, i % 64), "pread");
    }
    close(fd);
}

static void there_list(struct small *small)
{
    uint32_t seen = 0;
    for (uint32_t i = 0; i < small->dirs; i++) {
        DIR *dir = opendir(small_dir(i));
        if (!dir)
            bench_system(-1, "opendir");
        struct dirent *entry;
        struct stat status;
        while ((entry = readdir(dir))) {
            if (entry->d_name[0] == '.')
                continue;
            bench_system(fstatat(dirfd(dir), entry->d_name, &status, AT_SYMLINK_NOFOLLOW), "fstatat");
            seen++;
        }
        closedir(dir);
    }
    if (seen != small->files)
        bench_die("readdir: not all entries", 0);
}

static void there_unlink(struct small *small)
{
    for (uint32_t i = 0; i < small->files; i++)
        bench_system(unlink(small->paths[i]), "unlink");
}

static void there_rmdir(struct small *small)
{
    for (uint32_t i = 0; i < small->dirs; i++)
        bench_system(rmdir(small_dir(i)), "rmdir");
}

/* NULL: not measured there. */
struct operation {
    const char *name;
    void (*here)(struct small *);
    void (*hash)(struct small *);
    void (*there)(struct small *);
    int makes; /* files */
};

static void measure_one(struct small *small, const struct operation *operation, const char *where,
                        void (*run)(struct small *), size_t memory)
{
    char name[64];
    if (operation->makes)
        warm(small->files * memory);
    double begin = bench_now();
    run(small);
    snprintf(name, sizeof name, "%s %s", operation->name, where);
    bench_report(name, (bench_now() - begin) * 1e6 / small->files, "us");
}

/* One after the other, so that whatever else the machine does meets all. */
static void measure_each(struct small *small, const struct operation *operations, size_t count, int there)
{
    for (size_t i = 0; i < count; i++) {
        const struct operation *operation = &operations[i];
        measure_one(small, operation, "memfs", operation->here, FILE_HERE);
        if (operation->hash)
            measure_one(small, operation, "plain", operation->hash, FILE_HERE);
        if (there)
            measure_one(small, operation, "tmpfs", operation->there, FILE_THERE);
    }
}

static void measure_alone(struct small *small, int there)
{
    static const struct operation operations[] = {
        {"create", here_create, hash_create, there_create, 1},
        {"stat", here_stat, hash_stat, there_stat, 0},
        {"read", here_read, hash_read, there_read, 0},
        {"list", here_list, NULL, there_list, 0},
        {"overwrite", here_overwrite, NULL, there_overwrite, 0},
        {"unlink", here_unlink, hash_unlink, there_unlink, 0},
        {"create again", here_create, hash_create, there_create, 1},
        {"unlink again", here_unlink, hash_unlink, there_unlink, 0},
    };
    measure_each(small, operations, sizeof operations / sizeof *operations, there);
}

static void *sleep_until(void *lock)
{
    pthread_mutex_lock(lock);
    pthread_mutex_unlock(lock);
    return NULL;
}

/* Another thread is there, but sleeps. */
static void measure_beside(struct small *small, int there)
{
    static const struct operation operations[] = {
        {"create beside", here_create, NULL, there_create, 1},
        {"stat beside", here_stat, NULL, there_stat, 0},
        {"read beside", here_read, NULL, there_read, 0},
        {"unlink beside", here_unlink, NULL, there_unlink, 0},
    };
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_t other;
    pthread_mutex_lock(&lock);
    bench_check(-pthread_create(&other, NULL, sleep_until, &lock), "pthread_create");
    measure_each(small, operations, sizeof operations / sizeof *operations, there);
    pthread_mutex_unlock(&lock);
    pthread_join(other, NULL);
}

int main(int argc, char **argv)
{
    struct small small;
    const int there = argc == 4 && strcmp(argv[1], "--tmpfs") == 0;
    const int files = argc == 2 || there ? atoi(argv[argc - 1]) : 0;
    if (files <= 0) {
        fputs("usage: small [--tmpfs DIR] FILES\n", stderr);
        return 2;
    }
    small_init(&small, (uint32_t)files);
    if (there)
        bench_system(chdir(argv[2]), argv[2]);
    here_mkdir(&small);
    hash_mkdir(&small);
    if (there)
        there_mkdir(&small);
    measure_alone(&small, there);
    measure_beside(&small, there);
    if (there)
        there_rmdir(&small);
    small_free(&small);
    return 0;
}
