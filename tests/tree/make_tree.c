/*
 * Makes the tree with everything: all types, modes, owners, times, links,
 * holes, attributes and names that a directory can have, from a seed. What this
 * host or user cannot make is left out and said on standard output.
 *
 * make_tree [--files N] [--seed N] [--huge BYTES] DIR
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static uint64_t seed = 1;
static uint64_t many = 2000;
static uint64_t huge = UINT64_C(10) << 30;
static int root;

static void die(const char *what, const char *name)
{
    fprintf(stderr, "make_tree: %s: %s: %s\n", name, what, strerror(errno));
    exit(1);
}

static void left_out(const char *what)
{
    printf("left out: %s: %s\n", what, strerror(errno));
}

static uint64_t draw(void)
{
    uint64_t z = seed += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* ---- Small makers -------------------------------------------------------------- */

static void set_time(int dir, const char *name, int64_t seconds, long nanoseconds)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = (time_t)seconds, .tv_nsec = nanoseconds}};
    if (utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) != 0)
        die("utimensat", name);
}

/* A time within the years 2000 to 2030, to the nanosecond. */
static void set_some_time(int dir, const char *name)
{
    set_time(dir, name, (int64_t)(946684800 + draw() % 946684800), (long)(draw() % 1000000000));
}

static int make_dir(int dir, const char *name)
{
    if (mkdirat(dir, name, 0755) != 0)
        die("mkdirat", name);
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (fd < 0)
        die("openat", name);
    return fd;
}

/* Closes a directory when all is in it: only then does its time stay. */
static void end_dir(int parent, const char *name, int fd, mode_t mode)
{
    if (fchmod(fd, mode) != 0)
        die("fchmod", name);
    close(fd);
    set_some_time(parent, name);
}

static int create(int dir, const char *name)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL, 0644);
    if (fd < 0)
        die("create", name);
    return fd;
}

static void write_at(int fd, const void *data, size_t size, uint64_t offset)
{
    if (pwrite(fd, data, size, (off_t)offset) != (ssize_t)size)
        die("pwrite", "a file");
}

static void close_file(int dir, const char *name, int fd)
{
    if (close(fd) != 0)
        die("close", name);
    set_some_time(dir, name);
}

static void fill(unsigned char *data, size_t size, int compressible)
{
    for (size_t i = 0; i < size; i++)
        data[i] = compressible ? (unsigned char)"etaoin shrdlu\n"[draw() % 14] : (unsigned char)(1 + draw() % 255);
}

static void make_file(int dir, const char *name, size_t size, int compressible)
{
    unsigned char *data = malloc(size + 1);
    if (!data)
        die("malloc", name);
    fill(data, size, compressible);
    int fd = create(dir, name);
    write_at(fd, data, size, 0);
    close_file(dir, name, fd);
    free(data);
}

static void make_text(int dir, const char *name, const char *text)
{
    int fd = create(dir, name);
    write_at(fd, text, strlen(text), 0);
    close_file(dir, name, fd);
}

static int make_node(int dir, const char *name, mode_t mode, dev_t device, const char *what)
{
    if (mknodat(dir, name, mode, device) != 0) {
        left_out(what);
        return -1;
    }
    set_some_time(dir, name);
    return 0;
}

static void make_link(int dir, const char *name, const char *target)
{
    if (symlinkat(target, dir, name) != 0)
        die("symlinkat", name);
    set_some_time(dir, name);
}

static void hard_link(int from, const char *name, int to, const char *other)
{
    if (linkat(from, name, to, other, 0) != 0)
        die("linkat", other);
}

/* ---- The parts ------------------------------------------------------------------- */

static void make_contents(int top)
{
    static const size_t sizes[] = {0, 1, 2, 4095, 4096, 4097, 65535, 65536, 65537, 1048575, 1048576, 1048577, 3145735};
    int dir = make_dir(top, "contents");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char name[64];
        snprintf(name, sizeof name, "noise-%zu", sizes[i]);
        make_file(dir, name, sizes[i], 0);
        snprintf(name, sizeof name, "text-%zu", sizes[i]);
        make_file(dir, name, sizes[i], 1);
    }
    end_dir(top, "contents", dir, 0755);
}

