/*
 * Runs a command and writes what it took into a file: wall, CPU, and the largest
 * resident memory of any one process, by wait4. A process begins with the peak of whoever
 * started it: that is why this is a small one.
 *
 * took FILE COMMAND [ARGUMENT...]
 */
#define _GNU_SOURCE
#include "bench.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
    struct rusage usage;
    int status;
    if (argc < 3) {
        fprintf(stderr, "usage: took FILE COMMAND [ARGUMENT...]\n");
        return 2;
    }
    double begin = bench_now();
    pid_t child = (pid_t)bench_system(fork(), "fork");
    if (child == 0) {
        execvp(argv[2], argv + 2);
        fprintf(stderr, "%s: %s\n", argv[2], strerror(errno));
        _exit(127);
    }
    bench_system(wait4(child, &status, 0, &usage), "wait4");
    double wall = bench_now() - begin;
    if (!freopen(argv[1], "w", stdout))
        bench_system(-1, argv[1]);
    bench_report("wall", wall, "s");
    bench_report("cpu", seconds(usage.ru_utime) + seconds(usage.ru_stime), "s");
    bench_report("peak", (double)usage.ru_maxrss * 1024, "bytes");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
