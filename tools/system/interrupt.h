/*
 * Ctrl-C and its like: what is under way is cancelled and cleaned up, and then
 * the process dies by the signal, as its parent expects.
 */
#ifndef MEMFS_TOOLS_INTERRUPT_H
#define MEMFS_TOOLS_INTERRUPT_H

/* Before anything else: signals that come of writing (SIGPIPE, SIGXFSZ) become
 * errors of writing, so that they are cleaned up after. */
void interrupt_start(void);

/* From now on SIGINT and its like (all that others send to end a process) are
 * noted only, unless they were ignored. For subcommands that leave something behind. */
void interrupt_catch(void);

/* Nobody reads standard output any more: SIGPIPE counts as noted, unless it was
 * ignored from the beginning. Whether it does; if so, nothing is to be said. */
int interrupt_by_pipe(void);

/* The signal that was noted, or 0. */
int interrupt_noted(void);

/* Dies by the signal that was noted, if one was. */
void interrupt_die(void);

#endif