static void make_duplicates(int top)
{
    int dir = make_dir(top, "duplicates");
    int below = make_dir(dir, "below");
    uint64_t state = seed;
    make_file(dir, "a", 200000, 1);
    seed = state;
    make_file(dir, "b", 200000, 1);
    seed = state;
    make_file(below, "c", 200000, 1);
    seed = state;
    make_file(dir, "longer", 200001, 1);
    seed = state;
    make_file(dir, "shorter", 199999, 1);
    seed = state;
    make_file(dir, "last-byte-differs", 200000, 1);
    int fd = openat(dir, "last-byte-differs", O_WRONLY);
    if (fd < 0)
        die("open", "last-byte-differs");
    write_at(fd, "!", 1, 199999);
    close_file(dir, "last-byte-differs", fd);
    end_dir(dir, "below", below, 0755);
    end_dir(top, "duplicates", dir, 0755);
}

static void make_sparse(int dir, const char *name, uint64_t size, const uint64_t *places, size_t count)
{
    unsigned char data[5000];
    int fd = create(dir, name);
    for (size_t i = 0; i < count; i++) {
        fill(data, sizeof data, 0);
        size_t length = places[i] + sizeof data > size ? (size_t)(size - places[i]) : sizeof data;
        write_at(fd, data, length, places[i]);
    }
    if (ftruncate(fd, (off_t)size) != 0)
        left_out(name);
    close_file(dir, name, fd);
}

static void make_holes(int top)
{
    int dir = make_dir(top, "holes");
    static const uint64_t middle[] = {0, 1000000, 3000001}, start[] = {0}, end[] = {995000};
    uint64_t far[] = {1, huge / 2 + 4097, huge - 5000};
    make_sparse(dir, "huge", huge, far, 3);
    make_sparse(dir, "only-a-hole", 1000001, NULL, 0);
    make_sparse(dir, "less-than-a-page", 100, NULL, 0);
    make_sparse(dir, "holes-between", 4000000, middle, 3);
    make_sparse(dir, "hole-behind", 1000000, start, 1);
    make_sparse(dir, "hole-before", 1000000, end, 1);
    static const char zeros[20000];
    int fd = create(dir, "written-zeros");
    write_at(fd, zeros, sizeof zeros, 0);
    write_at(fd, "x", 1, 20000);
    close_file(dir, "written-zeros", fd);
    end_dir(top, "holes", dir, 0755);
}

static void make_types(int top)
{
    int dir = make_dir(top, "types");
    make_text(dir, "file", "a regular file\n");
    make_link(dir, "symlink", "file");
    make_node(dir, "fifo", S_IFIFO | 0640, 0, "FIFO");
    make_node(dir, "socket", S_IFSOCK | 0600, 0, "socket");
    make_node(dir, "character-1-3", S_IFCHR | 0666, makedev(1, 3), "character device");
    make_node(dir, "character-4095-1048575", S_IFCHR | 0600, makedev(4095, 1048575), "character device");
    make_node(dir, "block-7-200", S_IFBLK | 0660, makedev(7, 200), "block device");
    int empty = make_dir(dir, "empty");
    end_dir(dir, "empty", empty, 0700);
    end_dir(top, "types", dir, 0755);
}

static void make_modes(int top)
{
    static const mode_t modes[] = {0,    0100,  0200,  0400,  0444,  0600,  0644,  0666,  0755,
                                   0777, 01644, 01777, 02644, 02755, 04644, 04755, 06711, 07777};
    int dir = make_dir(top, "modes");
    const mode_t least = root ? 0 : 0700; /* nobody else could pack or remove it */
    if (!root) {
        errno = EACCES;
        left_out("modes that the owner cannot read");
    }
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        char name[32];
        snprintf(name, sizeof name, "file-%05o", (unsigned)modes[i]);
        make_text(dir, name, name);
        if (fchmodat(dir, name, modes[i] | least, 0) != 0)
            die("fchmodat", name);
        snprintf(name, sizeof name, "dir-%05o", (unsigned)modes[i]);
        int below = make_dir(dir, name);
        make_text(below, "inside", name);
        end_dir(dir, name, below, modes[i] | least);
    }
    make_node(dir, "fifo-07777", S_IFIFO, 0, "FIFO");
    if (fchmodat(dir, "fifo-07777", 07777, 0) != 0)
        die("fchmodat", "fifo-07777");
    set_some_time(dir, "fifo-07777");
    end_dir(top, "modes", dir, 0755);
}

