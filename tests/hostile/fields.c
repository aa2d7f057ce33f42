#include "fields.h"

#include "cursor.h"

#include <ctype.h>

enum target {
    /* Changed at once. */
    NODE,
    ENTRY,
    EXTENT,
    XATTR,
    DIGEST,
    BLOB,
    BLOCK,
    TARGET,
    VALUE,
    GAP,
    /* Changed in what is about to be written. */
    LATER,
    HEADER = LATER,
    TRAILER,
    TROOT,
    TABLE,
    TOP,
    EARLIER,
    RAW,
    CHUNK,
    REF,
    /* And in what has been. */
    WHOLE
};

/* at and width: of little-endian bytes where a target is stored, of a native field else. */
struct field {
    const char *target, *name;
    enum target kind;
    size_t at;
    unsigned width;
};

#define NODE_FIELD(name, member)                                                                                       \
    {                                                                                                                  \
        "node", name, NODE, offsetof(struct memfs_node_record, member),                                                \
            sizeof(((struct memfs_node_record *)0)->member)                                                            \
    }
#define ENTRY_FIELD(member)                                                                                            \
    {                                                                                                                  \
        "entry", #member, ENTRY, offsetof(struct surgery_entry, member), sizeof(((struct surgery_entry *)0)->member)   \
    }
#define EXTENT_FIELD(member)                                                                                           \
    {                                                                                                                  \
        "extent", #member, EXTENT, offsetof(struct memfs_extent, member), sizeof(((struct memfs_extent *)0)->member)   \
    }
#define XATTR_FIELD(member)                                                                                            \
    {                                                                                                                  \
        "xattr", #member, XATTR, offsetof(struct memfs_xattr, member), sizeof(((struct memfs_xattr *)0)->member)       \
    }
#define REF_FIELD(member)                                                                                              \
    {                                                                                                                  \
        "ref", #member, REF, offsetof(struct memfs_ref, member), sizeof(((struct memfs_ref *)0)->member)               \
    }

