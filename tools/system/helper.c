#define _GNU_SOURCE /* close_range() */
#include "system/helper.h"

#include "system/eintr.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* All of it, through a pipe. Whether that went well. */
static int take(int fd, void *data, size_t length)
{
    for (char *at = data; length > 0;) {
        ssize_t got;
        RETRY(got, read(fd, at, length));
        if (got <= 0)
            return 0;
        at += got;
        length -= (size_t)got;
    }
    return 1;
}

/* So little goes into a pipe as a whole. */
static int put(int fd, const void *data, size_t length)
{
    ssize_t written;
    RETRY(written, write(fd, data, length));
    return written == (ssize_t)length;
}

/* Who waits for the end of our output, or for a lock, does not wait for the helper's. */
static void keep_only(int questions, int answers)
{
    const int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        dup2(null, fd);
    const int low = questions < answers ? questions : answers, high = questions < answers ? answers : questions;
    const int bounds[] = {STDERR_FILENO, low, high};
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        const unsigned first = (unsigned)bounds[i] + 1, next = i < 2 ? (unsigned)bounds[i + 1] : UINT_MAX;
        if (first < next)
            close_range(first, next == UINT_MAX ? UINT_MAX : next - 1, 0);
    }
}

static void serve(const struct helper *helper, helper_fn *answer_one, int questions, int answers)
{
    _Alignas(max_align_t) char question[PIPE_BUF], answer[PIPE_BUF];
    keep_only(questions, answers);
    while (take(questions, question, helper->question)) {
        memset(answer, 0, helper->answer);
        answer_one(question, answer);
        if (!put(answers, answer, helper->answer))
            break;
    }
    _exit(0);
}

static void close_both(const int pipe[2])
{
    close(pipe[0]);
    close(pipe[1]);
}

void helper_start(struct helper *helper, helper_fn *answer_one, size_t question_bytes, size_t answer_bytes)
{
    int questions[2], answers[2];
    *helper = (struct helper){.question = question_bytes, .answer = answer_bytes};
    if (pipe(questions) != 0)
        return;
    if (pipe(answers) != 0) {
        close_both(questions);
        return;
    }
    const pid_t child = fork();
    if (child < 0) {
        close_both(questions);
        close_both(answers);
        return;
    }
    if (child == 0) {
        close(questions[1]);
        close(answers[0]);
        serve(helper, answer_one, questions[0], answers[1]);
    }
    close(questions[0]);
    close(answers[1]);
    helper->is_there = 1;
    helper->process = child;
    helper->to = questions[1];
    helper->from = answers[0];
}

void helper_end(struct helper *helper)
{
    pid_t ended;
    if (!helper->is_there)
        return;
    close(helper->to);
    close(helper->from);
    RETRY(ended, waitpid(helper->process, NULL, 0));
    helper->is_there = 0;
}

int helper_ask(const struct helper *helper, const void *question, void *answer)
{
    return put(helper->to, question, helper->question) && take(helper->from, answer, helper->answer);
}
