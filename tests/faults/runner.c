#define _GNU_SOURCE
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define CALLS_MOST 200000u /* whoever makes more does not come to an end */
#define PATH_ROOM 4200

/* Without random addresses libc lies where it lay when it was seen first. */
static uint64_t libc_begin, libc_end;

struct runner {
    const struct run *run;
    struct ran *ran;
    pid_t child;
    int listener;
    pid_t interrupted;          /* the thread whose last call was */
    const struct call *failing; /* for ever, with: */
    int failing_error;
    int dead;       /* the error of all */
    int interrupts; /* all that restart, and */
    int halves;     /* all that read and write */
};

/* ---- The command --------------------------------------------------------------- */

static int install_filter(void)
{
    struct sock_filter code[256];
    struct sock_fprog program = {.filter = code};
    code[program.len++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < call_count; i++) {
        code[program.len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)calls[i].number, 0, 1);
        code[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
    }
    code[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

static int send_listener(int socket, int fd)
{
    char byte = 0, control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec part = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    return sendmsg(socket, &message, 0) == 1 ? 0 : -1;
}

static int receive_listener(int socket)
{
    char byte, control[CMSG_SPACE(sizeof(int))];
    struct iovec part = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    int fd = -1;
    if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&message))
        return -1;
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
}

static int redirect(const char *path, int flags, int to)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    return fd < 0 || dup2(fd, to) < 0 ? -1 : 0;
}

/* In the child. Once the filter stands, calls of calls.h would wait for the
 * parent: all that is left to do is done by others. Without random addresses
 * the same calls are made in each run. */
static _Noreturn void become_command(const struct run *run, int socket)
{
    if (chdir(run->directory) || redirect("/dev/null", O_RDONLY, 0) ||
        redirect(run->out, O_WRONLY | O_CREAT | O_TRUNC, 1) || redirect(run->err, O_WRONLY | O_CREAT | O_TRUNC, 2) ||
        personality(ADDR_NO_RANDOMIZE) < 0)
        _exit(127);
    int listener = install_filter();
    if (listener >= 0 && send_listener(socket, listener) == 0)
        execv(run->command[0], run->command);
    _exit(127);
}

/* ---- What it has ------------------------------------------------------------------ */

size_t runner_read(pid_t pid, uint64_t address, void *to, size_t length)
{
    struct iovec here = {to, length}, there = {(void *)(uintptr_t)address, length}; // NOLINT(performance-no-int-to-ptr)
    ssize_t got = process_vm_readv(pid, &here, 1, &there, 1, 0);
    return got < 0 ? 0 : (size_t)got;
}

static size_t write_memory(pid_t pid, uint64_t address, void *from, size_t length)
{
    struct iovec here = {from, length}, there = {(void *)(uintptr_t)address, length}; // NOLINT
    ssize_t done = process_vm_writev(pid, &here, 1, &there, 1, 0);
    return done < 0 ? 0 : (size_t)done;
}

/* Page by page: what follows the text may not be there. */
static void read_text(pid_t pid, uint64_t address, char *text, size_t room)
{
    size_t length = 0;
    while (length + 1 < room) {
        size_t step = 4096 - (address + length) % 4096;
        if (step > room - 1 - length)
            step = room - 1 - length;
        size_t got = runner_read(pid, address + length, text + length, step);
        const char *end = memchr(text + length, 0, got);
        if (end)
            return;
        length += got;
        if (got < step)
            break;
    }
    text[length] = 0;
}

static void path_of_fd(pid_t pid, int fd, char *path, size_t room)
{
    char link[64];
    if (fd == AT_FDCWD)
        snprintf(link, sizeof link, "/proc/%d/cwd", (int)pid);
    else
        snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)pid, fd);
    ssize_t length = readlink(link, path, room - 1);
    path[length < 0 ? 0 : length] = 0;
}

void runner_path_at(pid_t pid, uint64_t directory, uint64_t name, char *path, size_t room)
{
    char last[PATH_ROOM];
    read_text(pid, name, last, sizeof last);
    if (last[0] == '/') {
        snprintf(path, room, "%s", last);
        return;
    }
    path_of_fd(pid, (int)directory, path, room);
    size_t length = strlen(path);
    if (last[0] && strcmp(last, ".") != 0)
        snprintf(path + length, room - length, "/%s", last);
}

