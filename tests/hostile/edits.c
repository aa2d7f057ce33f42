#include "edits.h"

#include "digest.h"
#include "fields.h"
#include "hash.h"

static void grow_nodes(struct surgery *s, size_t more)
{
    s->nodes = surgery_grow(s->nodes, s->nodes_count, more, sizeof *s->nodes);
    s->digests = surgery_grow(s->digests, s->digests_count, more, sizeof *s->digests);
    s->nodes_count += more;
    s->digests_count += more;
}

/* ---- Trees --------------------------------------------------------------------- */

void edit_cycle(struct surgery *s)
{
    const uint32_t b = fields_node(s, "a/b"), c = fields_node(s, "a/b/c");
    const uint32_t to_b = fields_entry(s, "a/b"), to_c = fields_entry(s, "a/b/c");
    const struct surgery_entry entry = s->entries[to_b];
    s->entries[to_b] = s->entries[to_c];
    s->entries[to_c] = entry;
    s->entries[to_b].starts_run = s->entries[to_c].starts_run = 1;
    s->nodes[b].up.entry = to_c;
    s->nodes[b].up.parent = b;
    s->nodes[c].up.entry = to_b;
    s->nodes[c].up.parent = fields_node(s, "a");
}

/* Directory `from` hangs from the entry of another, whose run it then is in. */
static void hang(struct surgery *s, uint32_t from, uint32_t parent, uint32_t entry)
{
    s->nodes[from].up.parent = parent;
    s->nodes[from].up.entry = entry;
    s->entries[entry].node = from;
    s->entries[entry].type = MEMFS_IFDIR >> 12;
}

void edit_ring(struct surgery *s)
{
    hang(s, fields_node(s, "a/b"), fields_node(s, "a/b/c"), fields_entry(s, "a/b/c/none"));
}

void edit_ring_of_six(struct surgery *s)
{
    uint32_t nodes[6], entries[6];
    for (size_t i = 0; i < 6; i++) {
        char path[16];
        snprintf(path, sizeof path, "d%zu", i);
        nodes[i] = fields_node(s, path);
        entries[i] = s->nodes[nodes[i]].run.first;
    }
    for (size_t i = 0; i < 6; i++)
        hang(s, nodes[i], nodes[(i + 1) % 6], entries[(i + 1) % 6]);
}

void edit_runs_shared(struct surgery *s)
{
    const struct memfs_node_record *first = &s->nodes[fields_node(s, "d0")];
    for (char path[] = "d1"; path[1] <= '6'; path[1]++)
        s->nodes[fields_node(s, path)].run = first->run;
}

void edit_run_of_root(struct surgery *s)
{
    s->nodes[fields_node(s, "d0")].run = s->nodes[1].run;
}

void edit_prefixes(struct surgery *s)
{
    const struct memfs_node_record *node = &s->nodes[fields_node(s, "d0")];
    for (uint32_t i = 0; i < node->run.count; i++) {
        struct surgery_entry *entry = &s->entries[node->run.first + i];
        memmove(entry->name + 200, entry->name, entry->length);
        memset(entry->name, 'p', 200);
        entry->length = (uint8_t)(entry->length + 200);
    }
}

void edit_name_chain(struct surgery *s)
{
    const struct memfs_node_record *node = &s->nodes[fields_node(s, "d0")];
    for (uint32_t i = 0; i < node->run.count; i++) {
        struct surgery_entry *entry = &s->entries[node->run.first + i];
        entry->length = (uint8_t)(i + 1);
        memset(entry->name, 'p', entry->length);
    }
}

/* Of two words so many times each, all orders in turn: 9 over 4 are 126. */
void edit_same_words(struct surgery *s)
{
    enum { WORDS = 9, OTHERS = 4 };
    const struct memfs_node_record *node = &s->nodes[fields_node(s, "d0")];
    uint32_t i = 0;
    for (unsigned bits = 0; bits < 1u << WORDS && i < node->run.count; bits++) {
        if (__builtin_popcount(bits) != OTHERS)
            continue;
        struct surgery_entry *entry = &s->entries[node->run.first + i++];
        entry->length = 8 * WORDS;
        for (unsigned word = 0; word < WORDS; word++)
            memcpy(entry->name + 8 * word, bits >> (WORDS - 1 - word) & 1 ? "worddddd" : "wordaaaa", 8);
    }
}

