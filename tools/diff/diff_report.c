#include "diff/diff_report.h"

#include "diff/diff_json.h"
#include "diff/diff_text.h"
#include "diff/unified.h"
#include "output/message.h"
#include "output/output.h"
#include "values/quantity.h"

#include <stdio.h>

/* Something has been told: nonzero if it could not be written. */
static int told(struct diff_report *report)
{
    report->code = message_worse(report->code, EXIT_INCOMPLETE);
    return output_text("", 0) || ferror(stdout);
}

/* What is below a directory that the other side does not have, unless that is told by itself. */
static void count_below(struct diff_report *report, const struct pair *pair, int side, struct subtree *below)
{
    *below = (struct subtree){.entries = 0};
    if (report->detailed || report->brief || !pair_is_dir(pair, side))
        return;
    int result = subtree_count(report->compare->sides[side]->fs, pair->stat[side].node, below);
    if (result != 0)
        side_error(report->compare->sides[side], pair->path, result);
    report->one_sided[side].entries += below->entries;
    report->one_sided[side].files += below->files;
    report->one_sided[side].bytes = quantity_sum(report->one_sided[side].bytes, below->bytes);
}

int diff_report_one_sided(struct diff_report *report, const struct pair *pair)
{
    const int side = pair->has == HAS_OLD ? OLD : NEW;
    struct subtree below, *sum = &report->one_sided[side];
    count_below(report, pair, side, &below);
    sum->entries++;
    if ((pair->stat[side].mode & MEMFS_IFMT) == MEMFS_IFREG) {
        sum->files++;
        sum->bytes = quantity_sum(sum->bytes, pair->stat[side].size);
    }
    if (report->form == DIFF_JSON)
        diff_json_one_sided(report, pair, &below);
    else if (report->form != DIFF_STAT)
        diff_text_one_sided(report, pair, &below);
    return told(report);
}

static void count_changed(struct diff_report *report, const struct pair *pair, const struct comparison *comparison)
{
    report->changed++;
    for (int i = 0; i < DIFFERENCE_KINDS; i++)
        report->kinds[i] += comparison->differs >> i & 1u;
    for (int side = 0; side < 2 && (comparison->differs & DIFFERS_CONTENTS); side++)
        report->bytes[side] = quantity_sum(report->bytes[side], pair->stat[side].size);
}

/* Nonzero: there is no diff(1), or it has failed. */
static int show_text(struct diff_report *report, const struct pair *pair)
{
    int code = unified_show(report->compare->sides, pair, report->context, report->colors);
    report->code = message_worse(report->code, code);
    return code == EXIT_FAILED;
}

int diff_report_changed(struct diff_report *report, const struct pair *pair, const struct comparison *comparison)
{
    struct subtree below[2] = {{.entries = 0}, {.entries = 0}};
    if (report->form != DIFF_STAT && report->form != DIFF_BRIEF && !report->brief &&
        difference_read(&report->difference, report->compare, pair, comparison) != 0)
        return 1;
    count_changed(report, pair, comparison);
    if (comparison->differs & DIFFERS_TYPE) {
        count_below(report, pair, OLD, &below[OLD]);
        count_below(report, pair, NEW, &below[NEW]);
    }
    if (report->form == DIFF_JSON)
        diff_json_changed(report, pair, comparison, below);
    else if (report->form != DIFF_STAT)
        diff_text_changed(report, pair, comparison, below);
    int stop = told(report);
    if (!stop && report->form == DIFF_UNIFIED && (comparison->differs & DIFFERS_CONTENTS))
        stop = show_text(report, pair);
    return stop;
}

void diff_report_same(struct diff_report *report)
{
    report->same++;
}

void diff_report_free(struct diff_report *report)
{
    difference_free(&report->difference);
}

void diff_report_end(struct diff_report *report)
{
    if (report->form != DIFF_STAT)
        return;
    if (report->json)
        diff_json_counts(report);
    else
        diff_text_counts(report);
}