static const struct field all_fields[] = {
    NODE_FIELD("mode", mode),
    NODE_FIELD("nlink", nlink),
    NODE_FIELD("uid", uid),
    NODE_FIELD("gid", gid),
    NODE_FIELD("size", size),
    NODE_FIELD("mtime", mtime),
    NODE_FIELD("xattrs", xattrs),
    NODE_FIELD("run", run.first),
    NODE_FIELD("entries", run.count),
    NODE_FIELD("parent", up.parent),
    NODE_FIELD("entry", up.entry),
    NODE_FIELD("extent", extents.first),
    NODE_FIELD("extents", extents.count),
    NODE_FIELD("major", rdev.major),
    NODE_FIELD("minor", rdev.minor),
    NODE_FIELD("target", target),
    ENTRY_FIELD(node),
    ENTRY_FIELD(length),
    ENTRY_FIELD(type),
    ENTRY_FIELD(starts_run),
    ENTRY_FIELD(name),
    EXTENT_FIELD(offset),
    EXTENT_FIELD(length),
    EXTENT_FIELD(block),
    EXTENT_FIELD(start),
    XATTR_FIELD(name),
    XATTR_FIELD(value),
    XATTR_FIELD(value_length),
    XATTR_FIELD(name_length),
    XATTR_FIELD(last),
    {"digest", "hash", DIGEST, 0, 8},
    {"blob", "byte", BLOB, 0, 1},
    {"block", "byte", BLOCK, 0, 1},
    {"block", "bytes", BLOCK, 0, 0},
    {"target", "text", TARGET, 0, 0},
    {"xattr", "text", XATTR, SIZE_MAX, 0},
    {"value", "byte", VALUE, 0, 1},
    {"gap", "blocks", GAP, offsetof(struct surgery, gap_before_blocks), sizeof(size_t)},
    {"gap", "root", GAP, offsetof(struct surgery, gap_before_root), sizeof(size_t)},
    {"header", "magic", HEADER, 0, 8},
    {"header", "major", HEADER, 8, 2},
    {"header", "minor", HEADER, 10, 2},
    {"header", "hash_kind", HEADER, 12, 1},
    {"header", "hash_bytes", HEADER, 13, 1},
    {"header", "reserved", HEADER, 14, 2},
    {"header", "incompatible", HEADER, 16, 8},
    {"header", "read_only_compatible", HEADER, 24, 8},
    {"header", "compatible", HEADER, 32, 8},
    {"header", "block_size", HEADER, 40, 4},
    {"header", "reserved_first", HEADER, 44, 1},
    {"header", "reserved_last", HEADER, 63, 1},
    {"trailer", "magic", TRAILER, 0, 8},
    {"trailer", "offset", TRAILER, 8, 8},
    {"trailer", "previous", TRAILER, 16, 8},
    {"trailer", "root_offset", TRAILER, 24, 8},
    {"trailer", "root_length", TRAILER, 32, 4},
    {"trailer", "generation", TRAILER, 36, 4},
    {"trailer", "root_hash", TRAILER, 40, 8},
    {"trailer", "header_hash", TRAILER, 48, 8},
    {"trailer", "hash", TRAILER, 56, 8},
    {"root", "regular", TROOT, 0, 8},
    {"root", "directories", TROOT, 8, 8},
    {"root", "symlinks", TROOT, 16, 8},
    {"root", "fifos", TROOT, 24, 8},
    {"root", "sockets", TROOT, 32, 8},
    {"root", "characters", TROOT, 40, 8},
    {"root", "blocks", TROOT, 48, 8},
    {"root", "content_bytes", TROOT, 56, 8},
    {"root", "data_bytes", TROOT, 64, 8},
    {"root", "raw_bytes", TROOT, 72, 8},
    {"root", "stored_bytes", TROOT, 80, 8},
    {"root", "time", TROOT, 88, 8},
    {"root", "has_time", TROOT, 96, 4},
    {"root", "generations", TROOT, 100, 4},
    {"root", "message_length", TROOT, 104, 4},
    {"root", "reserved", TROOT, 108, 4},
    {"root", "length", TROOT, 0, 0},
    {"earlier", "trailer", EARLIER, 0, 8},
    {"earlier", "time", EARLIER, 8, 8},
    {"earlier", "generation", EARLIER, 16, 4},
    {"earlier", "has_time", EARLIER, 20, 4},
    {"table", "count", TABLE, 0, 8},
    {"table", "height", TABLE, 8, 1},
    {"table", "refs", TABLE, 9, 1},
    {"table", "reserved", TABLE, 10, 2},
    {"top", "offset", TOP, 0, 8},
    {"top", "stored", TOP, 8, 4},
    {"top", "raw", TOP, 12, 4},
    {"top", "codec", TOP, 16, 1},
    {"top", "reserved", TOP, 17, 2},
    {"top", "hash", TOP, 24, 8},
    {"raw", "byte", RAW, 0, 1},
    {"chunk", "length", CHUNK, 0, 0},
    REF_FIELD(offset),
    REF_FIELD(stored),
    REF_FIELD(raw),
    REF_FIELD(codec),
    REF_FIELD(hash),
    {"file", "length", WHOLE, 0, 0},
    {"file", "before", WHOLE, 1, 0},
    {"file", "first", WHOLE, 2, 1},
    {"file", "last", WHOLE, 3, 1},
};

static void complain(const char *what, const char *where)
{
    fprintf(stderr, "hostile: %s at \"%.60s\"\n", what, where);
    exit(2);
}

/* ---- Paths ------------------------------------------------------------------- */

/* The entry of a name in a directory. */
static uint32_t find_name(const struct surgery *s, uint32_t directory, const char *name, size_t length)
{
    const struct memfs_node_record *node = &s->nodes[directory];
    for (uint32_t i = 0; i < node->run.count; i++) {
        const struct surgery_entry *entry = &s->entries[node->run.first + i];
        if (entry->length == length && memcmp(entry->name, name, length) == 0)
            return node->run.first + i;
    }
    complain("no such path", name);
    return 0;
}