void edit_digests_equal(struct surgery *s)
{
    for (size_t i = 0; i < s->nodes_count; i++)
        if ((s->nodes[i].mode & MEMFS_IFMT) == MEMFS_IFREG)
            s->digests[i] = 77;
}

void edit_seam_twice(struct surgery *s)
{
    s->entries[MEMFS_CHUNK_RECORDS] = (struct surgery_entry){.node = s->entries[MEMFS_CHUNK_RECORDS].node,
                                                             .type = s->entries[MEMFS_CHUNK_RECORDS].type,
                                                             .length = s->entries[MEMFS_CHUNK_RECORDS - 1].length};
    memcpy(s->entries[MEMFS_CHUNK_RECORDS].name, s->entries[MEMFS_CHUNK_RECORDS - 1].name, MEMFS_NAME_MAX);
}

void edit_seam_link(struct surgery *s)
{
    edit_seam_twice(s);
    struct surgery_entry *link = &s->entries[MEMFS_CHUNK_RECORDS - 1];
    struct memfs_node_record *node = &s->nodes[link->node];
    static const char target[] = "../../outside";
    s->blobs = surgery_grow(s->blobs, s->blobs_count, sizeof target - 1, 1);
    memcpy(s->blobs + s->blobs_count, target, sizeof target - 1);
    node->mode = MEMFS_IFLNK | 0777;
    node->size = sizeof target - 1;
    node->target = s->blobs_count;
    s->blobs_count += sizeof target - 1;
    link->type = MEMFS_IFLNK >> 12;
    s->digests[link->node] = 0;
    struct surgery_entry *directory = &s->entries[MEMFS_CHUNK_RECORDS];
    for (uint32_t i = 1; i < s->nodes_count; i++) /* whose entry that was is the parent of the directory */
        if ((s->nodes[i].mode & MEMFS_IFMT) == MEMFS_IFDIR && s->nodes[i].run.first < MEMFS_CHUNK_RECORDS &&
            s->nodes[i].run.first + s->nodes[i].run.count > MEMFS_CHUNK_RECORDS) {
            s->nodes[directory->node] = s->nodes[i];
            s->nodes[directory->node].run.first = s->nodes[directory->node].run.count = 0;
            s->nodes[directory->node].nlink = 2;
            s->nodes[i].nlink++;
            hang(s, directory->node, i, MEMFS_CHUNK_RECORDS);
        }
    s->digests[directory->node] = 0;
    s->root.types[0] -= 2;
    s->root.types[1]++;
    s->root.types[2]++;
}

/* ---- Records that are nobody's --------------------------------------------------- */

static void add_pipes(struct surgery *s, size_t more)
{
    const uint32_t pipe = fields_node(s, "dev/pipe");
    grow_nodes(s, more);
    for (size_t i = 0; i < more; i++)
        s->nodes[s->nodes_count - 1 - i] = s->nodes[pipe];
}

void edit_nodes_unnamed(struct surgery *s)
{
    add_pipes(s, 5);
}

void edit_node_unnamed(struct surgery *s)
{
    add_pipes(s, 1);
    s->root.types[3]++;
}

void edit_heap_unnamed(struct surgery *s)
{
    s->blobs = surgery_grow(s->blobs, s->blobs_count, 10, 1);
    s->blobs_count += 10;
}

void edit_extent_unnamed(struct surgery *s)
{
    s->extents = surgery_grow(s->extents, s->extents_count, 1, sizeof *s->extents);
    s->extents[s->extents_count++] = (struct memfs_extent){.length = 1};
}

void edit_xattr_unnamed(struct surgery *s)
{
    s->xattrs = surgery_grow(s->xattrs, s->xattrs_count, 1, sizeof *s->xattrs);
    s->xattrs[s->xattrs_count] = s->xattrs[0];
    s->xattrs[s->xattrs_count++].last = 1;
}

void edit_target_crosses(struct surgery *s)
{
    s->blobs = surgery_grow(s->blobs, s->blobs_count, MEMFS_BLOB_BYTES, 1);
    memset(s->blobs + s->blobs_count, 'x', MEMFS_BLOB_BYTES);
    s->blobs_count += MEMFS_BLOB_BYTES;
    s->nodes[fields_node(s, "a/b/soft")].target = MEMFS_BLOB_BYTES - 3;
}