void runner_path(const struct called *called, char *path, size_t room)
{
    path[0] = 0;
    switch (called->call->arguments) {
    case CALL_FD:
        path_of_fd(called->pid, (int)called->arguments[0], path, room);
        break;
    case CALL_PATH:
        runner_path_at(called->pid, (uint64_t)AT_FDCWD, called->arguments[0], path, room);
        break;
    case CALL_AT:
        runner_path_at(called->pid, called->arguments[0], called->arguments[1], path, room);
        break;
    case CALL_NONE:
        break;
    }
}

/* ---- Whose call it is ------------------------------------------------------------ */

static void find_libc(struct runner *runner)
{
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%d/maps", (int)runner->child);
    FILE *maps = fopen(path, "re");
    while (maps && fgets(line, sizeof line, maps)) {
        uint64_t begin, end;
        char rights[8];
        if (sscanf(line, "%lx-%lx %7s", &begin, &end, rights) == 3 && rights[2] == 'x' && strstr(line, "/libc.so")) {
            libc_begin = begin;
            libc_end = end;
        }
    }
    if (maps)
        fclose(maps);
}

static int is_its_own(struct runner *runner, uint64_t instruction)
{
    if (!libc_end)
        find_libc(runner);
    return instruction >= libc_begin && instruction < libc_end;
}

/* ---- What becomes of it ---------------------------------------------------------- */

struct answer {
    int64_t value;
    int error; /* 0: the value is returned */
    int is_done;
};

/* Does a part of a read or write for it, through a copy of its descriptor. */
static int do_part(struct runner *runner, const struct called *called, size_t length, struct answer *answer)
{
    int pidfd = (int)syscall(SYS_pidfd_open, runner->child, 0);
    int fd = (int)syscall(SYS_pidfd_getfd, pidfd, (int)called->arguments[0], 0);
    char *bytes = malloc(length);
    const int has_offset = called->call->number == SYS_pread64 || called->call->number == SYS_pwrite64;
    const off_t offset = (off_t)called->arguments[3];
    ssize_t done = -1;
    errno = ENOMEM;
    if (fd >= 0 && bytes && called->call->data == CALL_READS) {
        done = has_offset ? pread(fd, bytes, length, offset) : read(fd, bytes, length);
        if (done > 0 && write_memory(called->pid, called->arguments[1], bytes, (size_t)done) != (size_t)done)
            done = -1;
    } else if (fd >= 0 && bytes && runner_read(called->pid, called->arguments[1], bytes, length) == length) {
        done = has_offset ? pwrite(fd, bytes, length, offset) : write(fd, bytes, length);
    }
    *answer = (struct answer){done, done < 0 ? errno : 0, 1};
    free(bytes);
    if (fd >= 0)
        close(fd);
    if (pidfd >= 0)
        close(pidfd);
    return 1;
}

static int make_short(struct runner *runner, const struct called *called, int half, struct answer *answer)
{
    uint64_t length = called->arguments[2];
    if (called->call->data == CALL_NO_DATA || length < 2)
        return 0;
    return do_part(runner, called, half ? (size_t)length / 2 : 1, answer);
}

static int refuse(int error, struct answer *answer)
{
    *answer = (struct answer){0, error, 1};
    return 1;
}

/* What a command says must be heard. */
static int is_message(const struct called *called)
{
    return called->call->arguments == CALL_FD && called->arguments[0] == 2;
}

/* A fault whose turn it is. Whether it came to be. */
static int apply(struct runner *runner, const struct fault *fault, const struct called *called, struct answer *answer)
{
    switch (fault->kind) {
    case FAULT_ERROR_EVER:
        runner->failing = called->call;
        runner->failing_error = fault->error;
        return refuse(fault->error, answer);
    case FAULT_DEAD:
        runner->dead = fault->error;
        return refuse(fault->error, answer);
    case FAULT_ONE_BYTE:
    case FAULT_HALF:
        return make_short(runner, called, fault->kind == FAULT_HALF, answer);
    case FAULT_KILL:
        kill(runner->child, SIGKILL);
        return 1;
    case FAULT_INTERRUPTS:
        return runner->interrupts = 1;
    case FAULT_HALVES:
        return runner->halves = 1;
    default:
        return refuse(fault->error, answer);
    }
}

