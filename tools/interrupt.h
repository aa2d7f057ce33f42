/*
 * Ctrl-C and its like: what is under way is cancelled and cleaned up, and then
 * the process dies by the signal, as its parent expects.
 */
#ifndef MEMFS_TOOLS_INTERRUPT_H
#define MEMFS_TOOLS_INTERRUPT_H

/* From now on SIGINT, SIGTERM and SIGHUP are noted only, unless they were
 * ignored. For subcommands that leave something behind. */
void interrupt_catch(void);

/* The signal that was noted, or 0. */
int interrupt_noted(void);

/* Dies by the signal that was noted, if one was. */
void interrupt_die(void);

#endif
