/*
 * The objects of `memfs diff --json`.
 */
#ifndef MEMFS_TOOLS_DIFF_JSON_H
#define MEMFS_TOOLS_DIFF_JSON_H

#include "diff/diff_report.h"

/* below: what went and came with directories. */
void diff_json_changed(struct diff_report *report, const struct pair *pair, const struct comparison *comparison,
                       const struct subtree below[2]);
void diff_json_one_sided(const struct diff_report *report, const struct pair *pair, const struct subtree *below);
void diff_json_counts(const struct diff_report *report);

#endif
