#include "system/interrupt.h"

#include <signal.h>
#include <string.h>

static volatile sig_atomic_t noted;
static int pipe_kills; /* nobody asked for SIGPIPE to be ignored but us */

static void note(int number)
{
    noted = number;
}

static int is_ignored(int number)
{
    struct sigaction action;
    return sigaction(number, NULL, &action) != 0 || action.sa_handler == SIG_IGN;
}

void interrupt_start(void)
{
    signal(SIGXFSZ, SIG_IGN);
    pipe_kills = !is_ignored(SIGPIPE);
    signal(SIGPIPE, SIG_IGN);
}

void interrupt_catch(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXCPU, SIGALRM, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct sigaction action;
        if (is_ignored(numbers[i]))
            continue;
        memset(&action, 0, sizeof action);
        action.sa_handler = note;
        sigemptyset(&action.sa_mask);
        sigaction(numbers[i], &action, NULL); /* without SA_RESTART: blocked reads and writes return */
    }
}

int interrupt_by_pipe(void)
{
    if (pipe_kills && noted == 0)
        noted = SIGPIPE;
    return noted == SIGPIPE;
}

int interrupt_noted(void)
{
    return noted;
}

void interrupt_die(void)
{
    int number = noted;
    if (number == 0)
        return;
    signal(number, SIG_DFL);
    raise(number);
}