/* What came to stay with an earlier call. */
static void apply_lasting(struct runner *runner, const struct called *called, struct answer *answer)
{
    const struct call *call = called->call;
    if (runner->failing == call)
        refuse(runner->failing_error, answer);
    else if (runner->dead && call->arguments != CALL_NONE && call->number != SYS_close)
        refuse(runner->dead, answer);
    else if (runner->interrupts && call->restarts && call->number != SYS_close && runner->interrupted != called->pid)
        refuse(EINTR, answer);
    else if (runner->halves)
        make_short(runner, called, 1, answer);
    runner->interrupted = answer->is_done && answer->error == EINTR ? called->pid : 0;
}

static void decide(struct runner *runner, const struct called *called, struct answer *answer)
{
    const struct run *run = runner->run;
    if (run->watch)
        run->watch(run->context, called);
    const int is_spared = is_message(called);
    for (size_t i = 0; i < run->fault_count && !answer->is_done; i++) {
        const struct fault *fault = &run->faults[i];
        if (fault->at == called->number && (!fault->call || fault->call == called->call) &&
            (!is_spared || fault->kind == FAULT_KILL))
            runner->ran->faults += (unsigned)apply(runner, fault, called, answer);
    }
    if (!answer->is_done && !is_spared)
        apply_lasting(runner, called, answer);
    if (called->number > CALLS_MOST) {
        fprintf(stderr, "%s makes more than %u calls\n", run->command[1], CALLS_MOST);
        kill(runner->child, SIGKILL);
    }
}

/* ---- All of it ---------------------------------------------------------------------- */

static void serve(struct runner *runner)
{
    struct seccomp_notif call;
    memset(&call, 0, sizeof call);
    if (ioctl(runner->listener, SECCOMP_IOCTL_NOTIF_RECV, &call))
        return; /* it is dead */
    struct answer answer = {0, 0, 0};
    if (is_its_own(runner, call.data.instruction_pointer)) {
        struct called called = {++runner->ran->calls, call_find(call.data.nr), (pid_t)call.pid, {0}};
        memcpy(called.arguments, call.data.args, sizeof called.arguments);
        decide(runner, &called, &answer);
    }
    struct seccomp_notif_resp response = {.id = call.id};
    if (answer.is_done) {
        response.val = answer.error ? 0 : answer.value;
        response.error = -answer.error;
    } else {
        response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    }
    ioctl(runner->listener, SECCOMP_IOCTL_NOTIF_SEND, &response); /* fails if it is dead */
}

static int attend(struct runner *runner)
{
    struct pollfd wait = {.fd = runner->listener, .events = POLLIN};
    for (;;) {
        int ready = poll(&wait, 1, -1);
        if (ready < 0 && errno != EINTR)
            return -1;
        if (ready > 0 && wait.revents & POLLIN)
            serve(runner);
        else if (ready > 0)
            return 0; /* there is nobody left */
    }
}

int runner_run(const struct run *run, struct ran *ran)
{
    int sockets[2];
    struct runner runner = {.run = run, .ran = ran, .listener = -1};
    *ran = (struct ran){.status = -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
        return perror("socketpair"), -1;
    runner.child = fork();
    if (runner.child == 0)
        become_command(run, sockets[1]);
    close(sockets[1]);
    if (runner.child > 0)
        runner.listener = receive_listener(sockets[0]);
    close(sockets[0]);
    int failed = runner.listener < 0 || attend(&runner) ? -1 : 0;
    if (failed)
        perror("the command cannot be run with seccomp's user notification (Linux 5.6)");
    if (failed && runner.child > 0)
        kill(runner.child, SIGKILL);
    if (runner.listener >= 0)
        close(runner.listener);
    if (runner.child > 0 && waitpid(runner.child, &ran->status, 0) != runner.child)
        failed = -1;
    return failed;
}
