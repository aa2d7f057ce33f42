/*
 * What freezing gathers of nodes: their order, entries, link targets and attributes, of so
 * many that all tables grow; without memory at each place, cancelled at each turn, and with
 * files taken out again.
 */
#include "attributes.h"
#include "order.h"
#include "testlib.h"

#define FILES 4200u /* more than a page of numbers */
#define DROPPED(i) ((i) % 3 == 1)

struct scene {
    struct test_memory memory;
    struct memfs_detail detail;
    struct memfs_freezing job;
    struct memfs_order order;
    struct memfs_attributes attributes;
    unsigned turns, stop_at;
};

/* Progress is told at each turn. */
static int tell(void *context, const struct memfs_progress *progress)
{
    struct scene *scene = context;
    (void)progress;
    scene->job.untold = MEMFS_WORK_TOLD;
    return ++scene->turns == scene->stop_at;
}

static void begin(struct scene *scene, memfs *fs)
{
    struct memfs_statfs statfs;
    *scene = (struct scene){.turns = 0};
    test_memory_init(&scene->memory);
    assert_ok(memfs_statfs(fs, &statfs));
    scene->job = (struct memfs_freezing){
        .fs = fs, .allocator = scene->memory.hook, .detail = &scene->detail, .changes = statfs.changes};
    memfs_order_begin(&scene->order, &scene->job);
    memfs_attributes_begin(&scene->attributes, &scene->job);
}

static void end(struct scene *scene)
{
    memfs_attributes_end(&scene->attributes);
    memfs_order_end(&scene->order);
    assert_int_equal(scene->memory.live, 0);
}

static void listen(struct scene *scene, unsigned stop_at)
{
    scene->turns = 0;
    scene->stop_at = stop_at;
    scene->job.untold = MEMFS_WORK_TOLD;
    scene->job.options.progress = tell;
    scene->job.options.progress_context = scene;
}

static void name_of(unsigned i, char name[16])
{
    snprintf(name, 16, "d/%05u", i);
}

/* The first that has a string to be remembered is a link, of which there is one. */
static void build(memfs *fs)
{
    char name[16], value[40];
    assert_ok(memfs_symlink(fs, NULL, "target", "a"));
    assert_ok(memfs_mkdir(fs, NULL, "d", 0755));
    for (unsigned i = FILES; i-- > 0;) {
        name_of(i, name);
        test_put(fs, name, "", 0);
        snprintf(value, sizeof value, "%030u", i);
        assert_ok(memfs_setxattr(fs, NULL, name, 0, "user.n", value, strlen(value), 0));
    }
}

/* Stages, one after the other. */
static int walk(struct scene *scene)
{
    return memfs_order_walk(&scene->order);
}

static int drop(struct scene *scene)
{
    struct memfs_order *order = &scene->order;
    for (uint64_t n = MEMFS_ROOT; n < order->nodes.count; n++) {
        struct memfs_order_node *node = memfs_order_at(order, n);
        node->dropped = node->type == MEMFS_TYPE(MEMFS_IFREG) && DROPPED(n);
    }
    return memfs_order_prune(order);
}

static int gather(struct scene *scene)
{
    return memfs_attributes_gather(&scene->attributes, &scene->order);
}

/* Each allocation of a stage fails in turn. Returns how many there are. */
static unsigned fail_each(memfs *fs, int (*stage)(struct scene *scene))
{
    for (unsigned nth = 1;; nth++) {
        struct scene scene;
        begin(&scene, fs);
        if (stage != walk)
            assert_ok(walk(&scene));
        test_memory_fail(&scene.memory, nth, 0);
        const int error = stage(&scene);
        const uint64_t failures = scene.memory.failures;
        test_memory_heal(&scene.memory);
        end(&scene);
        assert_result(error, failures ? -ENOMEM : 0);
        if (!failures)
            return nth - 1;
    }
}

static void test_order__no_memory(void **state)
{
    struct test_state *test = *state;
    build(test->fs);
    assert_true(fail_each(test->fs, walk) > 30);
    assert_true(fail_each(test->fs, drop) > 20);
    assert_true(fail_each(test->fs, gather) > 20);
}

/* Of many turns some are tried. */
static void cancel_each(memfs *fs, int (*stage)(struct scene *scene))
{
    unsigned tried = 0;
    int error;
    for (unsigned turn = 1;; turn += 1 + turn / 4) {
        struct scene scene;
        begin(&scene, fs);
        if (stage != walk)
            assert_ok(walk(&scene));
        listen(&scene, turn);
        error = stage(&scene);
        const unsigned turns = scene.turns;
        end(&scene);
        if (turns < turn)
            break;
        assert_result(error, -ECANCELED);
        assert_result(scene.detail.error, -ECANCELED);
        assert_int_equal(turns, turn); /* it was the last */
        tried++;
    }
    assert_ok(error);
    assert_true(tried > 10);
}

static void test_order__cancelled(void **state)
{
    struct test_state *test = *state;
    build(test->fs);
    cancel_each(test->fs, walk);
    cancel_each(test->fs, gather);
}

/* What is left has the names that it had, in their order, and numbers without gaps. */
static void test_order__pruned(void **state)
{
    struct test_state *test = *state;
    struct scene scene;
    char name[16];
    build(test->fs);
    begin(&scene, test->fs);
    assert_ok(walk(&scene));
    assert_ok(drop(&scene));
    struct memfs_order *order = &scene.order;
    const struct memfs_order_node *root = memfs_order_at(order, 1), *d = memfs_order_at(order, 3);
    assert_int_equal(root->run.count, 2);
    uint64_t entry = d->run.first, number = 4;
    for (unsigned i = 0; i < FILES; i++) {
        if (DROPPED(4 + i)) /* as files were numbered */
            continue;
        name_of(i, name);
        const struct memfs_entry_row *row = memfs_entries_at(&order->entries, entry);
        assert_int_equal(row->length, strlen(name) - 2);
        assert_int_equal(row->starts_run, entry == d->run.first);
        assert_int_equal(row->node, number);
        assert_memory_equal(memfs_entries_name(&order->entries, entry), name + 2, row->length);
        entry++;
        number++;
    }
    assert_int_equal(d->run.count, entry - d->run.first);
    assert_int_equal(order->nodes.count, number);
    end(&scene);
}

static void test_order__path(void **state)
{
    struct test_state *test = *state;
    struct scene scene;
    size_t size = 0;
    assert_ok(memfs_mkdir(test->fs, NULL, "d", 0755));
    assert_ok(memfs_mkdir(test->fs, NULL, "d/ee", 0755));
    test_put_text(test->fs, "d/ee/fff", "");
    begin(&scene, test->fs);
    assert_ok(walk(&scene));
    test_memory_fail(&scene.memory, 1, 0);
    assert_null(memfs_order_path(&scene.order, 3, 2, &size));
    test_memory_heal(&scene.memory);
    char *path = memfs_order_path(&scene.order, 3, 2, &size);
    assert_non_null(path);
    assert_string_equal(path, "d/ee/fff");
    assert_int_equal(size, sizeof "d/ee/fff");
    scene.memory.hook.free(scene.memory.hook.context, path, size);
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_fs(test_order__no_memory),
        test_with_fs(test_order__cancelled),
        test_with_fs(test_order__pruned),
        test_with_fs(test_order__path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
