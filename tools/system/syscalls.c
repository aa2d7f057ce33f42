#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* syscall */
#endif
#include "system/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

/* Numbers of system calls mean something with their architecture only. */
#if defined(__x86_64__) && defined(__LP64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__i386__)
#define ARCHITECTURE AUDIT_ARCH_I386
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__arm__) && defined(__ARMEL__)
#define ARCHITECTURE AUDIT_ARCH_ARM
#elif defined(__s390x__)
#define ARCHITECTURE AUDIT_ARCH_S390X
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define ARCHITECTURE AUDIT_ARCH_PPC64LE
#else
#define ARCHITECTURE 0 /* not known: no filter */
#endif

/* A call that is allowed: always, or where the bits of `mask` in an argument are those of `value`. */
struct rule {
    int number;
    int argument; /* ANY: none is looked at */
    uint32_t mask, value;
};

#define ANY (-1)
#define CALL(name)                                                                                                     \
    {                                                                                                                  \
        SYS_##name, ANY, 0, 0                                                                                          \
    }
#define CALL_IF(name, argument, mask, value)                                                                           \
    {                                                                                                                  \
        SYS_##name, argument, (uint32_t)(mask), (uint32_t)(value)                                                      \
    }

#if defined(__s390x__)
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif
/* Threads, but no processes; a terminal's size and kind, but nothing put into it. */
static const struct rule basic[] = {
    CALL(pread64),
    CALL(read),
    CALL(write),
    CALL(readv),
    CALL(writev),
    CALL(preadv),
    CALL(lseek),
    CALL(close),
    CALL(fstat),
    CALL(statx),
    CALL(fcntl),
    CALL(dup),
    CALL(wait4), /* for the helper (helper.h) */
    CALL_IF(ioctl, 1, UINT32_MAX, TCGETS),
    CALL_IF(ioctl, 1, UINT32_MAX, TIOCGWINSZ),
#ifdef SYS_newfstatat
    CALL(newfstatat),
#endif
#ifdef SYS_fstatat64
    CALL(fstatat64),
    CALL(fstat64),
#endif
#ifdef SYS_stat
    CALL(stat),
    CALL(lstat),
#endif
#ifdef SYS_stat64
    CALL(stat64),
    CALL(lstat64),
#endif
#ifdef SYS__llseek
    CALL(_llseek),
#endif
#ifdef SYS_fcntl64
    CALL(fcntl64),
#endif
#ifdef SYS_mmap
    CALL(mmap),
#endif
#ifdef SYS_mmap2
    CALL(mmap2),
#endif
    CALL(munmap),
    CALL(mremap),
    CALL(mprotect),
    CALL(madvise),
    CALL(brk),
    CALL(futex),
    CALL_IF(clone, CLONE_FLAGS, CLONE_THREAD, CLONE_THREAD),
    CALL(set_robust_list),
#ifdef SYS_rseq
    CALL(rseq),
#endif
    CALL(sched_yield),
    CALL(sched_getaffinity),
    CALL(exit),
    CALL(exit_group),
    CALL(restart_syscall),
    CALL(rt_sigaction),
    CALL(rt_sigprocmask),
    CALL(rt_sigreturn),
#ifdef SYS_sigreturn
    CALL(sigreturn),
#endif
    CALL(sigaltstack),
    CALL(getpid),
    CALL(gettid),
    CALL(getrandom),
    CALL(uname),
    CALL(clock_gettime),
    CALL(clock_nanosleep),
    CALL(nanosleep),
    CALL(gettimeofday),
    CALL(ppoll),
#ifdef SYS_poll
    CALL(poll),
#endif
#ifdef SYS_time
    CALL(time),
#endif
#ifdef SYS_futex_time64
    CALL(futex_time64),
    CALL(clock_gettime64),
    CALL(clock_nanosleep_time64),
    CALL(ppoll_time64),
#endif
};

