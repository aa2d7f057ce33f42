/*
 * Prints everything about a directory and all below it, one line an entry in
 * order of names, so that two trees can be compared with diff. Uses nothing but
 * system calls, and copes with paths of any length.
 *
 * list_tree [--unprivileged] DIR: with the option, only what unpacking restores
 * when it is not asked for more: no owners, setuid, setgid, devices, and of the
 * attributes only user.*.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <sys/xattr.h>
#include <unistd.h>

#define PAGE 4096

static int unprivileged;

/* Inodes with several names, numbered as they are met. */
static struct inode {
    dev_t device;
    ino_t number;
} * inodes;
static size_t inode_count;

struct names {
    char **list;
    size_t count;
};

static void die(const char *what, const char *name)
{
    fprintf(stderr, "list_tree: %s: %s: %s\n", name, what, strerror(errno));
    exit(2);
}

static void put_bytes(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c > ' ' && c < 127 && c != '\\')
            putchar(c);
        else
            printf("\\%03o", c);
    }
}

static size_t inode_index(const struct stat *status)
{
    for (size_t i = 0; i < inode_count; i++) {
        if (inodes[i].device == status->st_dev && inodes[i].number == status->st_ino)
            return i;
    }
    inodes = realloc(inodes, (inode_count + 1) * sizeof *inodes);
    if (!inodes)
        die("realloc", "inodes");
    inodes[inode_count] = (struct inode){status->st_dev, status->st_ino};
    return inode_count++;
}

static void hash_bytes(uint64_t *hash, const void *bytes, size_t length)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < length; i++)
        *hash = (*hash ^ at[i]) * UINT64_C(0x100000001B3);
}

/* FNV-1a over the pages that are not all zeros, each with its number. */
static void put_contents(int dir, const char *name)
{
    static const unsigned char zeros[PAGE];
    unsigned char page[PAGE];
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW);
    if (fd < 0) {
        printf(" contents=%s", strerror(errno));
        return;
    }
    for (off_t at = 0;;) {
        off_t data = lseek(fd, at, SEEK_DATA);
        if (data < 0 && errno == ENXIO)
            break;
        if (data >= 0)
            at = data - data % PAGE;
        ssize_t got = pread(fd, page, PAGE, at);
        if (got < 0)
            die("pread", name);
        if (got == 0)
            break;
        if (memcmp(page, zeros, (size_t)got) != 0) {
            uint64_t number = (uint64_t)at / PAGE;
            hash_bytes(&hash, &number, sizeof number);
            hash_bytes(&hash, page, (size_t)got);
        }
        at += got;
    }
    close(fd);
    printf(" contents=%016" PRIx64, hash);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void put_xattr(const char *path, const char *attribute)
{
    static char value[65536];
    ssize_t length = lgetxattr(path, attribute, value, sizeof value);
    if (length < 0)
        die(attribute, path);
    printf(" ");
    put_bytes(attribute, strlen(attribute));
    printf("=");
    if (length <= 64) {
        put_bytes(value, (size_t)length);
    } else {
        uint64_t hash = UINT64_C(0xCBF29CE484222325);
        hash_bytes(&hash, value, (size_t)length);
        printf("%zd:%016" PRIx64, length, hash);
    }
}

static void put_xattrs(int dir, const char *name)
{
    static char list[65536];
    char path[300 + sizeof "/proc/self/fd/2147483647/"];
    char *sorted[4096];
    size_t count = 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d/%s", dir, name);
    ssize_t length = llistxattr(path, list, sizeof list);
    if (length < 0 && errno != ENOTSUP)
        die("llistxattr", name);
    for (ssize_t at = 0; at < length && count < 4096; at += (ssize_t)strlen(list + at) + 1) {
        if (!unprivileged || strncmp(list + at, "user.", 5) == 0)
            sorted[count++] = list + at;
    }
    qsort(sorted, count, sizeof *sorted, compare_names);
    for (size_t i = 0; i < count; i++)
        put_xattr(path, sorted[i]);
}