void edit_without_nodes(struct surgery *s)
{
    s->nodes_count = s->digests_count = 1;
    s->entries_count = s->extents_count = s->xattrs_count = s->blobs_count = 0;
}

/* ---- Holes ---- */

/* A file's size and digest; what its extents have are data. */
static void resize(struct surgery *s, const char *path, uint64_t size)
{
    const uint32_t number = fields_node(s, path);
    struct memfs_node_record *node = &s->nodes[number];
    struct memfs_digest digest;
    uint64_t at = 0;
    memfs_digest_begin(&digest);
    for (uint32_t i = 0; i < node->extents.count; i++) {
        const struct memfs_extent *extent = &s->extents[node->extents.first + i];
        memfs_digest_add_gap(&digest, extent->offset - at);
        memfs_digest_add(&digest, s->blocks[extent->block].raw + extent->start, (size_t)extent->length);
        at = extent->offset + extent->length;
    }
    memfs_digest_add_gap(&digest, size - at);
    s->digests[number] = memfs_digest_end(&digest);
    s->root.content_bytes += size - node->size;
    node->size = size;
}

void edit_sparse_2_62(struct surgery *s)
{
    resize(s, "zeros", (uint64_t)1 << 62);
}

void edit_sparse_2_50(struct surgery *s)
{
    resize(s, "zeros", (uint64_t)1 << 50);
}

void edit_sparse_far_data(struct surgery *s)
{
    const struct memfs_node_record *node = &s->nodes[fields_node(s, "sparse")];
    struct memfs_extent *last = &s->extents[node->extents.first + node->extents.count - 1];
    last->offset = (uint64_t)1 << 62;
    resize(s, "sparse", last->offset + last->length);
}

/* ---- Generations ---- */

/* Of the third one: block 0 is what the trailer before begins with, its magic and where it stands. */
static void refer_to_trailer(struct memfs_root *root)
{
    struct memfs_ref *ref = &root->table[MEMFS_DATA].refs[0];
    struct memfs_trailer trailer = {.offset = root->generation[0].trailer};
    uint8_t bytes[MEMFS_TRAILER_BYTES];
    if (root->generations < 2)
        return;
    memfs_trailer_encode(&trailer, bytes);
    ref->offset = trailer.offset;
    ref->hash = memfs_hash(bytes, ref->stored);
}

void edit_block_in_trailer(struct surgery *s)
{
    s->edit_root = refer_to_trailer;
}

/* ---- Contents -------------------------------------------------------------------- */

void edit_blocks_equal(struct surgery *s)
{
    memcpy(s->blocks[1].raw, s->blocks[0].raw, s->blocks[1].length);
    s->digests[3] = s->digests[2];
}

void edit_block_unused(struct surgery *s)
{
    s->blocks = surgery_grow(s->blocks, s->blocks_count, 1, sizeof *s->blocks);
    s->blocks[s->blocks_count++] = (struct surgery_block){surgery_grow(NULL, 0, 51, 1), 51};
}

/* All files are length bytes of block 0, each a step further on. */
static void refer_to_first(struct surgery *s, uint64_t length, uint32_t step)
{
    const uint64_t digest = memfs_digest_of(s->blocks[0].raw, (size_t)length);
    for (uint32_t i = 0; i < s->extents_count; i++) {
        s->extents[i] = (struct memfs_extent){.length = length, .start = i * step};
        s->nodes[2 + i].size = length;
        s->digests[2 + i] = digest;
    }
    s->root.content_bytes = s->root.data_bytes = s->extents_count * length;
}

void edit_files_overlap(struct surgery *s)
{
    refer_to_first(s, 50, 1);
}

void edit_files_share(struct surgery *s)
{
    refer_to_first(s, 100, 0);
}