static uint32_t find(const struct surgery *s, const char *path, uint32_t *entry)
{
    uint32_t node = 1;
    *entry = 0;
    for (path += strspn(path, "/"); *path; path += strspn(path, "/")) {
        const size_t length = strcspn(path, "/");
        *entry = find_name(s, node, path, length);
        node = s->entries[*entry].node;
        path += length;
    }
    return node;
}

uint32_t fields_node(const struct surgery *s, const char *path)
{
    uint32_t entry;
    return find(s, path, &entry);
}

uint32_t fields_entry(const struct surgery *s, const char *path)
{
    uint32_t entry;
    find(s, path, &entry);
    return entry;
}

/* ---- Reading words ------------------------------------------------------------- */

static const char *skip_space(const char *text)
{
    return text + strspn(text, " ");
}

/* What stands before one of the ends, copied; text goes on behind it. */
static void take_until(const char **text, const char *ends, char *out, size_t room)
{
    const size_t length = strcspn(*text, ends);
    if (length >= room || !(*text)[length])
        complain("unfinished", *text);
    memcpy(out, *text, length);
    out[length] = 0;
    *text += length + 1;
}

static uint64_t count_of(const struct surgery *s, const char **text)
{
    const struct {
        const char *name;
        uint64_t count;
    } counts[] = {{"nodes", s->nodes_count},   {"entries", s->entries_count}, {"extents", s->extents_count},
                  {"xattrs", s->xattrs_count}, {"blobs", s->blobs_count},     {"blocks", s->blocks_count}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        const size_t length = strlen(counts[i].name);
        if (strncmp(*text, counts[i].name, length) == 0) {
            *text += length;
            return counts[i].count;
        }
    }
    complain("unknown word", *text);
    return 0;
}

static uint64_t take_term(const struct surgery *s, const char **text)
{
    char path[300], *end;
    if (strncmp(*text, "node(", 5) == 0 || strncmp(*text, "entry(", 6) == 0) {
        const int entry = **text == 'e';
        *text += entry ? 6 : 5;
        take_until(text, ")", path, sizeof path);
        return entry ? fields_entry(s, path) : fields_node(s, path);
    }
    if (strncmp(*text, "2^", 2) == 0) {
        const unsigned long shift = strtoul(*text + 2, &end, 10);
        *text = end;
        return (uint64_t)1 << shift;
    }
    if (!isdigit((unsigned char)**text))
        return count_of(s, text);
    const uint64_t value = strtoull(*text, &end, 0);
    *text = end;
    return value;
}

static uint64_t take_value(const struct surgery *s, const char **text)
{
    uint64_t value = 0;
    for (char sign = '+';;) {
        *text = skip_space(*text);
        if (**text == '-' && value == 0 && sign == '+') {
            sign = '-';
            *text = skip_space(*text + 1);
        }
        const uint64_t term = take_term(s, text);
        value = sign == '+' ? value + term : value - term;
        *text = skip_space(*text);
        sign = **text;
        if (sign != '+' && sign != '-')
            return value;
        ++*text;
    }
}

