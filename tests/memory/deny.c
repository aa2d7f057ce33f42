/*
 * Preloaded into the command by command.py: lets the allocation number MEMORY_DENY
 * fail (from 1; 0 or not set: none), and with MEMORY_AFTER=1 all behind it. The file
 * MEMORY_TOLD, of two 64-bit numbers, hears how many were asked for and how many
 * failed, however the command ends. What the command starts itself is left alone.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* The C library's name service ends the process when a line of its settings finds no memory:
 * so a call of it counts as one allocation, and fails as a whole, as it may. */
static _Thread_local int spared;

static struct passwd *(*real_getpwuid)(uid_t uid);
static struct group *(*real_getgrgid)(gid_t gid);
static struct passwd *(*real_getpwnam)(const char *name);
static struct group *(*real_getgrnam)(const char *name);

/* glibc's own, behind the names that are taken here. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

struct told {
    _Atomic(uint64_t) asked, failed;
};

static struct told *told;
static uint64_t deny_at;
static int deny_after;

/* Before main(); what the loader and the C library took until then is not counted. */
__attribute__((constructor)) static void start(void)
{
    const char *path = getenv("MEMORY_TOLD"), *at = getenv("MEMORY_DENY"), *after = getenv("MEMORY_AFTER");
    int fd = path ? open(path, O_RDWR) : -1;
    void *memory = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        _exit(99);
    close(fd);
    deny_at = at ? strtoull(at, NULL, 10) : 0;
    deny_after = after && after[0] == '1';
    unsetenv("LD_PRELOAD");
    *(void **)&real_getpwuid = dlsym(RTLD_NEXT, "getpwuid");
    *(void **)&real_getgrgid = dlsym(RTLD_NEXT, "getgrgid");
    *(void **)&real_getpwnam = dlsym(RTLD_NEXT, "getpwnam");
    *(void **)&real_getgrnam = dlsym(RTLD_NEXT, "getgrnam");
    told = memory;
}

static int denied(void)
{
    if (!told || spared)
        return 0;
    uint64_t call = atomic_fetch_add(&told->asked, 1) + 1;
    if (deny_at == 0 || (deny_after ? call < deny_at : call != deny_at))
        return 0;
    atomic_fetch_add(&told->failed, 1);
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size)
{
    return denied() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return denied() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    return denied() ? NULL : __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return denied() ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    void *memory = denied() ? NULL : __libc_memalign(alignment, size);
    if (!memory)
        return ENOMEM;
    *out = memory;
    return 0;
}

/* name(argument) of the C library, undisturbed, or refused as a whole. */
#define WHOLE(type, name, parameter)                                                                                   \
    type *name(parameter argument)                                                                                     \
    {                                                                                                                  \
        if (denied())                                                                                                  \
            return NULL;                                                                                               \
        spared = 1;                                                                                                    \
        type *found = real_##name(argument);                                                                           \
        spared = 0;                                                                                                    \
        return found;                                                                                                  \
    }

WHOLE(struct passwd, getpwuid, uid_t)
WHOLE(struct group, getgrgid, gid_t)
WHOLE(struct passwd, getpwnam, const char *)
WHOLE(struct group, getgrnam, const char *)