static void own(int dir, const char *name, uid_t uid, gid_t gid)
{
    struct stat status;
    if (fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        die("fstatat", name);
    if (fchownat(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW) != 0)
        die("fchownat", name);
    if (!S_ISLNK(status.st_mode) && fchmodat(dir, name, status.st_mode & 07777, 0) != 0) /* chown clears setuid */
        die("fchmodat", name);
    set_some_time(dir, name);
}

static void make_owners(int top)
{
    static const uint32_t ids[] = {0, 1, 1000, 65534, 65536, 2147483648u, 4294967294u};
    if (!root) {
        errno = EPERM;
        left_out("owners");
        return;
    }
    int dir = make_dir(top, "owners");
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        char name[32];
        snprintf(name, sizeof name, "file-%zu", i);
        make_text(dir, name, name);
        if (fchmodat(dir, name, i % 2 ? 06755 : 0640, 0) != 0)
            die("fchmodat", name);
        own(dir, name, ids[i], ids[(i + 1) % 7]);
        snprintf(name, sizeof name, "link-%zu", i);
        make_link(dir, name, "file-0");
        own(dir, name, ids[i], ids[(i + 2) % 7]);
        snprintf(name, sizeof name, "dir-%zu", i);
        end_dir(dir, name, make_dir(dir, name), 02775);
        own(dir, name, ids[i], ids[(i + 3) % 7]);
    }
    end_dir(top, "owners", dir, 0755);
}

static void make_times(int top)
{
    static const int64_t seconds[] = {-2147483648, -2000000000, -1,         0,          1,          2147483647,
                                      2147483648,  4294967295,  4294967296, 5000000000, 9000000000, 9214646399};
    static const long nanoseconds[] = {0, 1, 999999999, 123456789};
    int dir = make_dir(top, "times");
    for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
        for (size_t j = 0; j < 4; j++) {
            char name[64];
            struct stat status;
            snprintf(name, sizeof name, "%lld.%09ld%s", (long long)seconds[i], nanoseconds[j], j == 3 ? "-link" : "");
            if (j == 3)
                make_link(dir, name, "nowhere");
            else
                make_text(dir, name, "");
            set_time(dir, name, seconds[i], nanoseconds[j]);
            if (fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) != 0 || status.st_mtim.tv_sec != seconds[i] ||
                status.st_mtim.tv_nsec != nanoseconds[j])
                printf("left out: time %s: this filesystem does not keep it\n", name);
        }
    }
    end_dir(top, "times", dir, 0755);
}

static void make_hard_links(int top)
{
    int dir = make_dir(top, "hard-links");
    int below = make_dir(dir, "below");
    make_file(dir, "file-1", 10000, 1);
    hard_link(dir, "file-1", dir, "file-2");
    hard_link(dir, "file-1", below, "a-third-name");
    make_link(dir, "symlink-1", "file-1");
    hard_link(dir, "symlink-1", below, "symlink-2");
    make_node(dir, "fifo-1", S_IFIFO | 0600, 0, "FIFO");
    hard_link(dir, "fifo-1", below, "fifo-2");
    make_node(dir, "socket-1", S_IFSOCK | 0600, 0, "socket");
    hard_link(dir, "socket-1", dir, "socket-2");
    if (make_node(dir, "device-1", S_IFCHR | 0600, makedev(1, 5), "hard-linked device") == 0)
        hard_link(dir, "device-1", below, "device-2");
    end_dir(dir, "below", below, 0755);
    end_dir(top, "hard-links", dir, 0755);
}

static void make_symlinks(int top)
{
    char target[4096];
    int dir = make_dir(top, "symlinks");
    make_link(dir, "dangling", "there is no such thing");
    make_link(dir, "loop", "loop");
    make_link(dir, "loop-a", "loop-b");
    make_link(dir, "loop-b", "loop-a");
    make_link(dir, "absolute", "/etc/passwd");
    make_link(dir, "above", "../../../../../../../../etc");
    make_link(dir, "to-directory", "../types");
    make_link(dir, "odd\nname", "odd\ntarget\377\001");
    make_link(dir, "one-byte", "x");
    for (size_t i = 0; i < sizeof target - 1; i++)
        target[i] = (char)(i % 10 == 9 ? '/' : 'a' + (int)(i % 26));
    target[sizeof target - 1] = '\0';
    if (symlinkat(target, dir, "longest") == 0) /* XFS holds 1,023 bytes */
        set_some_time(dir, "longest");
    else
        left_out("symbolic link of 4,095 bytes");
    target[1000] = '\0';
    make_link(dir, "long", target);
    end_dir(top, "symlinks", dir, 0755);
}

/* ---- Attributes ---------------------------------------------------------------- */