/* f00 becomes `count` extents of a length, of all blocks in turn; the other files become empty. */
static void spread(struct surgery *s, uint32_t count, uint64_t length)
{
    const size_t files = s->extents_count;
    free(s->extents);
    s->extents = surgery_grow(NULL, 0, count, sizeof *s->extents);
    s->extents_count = count;
    struct memfs_digest digest;
    memfs_digest_begin(&digest);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t block = i % (uint32_t)s->blocks_count;
        s->extents[i] = (struct memfs_extent){.offset = i * length, .length = length, .block = block};
        for (uint64_t at = 0; at < length; at += 100) /* what blocks consist of is one byte over and over */
            memfs_digest_add(&digest, s->blocks[block].raw, length - at < 100 ? (size_t)(length - at) : 100);
    }
    s->digests[2] = memfs_digest_end(&digest);
    for (size_t i = 0; i < files; i++) {
        s->nodes[2 + i].size = i ? 0 : count * length;
        s->nodes[2 + i].extents.first = 0;
        s->nodes[2 + i].extents.count = i ? 0 : count;
        if (i)
            s->digests[2 + i] = memfs_digest_of("", 0);
    }
    s->root.content_bytes = s->root.data_bytes = count * length;
}

void edit_alternating(struct surgery *s)
{
    spread(s, 20000, 1);
}

enum { HUGE_RAW = 1 << 24, RLE_MOST = 1 << 17 };

/* 16 MiB of a byte: a frame of 128 blocks that say so of 128 KiB each. */
static void make_huge(struct surgery_block *block, uint8_t byte)
{
    static const uint8_t begin[] = {0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 1};
    const size_t pieces = HUGE_RAW / RLE_MOST;
    free(block->raw);
    block->length = sizeof begin + 4 * pieces;
    block->raw = surgery_grow(NULL, 0, block->length, 1);
    memcpy(block->raw, begin, sizeof begin);
    for (size_t i = 0; i < pieces; i++) {
        uint8_t *piece = block->raw + sizeof begin + 4 * i;
        const uint32_t head = (uint32_t)RLE_MOST << 3 | 2 | (i + 1 == pieces);
        piece[0] = (uint8_t)head;
        piece[1] = (uint8_t)(head >> 8);
        piece[2] = (uint8_t)(head >> 16);
        piece[3] = byte;
    }
}

static void huge_ref(unsigned table, unsigned level, uint64_t index, struct memfs_ref *ref)
{
    (void)index;
    if (table == MEMFS_DATA && level == 0) {
        ref->codec = MEMFS_CODEC_ZSTD;
        ref->raw = HUGE_RAW;
    }
}

/* The first `count` blocks become huge, of the byte they were of (plus add), and the others go. */
static void make_all_huge(struct surgery *s, size_t count, uint8_t byte)
{
    for (size_t i = 0; i < s->blocks_count; i++) {
        if (i < count)
            make_huge(&s->blocks[i], byte ? byte : (uint8_t)(i + 1));
        else
            free(s->blocks[i].raw);
    }
    s->blocks_count = count;
    s->header.block_size = HUGE_RAW;
    s->edit_ref = huge_ref;
}

static void free_others(struct surgery *s, size_t count)
{
    while (s->blocks_count > count)
        free(s->blocks[--s->blocks_count].raw);
}

void edit_ratio_bomb(struct surgery *s)
{
    free_others(s, 16);
    spread(s, 16, HUGE_RAW);
    make_all_huge(s, 16, 0);
}

void edit_ratio_bomb_zeros(struct surgery *s)
{
    free_others(s, 16);
    spread(s, 16, HUGE_RAW);
    for (size_t i = 0; i < 16; i++)
        make_huge(&s->blocks[i], 0);
    struct memfs_digest digest;
    memfs_digest_begin(&digest);
    memfs_digest_add_gap(&digest, s->nodes[2].size);
    s->digests[2] = memfs_digest_end(&digest);
    s->header.block_size = HUGE_RAW;
    s->edit_ref = huge_ref;
}

void edit_ratio_bomb_shared(struct surgery *s)
{
    edit_ratio_bomb(s);
    for (size_t i = 3; i < s->nodes_count; i++) {
        s->nodes[i].size = s->nodes[2].size;
        s->nodes[i].extents = s->nodes[2].extents;
        s->digests[i] = s->digests[2];
    }
    s->root.content_bytes = s->root.data_bytes = (s->nodes_count - 2) * s->nodes[2].size;
}

/* ---- Depth and breadth --------------------------------------------------------------- */

static void grow_entries(struct surgery *s, size_t more)
{
    s->entries = surgery_grow(s->entries, s->entries_count, more, sizeof *s->entries);
    s->entries_count += more;
}

