#include "info/storage.h"

#include "output/message.h"
#include "output/output.h"
#include "system/interrupt.h"
#include "values/quantity.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define BAR_COLUMNS 40

static struct storage_table *table_of(struct storage *storage, const struct memfs_image_block *block)
{
    if (block->level > 0)
        return &storage->refs;
    for (size_t i = 0; i < storage->count; i++) {
        if (strcmp(storage->tables[i].name, block->table) == 0)
            return &storage->tables[i];
    }
    if (storage->count == STORAGE_TABLES_MAX)
        return NULL;
    struct storage_table *table = &storage->tables[storage->count++];
    table->name = block->table;
    return table;
}

static void count_ratio(struct storage *storage, const struct memfs_image_block *block)
{
    if (block->stored >= block->raw)
        storage->uncompressed++;
    else
        storage->steps[(uint64_t)block->stored * STORAGE_STEPS / block->raw]++;
}

static int count_block(void *context, const struct memfs_image_block *block)
{
    struct storage *storage = context;
    struct storage_table *table = table_of(storage, block);
    storage->rest -= block->stored; /* together they have no more than the image */
    if (table) {
        table->chunks++;
        table->raw += block->raw;
        table->stored += block->stored;
    }
    if (block->level == 0 && strcmp(block->table, "blocks") == 0)
        count_ratio(storage, block);
    return interrupt_noted() ? -ECANCELED : 0;
}

int storage_read(struct storage *storage, const struct input *input)
{
    struct memfs_image_info info;
    struct memfs_detail detail = {.offset = UINT64_MAX};
    memset(storage, 0, sizeof *storage);
    storage->refs.name = "refs";
    memfs_image_info(input->image, &info);
    storage->rest = info.image_bytes;
    const int result = memfs_image_blocks(input->image, count_block, storage, &detail);
    if (result == 0)
        return EXIT_DONE;
    return result == -ECANCELED ? EXIT_FAILED : message_error(input->name, NULL, result, &detail);
}

static void print_row(const struct storage_table *table)
{
    char raw[QUANTITY_ROOM], stored[QUANTITY_ROOM], ratio[QUANTITY_ROOM] = "";
    if (table->raw > 0)
        quantity_percent(table->stored, table->raw, ratio);
    output("%-12s %10" PRIu64 "  %12s  %12s  %8s\n", table->name, table->chunks, quantity_bytes(table->raw, raw),
           quantity_bytes(table->stored, stored), ratio);
}

static void print_tables(const struct storage *storage)
{
    char rest[QUANTITY_ROOM];
    output("%-12s %10s  %12s  %12s  %8s\n", "table", "chunks", "raw", "stored", "ratio");
    for (size_t i = 0; i < storage->count; i++)
        print_row(&storage->tables[i]);
    if (storage->refs.chunks > 0)
        print_row(&storage->refs);
    output("%-12s %10s  %12s  %12s\n", "the rest", "", "", quantity_bytes(storage->rest, rest));
}

static void print_bar(const char *label, uint64_t blocks, uint64_t most)
{
    static const char bar[BAR_COLUMNS + 1] = "########################################";
    const double share = (double)blocks / (double)most;
    const int columns = blocks == 0 ? 0 : 1 + (int)(share * (BAR_COLUMNS - 1));
    output("%-12s %10" PRIu64 "%s%.*s\n", label, blocks, columns > 0 ? "  " : "", columns, bar);
}

static void print_ratios(const struct storage *storage)
{
    uint64_t most = storage->uncompressed;
    for (size_t i = 0; i < STORAGE_STEPS; i++)
        most = storage->steps[i] > most ? storage->steps[i] : most;
    if (most == 0)
        return;
    output("\n%-12s %10s\n", "ratio", "blocks");
    for (size_t i = 0; i < STORAGE_STEPS; i++) {
        char label[32];
        snprintf(label, sizeof label, "%zu to %zu %%", i * 100 / STORAGE_STEPS, (i + 1) * 100 / STORAGE_STEPS);
        print_bar(label, storage->steps[i], most);
    }
    print_bar("as they are", storage->uncompressed, most);
}

void storage_print(const struct storage *storage)
{
    print_tables(storage);
    print_ratios(storage);
}

static void json_table(struct json *json, const struct storage_table *table)
{
    json_open(json, NULL, 0);
    json_text(json, "name", table->name);
    json_unsigned(json, "chunks", table->chunks);
    json_unsigned(json, "raw_bytes", table->raw);
    json_unsigned(json, "stored_bytes", table->stored);
    json_close(json, 0);
}

void storage_json(const struct storage *storage, struct json *json)
{
    json_open(json, "tables", 1);
    for (size_t i = 0; i < storage->count; i++)
        json_table(json, &storage->tables[i]);
    json_table(json, &storage->refs);
    json_close(json, 1);
    json_unsigned(json, "rest_bytes", storage->rest);
    json_open(json, "ratios", 1);
    for (size_t i = 0; i < STORAGE_STEPS; i++) {
        json_open(json, NULL, 0);
        json_unsigned(json, "from_percent", i * 100 / STORAGE_STEPS);
        json_unsigned(json, "blocks", storage->steps[i]);
        json_close(json, 0);
    }
    json_close(json, 1);
    json_unsigned(json, "uncompressed_blocks", storage->uncompressed);
}
