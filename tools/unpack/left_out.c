#include "unpack/left_out.h"

#include "output/message.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* ---- What the destination does not take ----------------------------------------- */

/* Attributes that the destination does not know or take are no reason to unpack
 * nothing: whoever made the image chose their names and values. ENOSPC is a full
 * disk, or an attribute that is larger than there may be here. */
static int is_refusal(const char *dir, const struct memfs_problem *problem)
{
    struct statvfs host;
    if (problem->kind != MEMFS_PROBLEM_XATTR)
        return 0;
    switch (problem->error) {
    case -EOPNOTSUPP:
    case -EINVAL:
    case -EPERM:
    case -ERANGE:
    case -E2BIG:
        return 1;
    case -ENOSPC:
        return statvfs(dir, &host) == 0 && host.f_bavail > 0 && (host.f_files == 0 || host.f_favail > 0);
    default:
        return 0;
    }
}

/* To be said when all is done. Nonzero if it cannot be remembered. */
static int note_refusal(struct left_out *left_out, const struct memfs_problem *problem)
{
    size_t i = 0;
    while (i < LEFT_OUT_REFUSALS - 1 && left_out->refusals[i].count > 0 &&
           left_out->refusals[i].error != problem->error)
        i++;
    struct refusal *refusal = &left_out->refusals[i];
    if (refusal->count++ > 0)
        return 0;
    refusal->error = problem->error;
    int result = buffer_append_text(&refusal->path, problem->path);
    return result == 0 ? buffer_append_text(&refusal->text, problem->text) : result;
}

int left_out_note(struct left_out *left_out, const char *dir, const struct memfs_problem *problem)
{
    if (problem->error == 0) {
        left_out->counts[problem->kind]++;
        return 1;
    }
    return is_refusal(dir, problem) && note_refusal(left_out, problem) == 0;
}

int left_out_say_refusals(const struct left_out *left_out, const char *dir)
{
    int any = 0;
    for (size_t i = 0; i < LEFT_OUT_REFUSALS && left_out->refusals[i].count > 0; i++, any = 1) {
        const struct refusal *refusal = &left_out->refusals[i];
        char others[64] = "";
        if (refusal->count > 1)
            snprintf(others, sizeof others, ", as %s %" PRIu64 " more", refusal->count > 2 ? "were" : "was",
                     refusal->count - 1);
        message(dir, refusal->path.data, "%s: %s; left out%s", refusal->text.data, memfs_strerror(refusal->error),
                others);
    }
    return any;
}

/* ---- What no option asked for ------------------------------------------------------ */

/* "3 devices" behind what stands in the line. */
static int append_count(struct buffer *line, uint64_t count, const char *one, const char *many)
{
    char item[64];
    if (count == 0)
        return 0;
    snprintf(item, sizeof item, "%s%" PRIu64 " %s", line->length > 0 ? ", " : "", count, count == 1 ? one : many);
    return buffer_append_text(line, item);
}

void left_out_say_defaults(const struct left_out *left_out, const char *dir, int all)
{
    const uint64_t *counts = left_out->counts;
    struct buffer line = {0};
    int result = 0;
    if (counts[MEMFS_PROBLEM_OWNER] > 0)
        result = buffer_append_text(&line, "owners");
    if (result == 0)
        result = append_count(&line, counts[MEMFS_PROBLEM_SETUID], "setuid or setgid file", "setuid or setgid files");
    if (result == 0)
        result = append_count(&line, counts[MEMFS_PROBLEM_DEVICE], "device", "devices");
    if (result == 0)
        result = append_count(&line, counts[MEMFS_PROBLEM_XATTR], "privileged attribute", "privileged attributes");
    if (line.length > 0 && result == 0 && all) /* no more than setuid and setgid */
        message(dir, NULL, "unpacked without what needs the owners of the image: %s", line.data);
    else if (line.length > 0 && result == 0)
        message(dir, NULL, "unpacked without what is left out by default: %s; %s", line.data,
                geteuid() == 0 ? "--all restores it" : "root restores it with --all");
    buffer_free(&line);
}

void left_out_json(const struct left_out *left_out, struct json *json)
{
    uint64_t refused = 0;
    for (size_t i = 0; i < LEFT_OUT_REFUSALS; i++)
        refused += left_out->refusals[i].count;
    json_open(json, "left_out", 0);
    json_bool(json, "owners", left_out->counts[MEMFS_PROBLEM_OWNER] > 0);
    json_unsigned(json, "setuid", left_out->counts[MEMFS_PROBLEM_SETUID]);
    json_unsigned(json, "devices", left_out->counts[MEMFS_PROBLEM_DEVICE]);
    json_unsigned(json, "privileged_xattrs", left_out->counts[MEMFS_PROBLEM_XATTR]);
    json_unsigned(json, "refused_xattrs", refused);
    json_unsigned(json, "failed", left_out->failed);
    json_close(json, 0);
}

void left_out_free(struct left_out *left_out)
{
    for (size_t i = 0; i < LEFT_OUT_REFUSALS; i++) {
        buffer_free(&left_out->refusals[i].path);
        buffer_free(&left_out->refusals[i].text);
    }
}