/* By path below the working directory's descriptor: there is no lsetxattrat(). */
static void set_xattr(int dir, const char *name, const char *attribute, const void *value, size_t size)
{
    char path[512], what[700];
    struct timespec times[2];
    struct stat status;
    snprintf(path, sizeof path, "/proc/self/fd/%d/%s", dir, name);
    if (lstat(path, &status) != 0)
        die("lstat", name);
    if (lsetxattr(path, attribute, value, size, 0) != 0) {
        snprintf(what, sizeof what, "attribute %.100s of %zu bytes on %s", attribute, size, name);
        left_out(what);
    }
    times[0] = status.st_atim;
    times[1] = status.st_mtim;
    utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW);
}

static void put16(unsigned char **at, unsigned value)
{
    *(*at)++ = (unsigned char)value;
    *(*at)++ = (unsigned char)(value >> 8);
}

/* user::rwx user:1234:r-x group::r-- mask::rwx other::---, as the kernel takes it. */
static void set_acl(int dir, const char *name, const char *attribute)
{
    static const unsigned entries[][3] = {{1, 7, 0xFFFFFFFF}, {2, 5, 1234},        {4, 4, 0xFFFFFFFF},
                                          {8, 6, 4321},       {16, 7, 0xFFFFFFFF}, {32, 0, 0xFFFFFFFF}};
    unsigned char value[4 + 6 * 8], *at = value;
    put16(&at, 2);
    put16(&at, 0);
    for (size_t i = 0; i < 6; i++) {
        put16(&at, entries[i][0]);
        put16(&at, entries[i][1]);
        put16(&at, entries[i][2] & 0xFFFF);
        put16(&at, entries[i][2] >> 16);
    }
    set_xattr(dir, name, attribute, value, sizeof value);
}

static void make_user_xattrs(int dir)
{
    unsigned char value[65536];
    char name[256 + 1] = "user.";
    fill(value, sizeof value, 0);
    make_text(dir, "file", "with attributes\n");
    set_xattr(dir, "file", "user.text", "hello", 5);
    set_xattr(dir, "file", "user.empty", "", 0);
    set_xattr(dir, "file", "user.zeros", "\0\0\0", 3);
    set_xattr(dir, "file", "user.odd \n\377 name", "odd", 3);
    set_xattr(dir, "file", "user.medium", value, 1000);
    make_text(dir, "same-again", "with attributes\n");
    set_xattr(dir, "same-again", "user.text", "hello", 5);
    make_text(dir, "large", "");
    set_xattr(dir, "large", "user.large", value, 65536);
    make_text(dir, "page", "");
    set_xattr(dir, "page", "user.page", value, 3000);
    make_text(dir, "long-name", "");
    for (size_t i = 5; i < 255; i++)
        name[i] = (char)('a' + (int)(i % 26));
    set_xattr(dir, "long-name", name, "x", 1);
    make_text(dir, "many", "");
    for (int i = 0; i < 60; i++) {
        snprintf(name, sizeof name, "user.number-%02d", i);
        set_xattr(dir, "many", name, value, (size_t)i % 20);
    }
}

static void make_xattrs(int top)
{
    int dir = make_dir(top, "xattrs");
    make_user_xattrs(dir);
    int below = make_dir(dir, "dir");
    make_text(below, "inside", "");
    end_dir(dir, "dir", below, 0755);
    set_xattr(dir, "dir", "user.on-directory", "yes", 3);
    make_text(dir, "acl", "");
    set_acl(dir, "acl", "system.posix_acl_access");
    end_dir(dir, "acl-dir", make_dir(dir, "acl-dir"), 0750);
    set_acl(dir, "acl-dir", "system.posix_acl_access");
    set_acl(dir, "acl-dir", "system.posix_acl_default");
    make_link(dir, "symlink", "file");
    make_node(dir, "fifo", S_IFIFO | 0600, 0, "FIFO");
    static const char *const names[] = {"file", "dir", "symlink", "fifo"};
    for (size_t i = 0; i < 4; i++)
        set_xattr(dir, names[i], "trusted.memfs", names[i], 3);
    set_xattr(dir, "file", "security.memfs", "label", 5);
    set_xattr(dir, "symlink", "security.memfs", "label", 5);
    static const unsigned char capability[20] = {1, 0, 0, 2, 0, 4, 0, 0}; /* cap_net_bind_service=ep */
    make_text(dir, "capable", "");
    set_xattr(dir, "capable", "security.capability", capability, sizeof capability);
    end_dir(top, "xattrs", dir, 0755);
}

/* ---- Names and depths -------------------------------------------------------------- */

