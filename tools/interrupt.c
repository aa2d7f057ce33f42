#include "interrupt.h"

#include <signal.h>
#include <string.h>

static volatile sig_atomic_t noted;

static void note(int number)
{
    noted = number;
}

void interrupt_catch(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct sigaction action;
        if (sigaction(numbers[i], NULL, &action) != 0 || action.sa_handler == SIG_IGN)
            continue;
        memset(&action, 0, sizeof action);
        action.sa_handler = note;
        sigemptyset(&action.sa_mask);
        sigaction(numbers[i], &action, NULL); /* without SA_RESTART: blocked reads and writes return */
    }
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
