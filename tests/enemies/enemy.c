/*
 * Changes a tree all the time while memfs works in it, until it gets SIGTERM; then it puts
 * everything back and prints how often it did.
 *
 *   enemy swap TREE ASIDE OUTSIDE     exchanges directories of TREE (one and two levels down) for symbolic links to
 *                                     those of the same names in OUTSIDE, and back; ASIDE lies beside TREE
 *   enemy change TREE ASIDE OUTSIDE   the same, and turns files into FIFOs, links to files of the same names in
 *                                     OUTSIDE, directories and (for root) devices, lets them grow, shrink and vanish
 *   enemy watch TREE FILES DIRS       changes nothing: counts what it sees below TREE, and what has a mode with
 *                                     other bits than these (octal)
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* renameat2 */
#endif
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#define ROOM 4096

static volatile sig_atomic_t ended;
static unsigned long rounds, wrong;
static const char *tree, *aside, *outside;
static int changes;

static void end(int number)
{
    ended = number;
}

static void join(char out[ROOM], const char *directory, const char *name)
{
    if (snprintf(out, ROOM, "%s%s%s", directory, directory[0] != '\0' ? "/" : "", name) >= ROOM) {
        fputs("enemy: a path is too long\n", stderr);
        exit(2);
    }
}

/* ---- Changes ---------------------------------------------------------------------------- */

static void exchange(const char *place, const char *other)
{
    if (renameat2(AT_FDCWD, place, AT_FDCWD, other, RENAME_EXCHANGE) == 0)
        rounds++;
}

/* Who unpacks may have taken the place away: then what is left is put aside for good. */
static void put_back(const char *place, const char *other, unsigned long before)
{
    char lost[ROOM], name[32];
    for (unsigned long i = 0; i < rounds % 3; i++)
        sched_yield();
    if (rounds > before)
        exchange(place, other);
    if (remove(other) == 0 || errno == ENOENT)
        return;
    snprintf(name, sizeof name, "lost-%lu", rounds);
    join(lost, aside, name);
    if (rename(other, lost) != 0)
        wrong++;
}

/* A directory becomes a symbolic link, and itself again; for how long, differs. */
static void swap(const char *place, const char *path)
{
    char other[ROOM], target[ROOM];
    join(other, aside, "link");
    join(target, outside, path);
    if (symlink(target, other) != 0)
        return;
    const unsigned long before = rounds;
    exchange(place, other);
    put_back(place, other, before);
    /* Not all the time: else the first exchange would end the unpacking, and none would come late. */
    nanosleep(&(struct timespec){.tv_nsec = (long)(rounds % 8) * 1000000}, NULL);
}

static int make_something(unsigned kind, const char *other, const char *target)
{
    switch (kind) {
    case 0:
        return mkfifo(other, 0644);
    case 1:
        return symlink(target, other);
    case 2:
        return mkdir(other, 0755);
    case 3:
        return mknod(other, S_IFCHR | 0644, makedev(1, 5)); /* /dev/zero */
    default:
        return -1;
    }
}

/* A file becomes something else, and itself again. */
static void change_type(unsigned kind, const char *place, const char *path)
{
    char other[ROOM], target[ROOM];
    join(other, aside, "other");
    join(target, outside, path);
    if (make_something(kind, other, target) != 0)
        return;
    const unsigned long before = rounds;
    exchange(place, other);
    put_back(place, other, before);
}

static void change_size(unsigned kind, const char *place)
{
    const int fd = open(place, O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        kind = 9;
    if (kind == 4 && write(fd, "inside\n", 7) == 7)
        rounds++;
    if (kind == 5 && ftruncate(fd, status.st_size / 2) == 0 && ftruncate(fd, status.st_size) == 0)
        rounds++;
    if (fd >= 0)
        close(fd);
}

static void vanish(const char *place)
{
    char other[ROOM];
    join(other, aside, "vanished");
    if (rename(place, other) != 0)
        return;
    rounds++;
    sched_yield();
    if (rename(other, place) != 0)
        wrong++;
}

static void change(const char *place, const char *path)
{
    static unsigned turn;
    const unsigned kind = turn++ % 7;
    if (kind < 4)
        change_type(kind, place, path);
    else if (kind < 6)
        change_size(kind, place);
    else
        vanish(place);
}

/* ---- The tree ----------------------------------------------------------------------------- */

/* All below one directory, as far as it goes. */
static void visit(const char *below, int level)
{
    char directory[ROOM], path[ROOM], place[ROOM];
    struct stat status;
    join(directory, tree, below);
    DIR *stream = opendir(directory);
    const struct dirent *entry;
    while (stream && !ended && (entry = readdir(stream))) {
        if (entry->d_name[0] == '.')
            continue;
        join(path, below, entry->d_name);
        join(place, tree, path);
        if (lstat(place, &status) != 0)
            continue;
        if (S_ISDIR(status.st_mode)) {
            swap(place, path);
            if (level < 1)
                visit(path, level + 1);
        } else if (changes && S_ISREG(status.st_mode)) {
            change(place, path);
        }
    }
    if (stream)
        closedir(stream);
}

/* Whatever mode something has at any time, its last one has these bits, too. */
static void watch(int directory, mode_t files, mode_t dirs)
{
    struct stat status;
    DIR *stream = directory >= 0 ? fdopendir(directory) : NULL;
    const struct dirent *entry;
    while (stream && !ended && (entry = readdir(stream))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (fstatat(dirfd(stream), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 || S_ISLNK(status.st_mode))
            continue;
        rounds++;
        wrong += (status.st_mode & 07777 & ~(S_ISDIR(status.st_mode) ? dirs : files)) != 0;
        if (S_ISDIR(status.st_mode))
            watch(openat(dirfd(stream), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), files, dirs);
    }
    if (stream)
        closedir(stream);
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = end};
    if (argc != 5)
        return 2;
    sigaction(SIGTERM, &action, NULL);
    tree = argv[2];
    aside = argv[3];
    outside = argv[4];
    changes = strcmp(argv[1], "change") == 0;
    while (!ended) {
        if (strcmp(argv[1], "watch") == 0)
            watch(open(tree, O_RDONLY | O_DIRECTORY), (mode_t)strtoul(argv[3], NULL, 8),
                  (mode_t)strtoul(argv[4], NULL, 8));
        else
            visit("", 0);
    }
    printf("%lu %lu\n", rounds, wrong);
    return 0;
}