static void name_entry(struct surgery_entry *entry, uint32_t node, uint32_t mode, int starts_run, const char *name)
{
    *entry = (struct surgery_entry){.node = node,
                                    .type = (uint8_t)(mode >> 12),
                                    .starts_run = (uint8_t)starts_run,
                                    .length = (uint8_t)strlen(name)};
    memcpy(entry->name, name, entry->length);
}

static void deep(struct surgery *s, uint32_t levels)
{
    grow_nodes(s, levels);
    grow_entries(s, levels);
    for (uint32_t i = 0; i < levels; i++) {
        const uint32_t node = 2 + i;
        s->nodes[node] = s->nodes[1];
        s->nodes[node].nlink = 3;
        s->nodes[node].up.parent = node - 1;
        s->nodes[node].up.entry = i;
        s->nodes[node - 1].run.first = i;
        s->nodes[node - 1].run.count = 1;
        name_entry(&s->entries[i], node, MEMFS_IFDIR, 1, "d");
    }
    s->nodes[1].nlink = 3;
    s->nodes[1 + levels].nlink = 2;
    s->nodes[1 + levels].run.first = s->nodes[1 + levels].run.count = 0;
    s->root.types[1] = levels + 1;
}

/* Much is much more when all the time in the world is there. */
static uint32_t many(uint32_t some, uint32_t all)
{
    return getenv("MEMFS_FULL") ? all : some;
}

void edit_deep_thousand(struct surgery *s)
{
    deep(s, 1000);
}

void edit_deep(struct surgery *s)
{
    deep(s, many(50000, 1000000));
}

void edit_deep_lying(struct surgery *s)
{
    edit_deep(s);
    s->nodes[s->nodes_count - 1].run = s->nodes[1].run;
}

void edit_deep_apart(struct surgery *s)
{
    edit_deep(s);
    struct memfs_node_record *last = &s->nodes[s->nodes_count - 1];
    last->run = s->nodes[1].run;
    last->nlink = 3;
    s->nodes[2].up.parent = (uint32_t)s->nodes_count - 1;
    s->nodes[1].run.count = 0;
    s->nodes[1].nlink = 2;
}

void edit_deep_long(struct surgery *s)
{
    deep(s, 300);
    for (size_t i = 0; i < s->entries_count; i++) {
        s->entries[i].length = MEMFS_NAME_MAX;
        memset(s->entries[i].name, 'd', MEMFS_NAME_MAX);
    }
}

void edit_wide(struct surgery *s)
{
    const uint32_t names = many(100000, 1000000);
    grow_nodes(s, 1);
    grow_entries(s, names);
    s->nodes[2] = (struct memfs_node_record){.mode = MEMFS_IFIFO | 0644, .nlink = names};
    for (uint32_t i = 0; i < names; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%07u", i);
        name_entry(&s->entries[i], 2, MEMFS_IFIFO, i == 0, name);
    }
    s->nodes[1].run.count = names;
    s->root.types[3] = 1;
}

void edit_wide_lying(struct surgery *s)
{
    edit_wide(s);
    s->nodes[2].nlink = 1;
}

void edit_ten_million(struct surgery *s)
{
    enum { DIRECTORIES = 20000, FILES = 500 };
    grow_nodes(s, DIRECTORIES + 1);
    grow_entries(s, DIRECTORIES + FILES);
    const uint32_t file = DIRECTORIES + 2;
    char name[16];
    for (uint32_t i = 0; i < DIRECTORIES; i++) {
        struct memfs_node_record *node = &s->nodes[2 + i];
        *node = s->nodes[1];
        node->up.parent = 1;
        node->up.entry = i;
        node->run.first = DIRECTORIES;
        node->run.count = FILES;
        snprintf(name, sizeof name, "d%05u", i);
        name_entry(&s->entries[i], 2 + i, MEMFS_IFDIR, i == 0, name);
    }
    for (uint32_t i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "n%03u", i);
        name_entry(&s->entries[DIRECTORIES + i], file, MEMFS_IFIFO, i == 0, name);
    }
    s->nodes[file] = (struct memfs_node_record){.mode = MEMFS_IFIFO | 0644, .nlink = DIRECTORIES * FILES};
    s->nodes[1].run.count = DIRECTORIES;
    s->nodes[1].nlink = DIRECTORIES + 2;
    s->root.types[1] = DIRECTORIES + 1;
    s->root.types[3] = 1;
}
