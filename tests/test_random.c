/*
 * Numbers that nobody foresees, with the kernel's help and without.
 */
#include "random.h"
#include "testlib.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/types.h>

#define COUNT 1000

static int denied; /* the kernel has none */
static uint64_t next;

/* In place of the C library's. */
ssize_t getrandom(void *buffer, size_t length, unsigned flags)
{
    (void)flags;
    if (denied) {
        errno = EAGAIN;
        return -1;
    }
    memcpy(buffer, &next, length < sizeof next ? length : sizeof next);
    return (ssize_t)length;
}

static int compare(const void *a, const void *b)
{
    const uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
    return (one > other) - (one < other);
}

static void test_random__is_the_kernels(void **state)
{
    (void)state;
    denied = 0;
    next = 0x123456789abcdef0;
    assert_int_equal(memfs_random(), next);
    next = 7;
    assert_int_equal(memfs_random(), 7);
}

static void test_random__without_the_kernel_no_two_are_equal(void **state)
{
    (void)state;
    static uint64_t numbers[COUNT];
    uint64_t ever = 0, always = UINT64_MAX;
    denied = 1;
    for (int i = 0; i < COUNT; i++) {
        numbers[i] = memfs_random();
        ever |= numbers[i];
        always &= numbers[i];
    }
    assert_int_equal(ever, UINT64_MAX); /* each bit is now 1, now 0 */
    assert_int_equal(always, 0);
    qsort(numbers, COUNT, sizeof numbers[0], compare);
    for (int i = 1; i < COUNT; i++)
        assert_true(numbers[i - 1] != numbers[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random__is_the_kernels),
        cmocka_unit_test(test_random__without_the_kernel_no_two_are_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
