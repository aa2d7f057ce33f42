/*
 * Goes into the sandbox as a subcommand does, and tries to get out.
 *
 *   prisoner reading FILE             as ls and its like: nothing but what is open
 *   prisoner files DIR FILE           as diff of a directory: reads below DIR, but not FILE
 *   prisoner writing DIR FILE         as unpack: writes below DIR, and gets at nothing of FILE
 *
 * Says "ok what" or "not ok what" for each attempt; FILE exists outside DIR, and may be written. "skip
 * what" where the kernel has no such prison. The exit code is 0 whatever comes out.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* clone, O_TMPFILE, syscall */
#endif
#include "system/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char path[4096];

static const char *in(const char *directory, const char *name)
{
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static void result(const char *what, int right)
{
    printf("%s %s: %s\n", right ? "ok" : "not ok", what, strerror(errno));
    fflush(stdout);
}

static void refused(const char *what, long got)
{
    result(what, got < 0 && (errno == EPERM || errno == EACCES || errno == ENOSYS || errno == EXDEV));
    if (got < 0)
        errno = 0;
}

static void allowed(const char *what, long got)
{
    result(what, got >= 0);
    errno = 0;
}

/* ---- Attempts ------------------------------------------------------------------------- */

static long run_program(void)
{
    char *argv[] = {(char[]){"true"}, NULL};
    return execv("/bin/true", argv); /* where it is allowed, it does not come back: nothing more is said */
}

static long make_process(void)
{
    const pid_t child = fork();
    if (child == 0)
        _exit(0);
    return child;
}

static void *nothing(void *argument)
{
    return argument;
}

static long make_thread(void)
{
    pthread_t thread;
    errno = pthread_create(&thread, NULL, nothing, NULL);
    return errno != 0 ? -1 : pthread_join(thread, NULL);
}

static void try_calls(void)
{
    char letter = 'x';
    refused("to run a program", run_program());
    refused("to make a process", make_process());
    refused("a socket", socket(AF_INET, SOCK_STREAM, 0));
    refused("a local socket", socket(AF_UNIX, SOCK_STREAM, 0));
    refused("another process's memory", syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0));
    refused("to trace another process", syscall(SYS_ptrace, 16L, getppid(), 0, 0));
    refused("to end another process", kill(getppid(), 0));
    refused("to end another's thread", syscall(SYS_tgkill, getppid(), getppid(), 0));
    refused("to type into the terminal", ioctl(STDIN_FILENO, TIOCSTI, &letter));
    refused("a namespace of its own", unshare(CLONE_NEWUSER));
    refused("io_uring", syscall(425, 1, NULL));
    allowed("a thread", make_thread());
    allowed("memory", mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0);
    allowed("a signal to itself", raise(0));
}

static void try_writing(const char *file)
{
    refused("to write a file", open(file, O_WRONLY));
    refused("to read and write a file", open(file, O_RDWR));
    refused("to empty a file", open(file, O_RDONLY | O_TRUNC));
    refused("to cut a file", truncate(file, 0));
    snprintf(path, sizeof path, "%s.made", file);
    refused("to make a file", open(path, O_RDWR | O_CREAT | O_EXCL, 0600));
    refused("to make a file without a name", open("/tmp", O_RDWR | O_TMPFILE, 0600));
    refused("to remove a file", unlink(file));
}

/* Where a file lies, another may be made: it is asked for by its directory. */
static void try_names(const char *file)
{
    char other[4200];
    snprintf(other, sizeof other, "%s.other", file);
    refused("to rename a file", rename(file, other));
    refused("to link a file", link(file, other));
    refused("to make a link", symlink(file, other));
    refused("to make a directory", mkdir(other, 0700));
    refused("to make a FIFO", mkfifo(other, 0600));
}

static void try_below(const char *directory)
{
    struct stat status;
    char other[4200];
    allowed("to make a directory there", mkdir(in(directory, "a"), 0700));
    snprintf(other, sizeof other, "%s/a/linked", directory);
    allowed("to make a file there", open(in(directory, "file"), O_WRONLY | O_CREAT | O_EXCL, 0600));
    allowed("to link it into another directory", link(in(directory, "file"), other));
    allowed("to make a link there", symlink("/etc/passwd", in(directory, "link")));
    allowed("to make a FIFO there", mkfifo(in(directory, "fifo"), 0600));
    allowed("to remove a file there", unlink(in(directory, "file")));
    allowed("to look at it", lstat(other, &status));
    refused("to make a device there", mknod(in(directory, "device"), S_IFCHR | 0600, 0));
    refused("to read through a link that leads out", open(in(directory, "link"), O_RDONLY));
}

int main(int argc, char **argv)
{
    struct sandbox sandbox;
    const char *how = argc > 1 ? argv[1] : "";
    const int reading = strcmp(how, "reading") == 0, files = strcmp(how, "files") == 0;
    if (!(reading && argc == 3) && !((files || strcmp(how, "writing") == 0) && argc == 4))
        return 2;
    const char *file = argv[argc - 1];
    sandbox_begin(&sandbox);
    const int has_landlock = sandbox.ruleset >= 0;
    if (!reading)
        sandbox_allow(&sandbox, argv[2], files ? SANDBOX_READ : SANDBOX_READ | SANDBOX_WRITE);
    sandbox_enter(&sandbox);
    errno = 0;
    if (!has_landlock && !reading)
        puts("skip Landlock");
    if (reading)
        refused("to read a file", open(file, O_RDONLY));
    if (has_landlock && !reading)
        refused("to read a file elsewhere", open(file, O_RDONLY));
    if (files)
        allowed("to read a directory there", open(argv[2], O_RDONLY | O_DIRECTORY));
    if (reading || files || has_landlock)
        try_writing(file);
    if (reading || files || has_landlock)
        try_names(file);
    if (reading || files)
        try_calls();
    else
        try_below(argv[2]);
    return 0;
}
