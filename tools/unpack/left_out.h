/*
 * What unpacking leaves out: because no option asks for it, or because the
 * destination does not take it.
 */
#ifndef MEMFS_TOOLS_LEFT_OUT_H
#define MEMFS_TOOLS_LEFT_OUT_H

#include "memfs_host.h"
#include "output/json.h"
#include "system/buffer.h"

#define LEFT_OUT_REFUSALS 8 /* errors by which attributes were refused that are counted apart */

/* Attributes that the destination does not take, for one reason. */
struct refusal {
    int error;
    uint64_t count;
    struct buffer path, text; /* of the first */
};

/* Zeroed: nothing. */
struct left_out {
    uint64_t counts[MEMFS_PROBLEM_XATTR + 1]; /* by kind, because no option asked for it; owners once for all */
    uint64_t failed;                          /* what was damaged or could not be made, each told of at once */
    struct refusal refusals[LEFT_OUT_REFUSALS];
};

/* Counts a problem if what it is about can be left out; returns whether it can. */
int left_out_note(struct left_out *left_out, const char *dir, const struct memfs_problem *problem);

/* Says what no option asked for, if anything, in one line; with all, what is missing although that asked for it. */
void left_out_say_defaults(const struct left_out *left_out, const char *dir, int all);

/* Says each reason for which attributes were refused. Returns whether there are any. */
int left_out_say_refusals(const struct left_out *left_out, const char *dir);

/* The member "left_out" of an object. */
void left_out_json(const struct left_out *left_out, struct json *json);

void left_out_free(struct left_out *left_out);

#endif
