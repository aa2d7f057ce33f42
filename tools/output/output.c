#include "output/output.h"

#include "output/escape.h"
#include "output/message.h"
#include "output/width.h"
#include "system/interrupt.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <unistd.h>

#define LARGE_BYTES 65536

static int failure; /* the errno of the first write that failed; ECANCELED: no more is to be written */
static int stopped;

static int check(int failed)
{
    if (failed && failure == 0) {
        failure = errno != 0 ? errno : EIO;
        if ((failure == EINTR && interrupt_noted()) || (failure == EPIPE && interrupt_by_pipe()))
            failure = ECANCELED; /* the command dies by the signal */
    }
    return failure;
}

int output(const char *format, ...)
{
    if (stopped)
        return failure;
    va_list arguments;
    va_start(arguments, format);
    int length = vprintf(format, arguments);
    va_end(arguments);
    return check(length < 0);
}

int output_text(const char *text, size_t length)
{
    return stopped ? failure : check(fwrite(text, 1, length, stdout) != length);
}

void output_stop(void)
{
    output_flush();
    stopped = 1;
    if (failure == 0)
        failure = ECANCELED;
}

int output_failed(void)
{
    return check(ferror(stdout));
}

int output_is_terminal(void)
{
    static int answer = -1; /* asked once: there can be millions of names */
    if (answer < 0)
        answer = isatty(STDOUT_FILENO);
    return answer;
}

int output_name(const char *name, size_t length)
{
    if (!output_is_terminal())
        return output_text(name, length);
    escape_put(stdout, name, length);
    return output_failed();
}

size_t output_name_width(const char *name, size_t length)
{
    return output_is_terminal() ? escape_width(name, length) : width_of(name, length);
}

void output_in_large_pieces(void)
{
    static char buffer[LARGE_BYTES];
    if (!output_is_terminal())
        setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    __fsetlocking(stdout, FSETLOCKING_BYCALLER);
}

int output_bytes(const void *data, size_t length)
{
    const char *at = data;
    while (length > 0) {
        ssize_t written = write(STDOUT_FILENO, at, length);
        if (written < 0 && errno == EPIPE && interrupt_by_pipe())
            return -ECANCELED;
        if (written < 0 && errno != EINTR)
            return -errno;
        if (written > 0) {
            at += written;
            length -= (size_t)written;
        }
        if (length > 0 && interrupt_noted())
            return -ECANCELED;
    }
    return 0;
}

int output_flush(void)
{
    if (stopped) {
        __fpurge(stdout);
        return failure;
    }
    return check(fflush(stdout) != 0 || ferror(stdout));
}

int output_finish(void)
{
    output_flush();
    if (failure == 0)
        return EXIT_DONE;
    if (failure != ECANCELED)
        message_error("standard output", NULL, -failure, NULL);
    return EXIT_FAILED;
}