static int hex_digit(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

static void take_name(const char **text, struct field_change *change)
{
    const char *at = *text + 1;
    for (change->name_length = 0; *at && *at != '"'; at++) {
        char byte = *at;
        if (at[0] == '\\' && at[1] == 'x' && isxdigit((unsigned char)at[2]) && isxdigit((unsigned char)at[3])) {
            byte = (char)(hex_digit(at[2]) * 16 + hex_digit(at[3]));
            at += 3;
        }
        if (change->name_length == MEMFS_NAME_MAX)
            complain("a name that is too long", *text);
        change->name[change->name_length++] = byte;
    }
    if (!*at)
        complain("unfinished", *text);
    *text = skip_space(at + 1);
    if (**text == '*') { /* a byte so many times */
        change->name_length = strtoul(*text + 1, (char **)(uintptr_t)text, 10);
        memset(change->name, change->name[0], MEMFS_NAME_MAX);
    }
}

static void take_hex(const char **text, struct field_change *change)
{
    const char *at = *text + 1;
    for (change->name_length = 0; isxdigit((unsigned char)at[0]) && isxdigit((unsigned char)at[1]); at += 2) {
        if (change->name_length == MEMFS_NAME_MAX)
            complain("too many bytes", *text);
        change->name[change->name_length++] = (char)(hex_digit(at[0]) * 16 + hex_digit(at[1]));
    }
    *text = at;
}

static unsigned table_number(const char *name)
{
    static const char *const names[MEMFS_IMAGE_TABLES] = {"nodes", "entries", "extents", "xattrs",
                                                          "blobs", "digests", "blocks"};
    for (unsigned i = 0; i < MEMFS_IMAGE_TABLES; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    complain("no such table", name);
    return 0;
}

/* The first part of what stands in brackets: a number with #, a path or a table. */
static uint64_t first_selector(const struct surgery *s, enum target kind, const char *word)
{
    if (word[0] == '#')
        return strtoull(word + 1, NULL, 0);
    switch (kind) {
    case NODE:
    case DIGEST:
    case TARGET:
        return fields_node(s, word);
    case ENTRY:
        return fields_entry(s, word);
    case EXTENT:
        return s->nodes[fields_node(s, word)].extents.first;
    case TABLE:
    case TOP:
    case RAW:
    case CHUNK:
    case REF:
        return table_number(word);
    default:
        return strtoull(word, NULL, 0);
    }
}

static void take_selectors(const struct surgery *s, const char *inside, struct field_change *change)
{
    char word[300];
    for (size_t i = 0; i < 3; i++) {
        const size_t length = strcspn(inside, ":");
        snprintf(word, sizeof word, "%.*s", (int)length, inside);
        if (i == 0)
            change->at[0] = first_selector(s, change->field->kind, word);
        else
            change->at[i] = strtoull(word, NULL, 0);
        inside += length;
        if (!*inside++)
            break;
    }
    if (change->field->kind == EXTENT)
        change->at[0] += change->at[1];
}

static const struct field *find_field(const char *target, const char *name, const char *where)
{
    for (size_t i = 0; i < sizeof all_fields / sizeof *all_fields; i++)
        if (strcmp(all_fields[i].target, target) == 0 && strcmp(all_fields[i].name, name) == 0)
            return &all_fields[i];
    complain("no such field", where);
    return NULL;
}

static const char *take_change(const struct fields *fields, const struct surgery *s, const char *text,
                               struct field_change *change)
{
    const char *where = text;
    char target[16], inside[300] = "", name[32];
    const size_t length = strcspn(text, ".[");
    *change = (struct field_change){.at = {fields->newest}};
    snprintf(target, sizeof target, "%.*s", (int)length, text);
    text += length;
    if (*text == '[') {
        text++;
        take_until(&text, "]", inside, sizeof inside);
    }
    if (*text++ != '.')
        complain("a field is wanted", where);
    take_until(&text, " ", name, sizeof name);
    change->field = find_field(target, name, where);
    if (inside[0])
        take_selectors(s, inside, change);
    change->operation = *text;
    text += *text == '=' ? 1 : 2;
    if (text[-1] != '=')
        complain("= += -= ^= |= is wanted", where);
    text = skip_space(text);
    if (*text == '"')
        take_name(&text, change);
    else if (*text == 'x' && strspn(text + 1, "0123456789ABCDEF") > 1)
        take_hex(&text, change);
    else
        change->value = take_value(s, &text);
    text = skip_space(text);
    if (*text && *text != ';')
        complain("a semicolon is wanted", text);
    return *text ? skip_space(text + 1) : text;
}

/* ---- Changing -------------------------------------------------------------------- */

static uint64_t result_of(const struct field_change *change, uint64_t before)
{
    switch (change->operation) {
    case '+':
        return before + change->value;
    case '-':
        return before - change->value;
    case '^':
        return before ^ change->value;
    case '|':
        return before | change->value;
    default:
        return change->value;
    }
}

/* Of up to 8 bytes, the lowest first. */
static void change_bytes(const struct field_change *change, uint8_t *bytes, unsigned width)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < width; i++)
        value |= (uint64_t)bytes[i] << 8 * i;
    value = result_of(change, value);
    for (unsigned i = 0; i < width; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
}

static void change_native(const struct field_change *change, void *record)
{
    void *at = (char *)record + change->field->at;
    uint64_t eight;
    uint32_t four;
    switch (change->field->width) {
    case 8:
        memcpy(&eight, at, 8);
        eight = result_of(change, eight);
        memcpy(at, &eight, 8);
        break;
    case 4:
        memcpy(&four, at, 4);
        four = (uint32_t)result_of(change, four);
        memcpy(at, &four, 4);
        break;
    case 1:
        change_bytes(change, at, 1);
        break;
    default:
        complain("no number", change->field->name);
    }
}

static void change_entry(const struct field_change *change, struct surgery_entry *entry)
{
    if (change->field->at != offsetof(struct surgery_entry, name)) {
        change_native(change, entry);
        return;
    }
    memcpy(entry->name, change->name, change->name_length);
    entry->length = (uint8_t)change->name_length;
}

/* Bytes of the heap, which keep their number: what is beside them is another's. */
static void change_text(struct surgery *s, const struct field_change *change, uint64_t offset, uint64_t length)
{
    if (length != change->name_length || offset > s->blobs_count || length > s->blobs_count - offset)
        complain("a text of another length than there was", change->name);
    memcpy(s->blobs + offset, change->name, change->name_length);
}

static void *record_of(struct surgery *s, const struct field_change *change)
{
    const struct {
        void *records;
        size_t count, width;
    } of[] = {[NODE] = {s->nodes, s->nodes_count, sizeof *s->nodes},
              [ENTRY] = {s->entries, s->entries_count, sizeof *s->entries},
              [EXTENT] = {s->extents, s->extents_count, sizeof *s->extents},
              [XATTR] = {s->xattrs, s->xattrs_count, sizeof *s->xattrs},
              [DIGEST] = {s->digests, s->digests_count, sizeof *s->digests},
              [BLOB] = {s->blobs, s->blobs_count, 1},
              [BLOCK] = {s->blocks, s->blocks_count, sizeof *s->blocks},
              [TARGET] = {s->nodes, s->nodes_count, sizeof *s->nodes},
              [VALUE] = {s->xattrs, s->xattrs_count, sizeof *s->xattrs},
              [GAP] = {s, SIZE_MAX, 0}};
    if (change->at[0] >= of[change->field->kind].count)
        complain("no such record", change->field->target);
    return (char *)of[change->field->kind].records + change->at[0] * of[change->field->kind].width;
}

static void change_block(const struct field_change *change, struct surgery_block *block)
{
    if (change->field->width) {
        if (change->at[1] >= block->length)
            complain("no such byte", "block");
        change_bytes(change, block->raw + change->at[1], 1);
        return;
    }
    free(block->raw);
    block->raw = surgery_grow(NULL, 0, change->name_length, 1);
    memcpy(block->raw, change->name, change->name_length);
    block->length = change->name_length;
}

static void change_record(struct surgery *s, const struct field_change *change)
{
    void *record = record_of(s, change);
    const struct memfs_node_record *node = record;
    const struct memfs_xattr *xattr = record;
    switch (change->field->kind) {
    case ENTRY:
        change_entry(change, record);
        break;
    case BLOCK:
        change_block(change, record);
        break;
    case TARGET:
        change_text(s, change, node->target, node->size);
        break;
    case VALUE:
        if (change->at[1] >= xattr->value_length)
            complain("no such byte", "value");
        change_bytes(change, s->blobs + xattr->value + change->at[1], 1);
        break;
    default:
        if (change->field->at == SIZE_MAX)
            change_text(s, change, xattr->name, xattr->name_length);
        else
            change_native(change, record);
    }
}

/* ---- Changing what is about to be written ------------------------------------------ */

#define ROOT_FIXED 112u

/* Where a table's part of the root begins. */
static size_t table_place(const uint8_t *root, uint64_t table)
{
    struct memfs_cursor in;
    memfs_cursor_begin(&in, root + 100, 8);
    const size_t generations = memfs_cursor_u32(&in), message = memfs_cursor_u32(&in);
    size_t at = ROOT_FIXED + generations * MEMFS_GENERATION_BYTES + message;
    for (uint64_t i = 0; i < table; i++)
        at += 16 + (size_t)root[at + 9] * MEMFS_REF_BYTES;
    return at;
}

/* Fields that tell where others are come last among the changes of one root. */
static void change_root(const struct field_change *change, uint8_t *root, size_t *length)
{
    size_t at = 0;
    if (change->field->kind == EARLIER)
        at = ROOT_FIXED + (size_t)change->at[0] * MEMFS_GENERATION_BYTES;
    else if (change->field->kind != TROOT)
        at = table_place(root, change->at[0]);
    if (change->field->kind == TOP)
        at += 16 + (size_t)change->at[1] * MEMFS_REF_BYTES;
    if (change->field->width)
        change_bytes(change, root + at + change->field->at, change->field->width);
    else
        *length = (size_t)result_of(change, *length);
}

/* Is this change about that? */
static int concerns(const struct fields *fields, const struct field_change *change, const struct surgery_place *place)
{
    switch (change->field->kind) {
    case HEADER:
        return place->part == SURGERY_HEADER;
    case TRAILER:
        return place->part == SURGERY_TRAILER && place->index == change->at[0];
    case TROOT:
        return place->part == SURGERY_ROOT && place->index == change->at[0];
    case TABLE:
    case TOP:
    case EARLIER:
        return place->part == SURGERY_ROOT && place->index == fields->newest;
    case RAW:
    case CHUNK:
        return place->part == SURGERY_RAW && place->table == change->at[0] && place->index == change->at[1];
    case REF:
        return place->part == SURGERY_REF && place->table == change->at[0] && place->level == change->at[1] &&
               place->index == change->at[2];
    default:
        return 0;
    }
}

static void change_later(void *context, const struct surgery_place *place, void *what, size_t *length)
{
    const struct fields *fields = context;
    for (size_t i = 0; i < fields->count; i++) {
        const struct field_change *change = &fields->change[i];
        if (!concerns(fields, change, place))
            continue;
        if (place->part == SURGERY_ROOT)
            change_root(change, what, length);
        else if (place->part == SURGERY_REF)
            change_native(change, what);
        else if (change->field->kind == CHUNK)
            *length = (size_t)result_of(change, *length);
        else
            change_bytes(change, (uint8_t *)what + (change->field->kind == RAW ? change->at[2] : change->field->at),
                         change->field->width);
    }
}

void fields_apply(struct fields *fields, struct surgery *s, const char *changes)
{
    fields->newest = 1 + s->generations_more;
    fields->count = 0;
    while (changes && *changes) { /* all is read before anything is changed */
        if (fields->count == FIELDS_MOST)
            complain("too many changes", changes);
        changes = take_change(fields, s, changes, &fields->change[fields->count++]);
    }
    for (size_t i = 0; i < fields->count; i++)
        if (fields->change[i].field->kind < LATER)
            change_record(s, &fields->change[i]);
    s->edit_any = change_later;
    s->context = fields;
}

/* ---- The whole file ------------------------------------------------------------------ */

static void change_length(const struct field_change *change, struct test_buffer *file)
{
    const size_t length = (size_t)result_of(change, file->length);
    if (length < file->length)
        file->length = length;
    while (file->length < length)
        test_buffer_add(file, "", 1);
}

static void put_before(const struct field_change *change, struct test_buffer *file)
{
    const size_t more = (size_t)change->value, length = file->length;
    for (size_t i = 0; i < more; i++)
        test_buffer_add(file, "", 1);
    memmove(file->data + more, file->data, length);
    memset(file->data, 0, more);
}

void fields_finish(const struct fields *fields, struct test_buffer *file)
{
    for (size_t i = 0; i < fields->count; i++) {
        const struct field_change *change = &fields->change[i];
        if (change->field->kind != WHOLE)
            continue;
        if (change->field->at == 0)
            change_length(change, file);
        else if (change->field->at == 1)
            put_before(change, file);
        else
            change_bytes(change, file->data + (change->field->at == 2 ? 0 : file->length - 1), 1);
    }
}