#ifndef SYS_listxattrat /* of Linux 6.13; the same number for all architectures */
#define SYS_listxattrat 465
#endif
#define WRITING_FLAGS (O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))
static const struct rule files_too[] = {
    CALL_IF(openat, 2, WRITING_FLAGS, O_RDONLY),
#ifdef SYS_open
    CALL_IF(open, 1, WRITING_FLAGS, O_RDONLY),
#endif
    CALL(getdents64),
    CALL(readlinkat),
#ifdef SYS_readlink
    CALL(readlink),
#endif
    CALL(faccessat),
#ifdef SYS_faccessat2
    CALL(faccessat2),
#endif
#ifdef SYS_access
    CALL(access),
#endif
    CALL(geteuid),
    CALL(getegid),
    CALL(getuid),
    CALL(getgid),
    CALL(statfs),
    CALL(fstatfs),
#ifdef SYS_statfs64
    CALL(statfs64),
    CALL(fstatfs64),
#endif
    CALL(listxattrat),
    CALL(listxattr),
    CALL(llistxattr),
    CALL(flistxattr),
    CALL(getxattr),
    CALL(lgetxattr),
    CALL(fgetxattr),
};

/* These have their arguments in memory, where no filter can look: who hears that the kernel does
 * not know them uses those above. */
static const int unknown[] = {
#ifdef SYS_clone3
    SYS_clone3,
#endif
#ifdef SYS_openat2
    SYS_openat2,
#endif
};

/* ---- The filter as a program ------------------------------------------------------------------ */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PROGRAM_MOST (6 * (2 + COUNT(basic) + COUNT(files_too)) + 2 * COUNT(unknown))

struct program {
    struct sock_filter steps[PROGRAM_MOST];
    unsigned short length;
};

static void add(struct program *program, struct sock_filter step)
{
    program->steps[program->length++] = step;
}

static void load(struct program *program, size_t offset)
{
    add(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

/* Goes on with the next step if it is equal, else leaves out so many. */
static void expect(struct program *program, uint32_t value, unsigned char others)
{
    add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, others));
}

static void answer(struct program *program, uint32_t action)
{
    add(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

/* The lower half of an argument: the rest of those that are looked at means nothing to the kernel. */
static size_t argument_offset(int argument)
{
    const uint16_t one = 1;
    const size_t low = *(const uint8_t *)&one == 1 ? 0 : 4;
    return offsetof(struct seccomp_data, args) + (size_t)argument * sizeof(uint64_t) + low;
}

static void add_rules(struct program *program, const struct rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct rule *rule = &rules[i];
        expect(program, (uint32_t)rule->number, rule->argument == ANY ? 1 : 5);
        if (rule->argument != ANY) {
            load(program, argument_offset(rule->argument));
            add(program, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, rule->mask));
            expect(program, rule->value, 1);
        }
        answer(program, SECCOMP_RET_ALLOW);
        if (rule->argument != ANY)
            load(program, offsetof(struct seccomp_data, nr));
    }
}

static void write_program(struct program *program, int files)
{
    program->length = 0;
    load(program, offsetof(struct seccomp_data, arch));
    expect(program, ARCHITECTURE, 1);
    add(program, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 1));
    answer(program, SECCOMP_RET_ERRNO | EPERM);
    load(program, offsetof(struct seccomp_data, nr));
    add_rules(program, basic, COUNT(basic));
    if (files)
        add_rules(program, files_too, COUNT(files_too));
    /* To itself alone, as raise() and abort() send them. */
    const struct rule own = CALL_IF(tgkill, 0, UINT32_MAX, getpid());
    add_rules(program, &own, 1);
    for (size_t i = 0; i < COUNT(unknown); i++) {
        expect(program, (uint32_t)unknown[i], 1);
        answer(program, SECCOMP_RET_ERRNO | ENOSYS);
    }
    answer(program, SECCOMP_RET_ERRNO | EPERM);
}

int syscalls_restrict(int files)
{
    struct program program;
    if (ARCHITECTURE == 0)
        return -ENOSYS;
    write_program(&program, files);
    const struct sock_fprog filter = {program.length, program.steps};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0 ? 0 : -errno;
}