/* What an ACL gives the owning group: the mode's group bits are what it gives anybody but owner and others at most. */
static mode_t group_bits(int dir, const char *name)
{
    unsigned char acl[4 + 8 * 500];
    char path[300 + sizeof "/proc/self/fd/2147483647/"];
    snprintf(path, sizeof path, "/proc/self/fd/%d/%s", dir, name);
    const ssize_t length = lgetxattr(path, "system.posix_acl_access", acl, sizeof acl);
    for (ssize_t at = 4; at + 8 <= length; at += 8) {
        if (acl[at] == 4)
            return (mode_t)(acl[at + 2] & 7) << 3;
    }
    return 070;
}

static void put_target(int dir, const char *name)
{
    char target[4097];
    ssize_t length = readlinkat(dir, name, target, sizeof target);
    if (length < 0)
        die("readlinkat", name);
    printf(" target=");
    put_bytes(target, (size_t)length);
}

/* All but the path. */
static void put_entry(int dir, const char *name, const struct stat *status)
{
    mode_t mode = status->st_mode;
    if (unprivileged && !S_ISLNK(mode))
        mode &= ~(mode_t)06070 | group_bits(dir, name);
    printf(" mode=%o mtime=%lld.%09ld", (unsigned)mode, (long long)status->st_mtim.tv_sec, status->st_mtim.tv_nsec);
    if (!unprivileged)
        printf(" uid=%u gid=%u", (unsigned)status->st_uid, (unsigned)status->st_gid);
    if (!S_ISDIR(mode))
        printf(" size=%lld nlink=%lu", (long long)status->st_size, (unsigned long)status->st_nlink);
    if (!S_ISDIR(mode) && status->st_nlink > 1)
        printf(" inode=%zu", inode_index(status));
    if (S_ISCHR(mode) || S_ISBLK(mode))
        printf(" device=%u,%u", major(status->st_rdev), minor(status->st_rdev));
    if (S_ISLNK(mode))
        put_target(dir, name);
    if (S_ISREG(mode))
        put_contents(dir, name);
    put_xattrs(dir, name);
    printf("\n");
}

static struct names read_names(int fd)
{
    struct names names = {NULL, 0};
    DIR *stream = fdopendir(dup(fd));
    if (!stream)
        die("fdopendir", "a directory");
    struct dirent *entry;
    while ((entry = readdir(stream))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        names.list = realloc(names.list, (names.count + 1) * sizeof *names.list);
        if (!names.list || !(names.list[names.count++] = strdup(entry->d_name)))
            die("realloc", "names");
    }
    closedir(stream);
    if (names.count > 0)
        qsort(names.list, names.count, sizeof *names.list, compare_names);
    return names;
}

/* Recursion is bounded by the descriptors of the process. */
static void list(int dir, const char *name, const char *path)
{
    struct stat status;
    if (fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        die("fstatat", name);
    if (unprivileged && (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)))
        return;
    put_bytes(path, strlen(path));
    put_entry(dir, name, &status);
    if (!S_ISDIR(status.st_mode))
        return;
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (fd < 0) {
        put_bytes(path, strlen(path));
        printf("/*: %s\n", strerror(errno));
        return;
    }
    struct names names = read_names(fd);
    for (size_t i = 0; i < names.count; i++) {
        char *below;
        if (asprintf(&below, "%s/%s", path, names.list[i]) < 0)
            die("asprintf", name);
        list(fd, names.list[i], below);
        free(below);
        free(names.list[i]);
    }
    free(names.list);
    close(fd);
}

int main(int argc, char **argv)
{
    int at = 1;
    if (at < argc && strcmp(argv[at], "--unprivileged") == 0) {
        unprivileged = 1;
        at++;
    }
    if (at + 1 != argc) {
        fprintf(stderr, "usage: list_tree [--unprivileged] DIR\n");
        return 2;
    }
    int fd = open(argv[at], O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        die("open", argv[at]);
    list(fd, ".", ".");
    close(fd);
    free(inodes);
    return fflush(stdout) == 0 ? 0 : 2;
}
