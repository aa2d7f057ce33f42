/*
 * The lines of `memfs diff`.
 */
#ifndef MEMFS_TOOLS_DIFF_TEXT_H
#define MEMFS_TOOLS_DIFF_TEXT_H

#include "diff/diff_report.h"

/* below: what went and came with directories. */
void diff_text_changed(struct diff_report *report, const struct pair *pair, const struct comparison *comparison,
                       const struct subtree below[2]);
void diff_text_one_sided(struct diff_report *report, const struct pair *pair, const struct subtree *below);
void diff_text_counts(struct diff_report *report);

#endif
