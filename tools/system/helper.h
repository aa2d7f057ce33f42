/*
 * A process that was begun before the sandbox and stays outside: it answers what cannot be
 * found out in the sandbox. It gets nothing to see but questions of a fixed size, and ends with this
 * process.
 */
#ifndef MEMFS_TOOLS_HELPER_H
#define MEMFS_TOOLS_HELPER_H

#include <stddef.h>
#include <sys/types.h>

/* Called in the helper: answer is all zeros, to be filled. Both are as large as helper_start() was told. */
typedef void helper_fn(const void *question, void *answer);

/* Zeroed: there is none. */
struct helper {
    int is_there;
    int to, from; /* pipes */
    pid_t process;
    size_t question, answer;
};

/* Questions and answers of so many bytes, each PIPE_BUF at most. Where it cannot be had, there is none. */
void helper_start(struct helper *helper, helper_fn *answer_one, size_t question_bytes, size_t answer_bytes);

/* Whether it has answered. If not, as when it is gone, part of an answer may have been written. */
int helper_ask(const struct helper *helper, const void *question, void *answer);

/* Ends it and waits for that: whoever started this process need not. */
void helper_end(struct helper *helper);

#endif