static void make_names(int top)
{
    static const char *const names[] = {"...",
                                        " ",
                                        "  two",
                                        "-rf",
                                        "--help",
                                        "*",
                                        "a\nb",
                                        "tab\t",
                                        "back\\slash",
                                        "\"quoted\"",
                                        "'",
                                        "$HOME",
                                        "`id`",
                                        "caf\303\251",
                                        "cafe\314\201",
                                        "\346\227\245\346\234\254",
                                        "\360\237\220\247",
                                        "\342\200\256gnp.exe",
                                        "invalid\300\257utf8",
                                        "\033[31mred",
                                        "CON",
                                        "a.",
                                        "A",
                                        "a"};
    char name[256];
    int dir = make_dir(top, "names");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        make_text(dir, names[i], names[i]);
    int bytes = make_dir(dir, "bytes");
    for (int byte = 1; byte < 256; byte++) {
        name[0] = (char)byte;
        name[1] = '\0';
        if (byte != '/' && byte != '.')
            make_text(bytes, name, "");
    }
    end_dir(dir, "bytes", bytes, 0755);
    for (int i = 0; i < 3; i++) {
        for (size_t at = 0; at < 255; at++)
            do {
                name[at] = i == 0 ? 'x' : (char)(1 + draw() % 255);
            } while (name[at] == '/');
        name[255] = '\0';
        make_text(dir, name, "a long name");
    }
    end_dir(top, "names", dir, 0755);
}

/* levels directories in each other, all called name, and a file in the last. */
static void make_chain(int top, const char *start, const char *name, int levels)
{
    int *fds = calloc((size_t)levels + 1, sizeof *fds);
    if (!fds)
        die("calloc", start);
    fds[0] = make_dir(top, start);
    for (int i = 0; i < levels; i++)
        fds[i + 1] = make_dir(fds[i], name);
    make_text(fds[levels], "bottom", "deep down\n");
    make_link(fds[levels], "up", "../bottom");
    for (int i = levels; i-- > 0;)
        end_dir(fds[i], name, fds[i + 1], 0755);
    end_dir(top, start, fds[0], 0755);
    free(fds);
}

static void make_depths(int top)
{
    char name[201];
    memset(name, 'p', 200);
    name[200] = '\0';
    make_chain(top, "beyond-path-max", name, 60);
    make_chain(top, "deep", "d", 300);
}

static void make_many(int top)
{
    int dir = make_dir(top, "many");
    for (uint64_t i = 0; i < many;) {
        char name[32];
        snprintf(name, sizeof name, "dir-%06llu", (unsigned long long)(i / 200));
        int below = make_dir(dir, name);
        for (uint64_t end = i + 200; i < many && i < end; i++) {
            char file[32];
            snprintf(file, sizeof file, "file-%08llu.txt", (unsigned long long)i);
            make_file(below, file, draw() % (i % 50 == 0 ? 20000 : 300), 1);
        }
        end_dir(dir, name, below, 0755);
    }
    end_dir(top, "many", dir, 0755);
}

/* ---- The whole ------------------------------------------------------------------------- */

static uint64_t number(const char *text)
{
    char *end;
    errno = 0;
    uint64_t value = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0')
        die("not a number", text);
    return value;
}

int main(int argc, char **argv)
{
    int at = 1;
    for (; at + 1 < argc && argv[at][0] == '-'; at += 2) {
        if (strcmp(argv[at], "--files") == 0)
            many = number(argv[at + 1]);
        else if (strcmp(argv[at], "--seed") == 0)
            seed = number(argv[at + 1]);
        else if (strcmp(argv[at], "--huge") == 0)
            huge = number(argv[at + 1]);
        else
            break;
    }
    if (at + 1 != argc || huge < 20000) {
        fprintf(stderr, "usage: make_tree [--files N] [--seed N] [--huge BYTES] DIR\n");
        return 2;
    }
    umask(0);
    root = geteuid() == 0;
    if (mkdir(argv[at], 0755) != 0)
        die("mkdir", argv[at]);
    int top = open(argv[at], O_RDONLY | O_DIRECTORY);
    if (top < 0)
        die("open", argv[at]);
    make_contents(top);
    make_duplicates(top);
    make_holes(top);
    make_types(top);
    make_modes(top);
    make_owners(top);
    make_times(top);
    make_hard_links(top);
    make_symlinks(top);
    make_xattrs(top);
    make_names(top);
    make_depths(top);
    make_many(top);
    end_dir(AT_FDCWD, argv[at], top, 0755);
    return 0;
}
