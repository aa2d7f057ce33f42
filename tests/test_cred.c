/* Credentials: who may do what, and whose things become. */
#include "surgery.h"

#define CRED(user, group)                                                                                              \
    &(struct memfs_cred)                                                                                               \
    {                                                                                                                  \
        .size = sizeof(struct memfs_cred), .uid = user, .gid = group                                                   \
    }

static const struct memfs_cred root = {.size = sizeof root};
static const struct memfs_cred alice = {.size = sizeof alice, .uid = 1, .gid = 10};
static const struct memfs_cred bob = {.size = sizeof bob, .uid = 2, .gid = 20};

static void own(memfs *fs, const char *path, uint32_t uid, uint32_t gid, uint32_t mode)
{
    struct memfs_setattr set = {
        .set = MEMFS_SET_UID | MEMFS_SET_GID | MEMFS_SET_MODE, .uid = uid, .gid = gid, .mode = mode};
    assert_ok(memfs_setattr(fs, NULL, path, 0, &set));
}

static uint32_t mode_of(memfs *fs, const char *path)
{
    return test_lstat(fs, path).mode & 07777;
}

static void test_cred__access_table(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    static const uint32_t groups[] = {7, 10, 9};
    struct memfs_cred member = {.size = sizeof member, .uid = 3, .gid = 30, .ngroups = 3, .groups = groups};
    test_put_text(fs, "f", "");
    memfs_node node = test_node(fs, "f");
    for (uint32_t mode = 0; mode < 01000; mode++) {
        own(fs, "f", 1, 10, mode);
        for (uint32_t mask = 0; mask < 8; mask++) {
            uint32_t bits[] = {mode >> 6 & 7, mode >> 3 & 7, mode >> 3 & 7, mode & 7};
            const struct memfs_cred *who[] = {&alice, CRED(5, 10), &member, &bob};
            for (int i = 0; i < 4; i++)
                assert_result(memfs_node_access(fs, who[i], node, mask), (bits[i] & mask) == mask ? 0 : -EACCES);
            assert_result(memfs_node_access(fs, &root, node, mask), mask & 1 && !(mode & 0111) ? -EACCES : 0);
            assert_ok(memfs_node_access(fs, NULL, node, mask));
        }
    }
    assert_result(memfs_node_access(fs, NULL, node, 8), -EINVAL);
}

static void test_cred__directories(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    struct memfs_dirent entry;
    struct memfs_stat stat;
    assert_ok(memfs_mkdir(fs, NULL, "d", 0755));
    test_put_text(fs, "d/f", "text");
    assert_ok(memfs_mkdir(fs, NULL, "d/sub", 0777));
    own(fs, "d", 1, 10, 0755);
    memfs_node dir = test_node(fs, "d");
    assert_ok(memfs_stat(fs, &bob, "d/f", &stat));
    assert_result(memfs_mkdir(fs, &bob, "d/x", 0755), -EACCES);
    assert_result(memfs_symlink(fs, &bob, "t", "d/x"), -EACCES);
    assert_result(memfs_mknod(fs, &bob, "d/x", MEMFS_IFIFO | 0600, 0, 0), -EACCES);
    assert_result(memfs_link(fs, &bob, "d/f", "d/x"), -EACCES);
    assert_result(memfs_unlink(fs, &bob, "d/f"), -EACCES);
    assert_result(memfs_rmdir(fs, &bob, "d/sub"), -EACCES);
    assert_result(memfs_rename(fs, &bob, "d/f", "d/sub/f", 0), -EACCES);
    assert_result(memfs_node_lookup(fs, &bob, dir, "f", NULL), 0);
    assert_result(memfs_node_readdir(fs, &bob, dir, 0, &entry, 1, 0), 1);
    own(fs, "d", 1, 10, 0711);
    assert_result(memfs_node_readdir(fs, &bob, dir, 0, &entry, 1, 0), -EACCES);
    assert_ok(memfs_stat(fs, &bob, "d/f", &stat));
    own(fs, "d", 1, 10, 0744);
    assert_result(memfs_stat(fs, &bob, "d/f", &stat), -EACCES);
    assert_result(memfs_node_lookup(fs, &bob, dir, "f", NULL), -EACCES);
    assert_result(memfs_stat(fs, &bob, "d/none", &stat), -EACCES);
    assert_result(memfs_stat(fs, &bob, "d/sub/..", &stat), -EACCES);
    assert_result(memfs_node_readdir(fs, &bob, dir, 0, &entry, 1, 0), 1);
    assert_ok(memfs_stat(fs, &root, "d/f", &stat));
    assert_ok(memfs_mkdir(fs, &alice, "d/x", 0755));
    assert_ok(memfs_rename(fs, &alice, "d/f", "d/x/f", 0));
}

static void test_cred__open(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    memfs_file *file = NULL;
    test_put_text(fs, "f", "text");
    own(fs, "f", 1, 10, 0640);
    own(fs, "/", 0, 0, 01777);
    assert_ok(memfs_open(fs, &alice, "f", MEMFS_O_RDWR, 0, &file));
    memfs_close(file);
    assert_ok(memfs_open(fs, CRED(5, 10), "f", MEMFS_O_READ, 0, &file));
    memfs_close(file);
    assert_result(memfs_open(fs, CRED(5, 10), "f", MEMFS_O_WRITE, 0, &file), -EACCES);
    assert_result(memfs_open(fs, &bob, "f", MEMFS_O_READ, 0, &file), -EACCES);
    assert_result(memfs_open(fs, &bob, "f", MEMFS_O_READ | MEMFS_O_TRUNC | MEMFS_O_WRITE, 0, &file), -EACCES);
    assert_result(memfs_truncate(fs, &bob, "f", 0), -EACCES);
    assert_result(memfs_node_open(fs, &bob, test_node(fs, "f"), MEMFS_O_READ), -EACCES);
    test_expect_text(fs, "f", "text");
    /* What is made is open as asked for, whatever its mode. */
    assert_ok(memfs_open(fs, &bob, "g", MEMFS_O_RDWR | MEMFS_O_CREATE, 0, &file));
    assert_result(memfs_write(file, "x", 1), 1);
    memfs_close(file);
    assert_int_equal(mode_of(fs, "g"), 0);
    assert_result(memfs_open(fs, &bob, "g", MEMFS_O_READ, 0, &file), -EACCES);
}

static void test_cred__owner_and_umask(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    struct memfs_cred cred = {.size = sizeof cred, .uid = 1, .gid = 10, .umask = 027};
    own(fs, "/", 0, 0, 0777);
    assert_ok(memfs_mkdir(fs, &cred, "d", 0777));
    assert_ok(memfs_mknod(fs, &cred, "f", MEMFS_IFREG | 0666, 0, 0));
    assert_ok(memfs_symlink(fs, &cred, "t", "s"));
    assert_int_equal(mode_of(fs, "d"), 0750);
    assert_int_equal(mode_of(fs, "f"), 0640);
    assert_int_equal(mode_of(fs, "s"), 0777);
    static const char *const paths[] = {"d", "f", "s"};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(test_lstat(fs, paths[i]).uid, 1);
        assert_int_equal(test_lstat(fs, paths[i]).gid, 10);
    }
    assert_result(memfs_mknod(fs, &cred, "c", MEMFS_IFCHR | 0666, 1, 3), -EPERM);
    assert_result(memfs_mknod(fs, &cred, "b", MEMFS_IFBLK | 0666, 1, 3), -EPERM);
    assert_ok(memfs_mknod(fs, &cred, "p", MEMFS_IFIFO | 0666, 0, 0));
    assert_ok(memfs_mknod(fs, &cred, "u", MEMFS_IFSOCK | 0666, 0, 0));
    assert_ok(memfs_mknod(fs, &root, "c", MEMFS_IFCHR | 0666, 1, 3));
    assert_int_equal(test_lstat(fs, "c").rdev_major, 1);
    assert_int_equal(test_lstat(fs, "c").rdev_minor, 3);
}

static void test_cred__setgid_directory(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    assert_ok(memfs_mkdir(fs, NULL, "d", 0755));
    own(fs, "d", 0, 77, 02777);
    assert_ok(memfs_mkdir(fs, &alice, "d/sub", 0755));
    assert_ok(memfs_mknod(fs, &alice, "d/f", MEMFS_IFREG | 0644, 0, 0));
    assert_ok(memfs_symlink(fs, &alice, "t", "d/s"));
    assert_int_equal(test_lstat(fs, "d/sub").gid, 77);
    assert_int_equal(mode_of(fs, "d/sub"), 02755);
    assert_int_equal(test_lstat(fs, "d/f").gid, 77);
    assert_int_equal(mode_of(fs, "d/f"), 0644);
    assert_int_equal(test_lstat(fs, "d/s").gid, 77);
    /* A setgid program for a group one is not in cannot be made this way. */
    assert_ok(memfs_mknod(fs, &alice, "d/g", MEMFS_IFREG | 02775, 0, 0));
    assert_int_equal(mode_of(fs, "d/g"), 0775);
}

static void test_cred__sticky(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    assert_ok(memfs_mkdir(fs, NULL, "tmp", 0755));
    assert_ok(memfs_mkdir(fs, NULL, "other", 0755));
    own(fs, "tmp", 3, 30, 01777);
    own(fs, "other", 0, 0, 0777);
    assert_ok(memfs_mknod(fs, &alice, "tmp/a", MEMFS_IFREG | 0666, 0, 0));
    assert_ok(memfs_mknod(fs, &bob, "tmp/b", MEMFS_IFREG | 0666, 0, 0));
    assert_ok(memfs_mkdir(fs, &alice, "tmp/d", 0777));
    assert_result(memfs_unlink(fs, &bob, "tmp/a"), -EPERM);
    assert_result(memfs_rmdir(fs, &bob, "tmp/d"), -EPERM);
    assert_result(memfs_rename(fs, &bob, "tmp/a", "tmp/c", 0), -EPERM);
    assert_result(memfs_rename(fs, &bob, "tmp/b", "tmp/a", 0), -EPERM);
    assert_result(memfs_rename(fs, &bob, "tmp/b", "tmp/a", MEMFS_RENAME_EXCHANGE), -EPERM);
    assert_ok(memfs_rename(fs, &bob, "tmp/b", "tmp/b2", 0));
    assert_ok(memfs_unlink(fs, &bob, "tmp/b2"));
    assert_ok(memfs_unlink(fs, CRED(3, 3), "tmp/a"));
    assert_ok(memfs_rmdir(fs, &root, "tmp/d"));
}

/* A directory that moves to another parent changes its own "..". */
static void test_cred__moving_a_directory(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    own(fs, "/", 0, 0, 0777);
    assert_ok(memfs_mkdir(fs, NULL, "d", 0777));
    assert_ok(memfs_mkdir(fs, NULL, "to", 0777));
    own(fs, "d", 1, 10, 0555);
    own(fs, "to", 0, 0, 0777);
    assert_result(memfs_rename(fs, &bob, "d", "to/d", 0), -EACCES);
    assert_ok(memfs_rename(fs, &bob, "d", "d2", 0));
}

static int change(memfs *fs, const struct memfs_cred *cred, const char *path, struct memfs_setattr set)
{
    return memfs_setattr(fs, cred, path, 1, &set);
}

static void test_cred__chmod(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    struct memfs_setattr set = {.set = MEMFS_SET_MODE, .mode = 0600};
    test_put_text(fs, "f", "");
    own(fs, "f", 1, 10, 0644);
    assert_result(change(fs, &bob, "f", set), -EPERM);
    assert_ok(change(fs, &alice, "f", set));
    assert_int_equal(mode_of(fs, "f"), 0600);
    set.mode = 06755;
    assert_ok(change(fs, &alice, "f", set));
    assert_int_equal(mode_of(fs, "f"), 06755);
    own(fs, "f", 1, 99, 0644);
    assert_ok(change(fs, &alice, "f", set)); /* the file's group is not one of hers: no setgid */
    assert_int_equal(mode_of(fs, "f"), 04755);
    assert_ok(change(fs, &root, "f", set));
    assert_int_equal(mode_of(fs, "f"), 06755);
}

static void test_cred__chown(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    static const uint32_t groups[] = {10, 11};
    struct memfs_cred member = {.size = sizeof member, .uid = 1, .gid = 10, .ngroups = 2, .groups = groups};
    test_put_text(fs, "f", "");
    own(fs, "f", 1, 10, 06755);
    assert_result(change(fs, &alice, "f", (struct memfs_setattr){.set = MEMFS_SET_UID, .uid = 2}), -EPERM);
    assert_result(change(fs, &alice, "f", (struct memfs_setattr){.set = MEMFS_SET_GID, .gid = 11}), -EPERM);
    assert_result(change(fs, &bob, "f", (struct memfs_setattr){.set = MEMFS_SET_GID, .gid = 20}), -EPERM);
    assert_int_equal(mode_of(fs, "f"), 06755);
    assert_ok(change(fs, &member, "f", (struct memfs_setattr){.set = MEMFS_SET_GID, .gid = 11}));
    assert_int_equal(test_lstat(fs, "f").gid, 11);
    assert_int_equal(mode_of(fs, "f"), 0755);
    assert_ok(change(fs, &root, "f", (struct memfs_setattr){.set = MEMFS_SET_UID, .uid = 2}));
    assert_int_equal(test_lstat(fs, "f").uid, 2);
}

/* An owner may set what there is already, and times beside a size. */
static void test_cred__attributes_that_stay(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    struct memfs_setattr both = {
        .set = MEMFS_SET_SIZE | MEMFS_SET_MTIME | MEMFS_SET_ATIME, .size = 9, .mtime = 6, .atime = 7};
    struct memfs_stat stat;
    test_put_text(fs, "f", "text");
    own(fs, "f", 1, 99, 0640);
    assert_ok(change(fs, &alice, "f", (struct memfs_setattr){.set = MEMFS_SET_UID, .uid = 1}));
    assert_ok(change(fs, &alice, "f", (struct memfs_setattr){.set = MEMFS_SET_GID, .gid = 99}));
    assert_ok(
        change(fs, &alice, "f", (struct memfs_setattr){.set = MEMFS_SET_UID | MEMFS_SET_GID, .uid = 1, .gid = 10}));
    assert_int_equal(test_lstat(fs, "f").gid, 10);
    assert_ok(memfs_node_setattr(fs, &alice, test_node(fs, "f"), &both, &stat));
    assert_int_equal(stat.size, 9);
    assert_int_equal(stat.mtime, 6);
    assert_int_equal(stat.atime, 7);
    both.set = MEMFS_SET_SIZE | MEMFS_SET_MTIME_NOW;
    assert_ok(memfs_node_setattr(fs, &alice, test_node(fs, "f"), &both, &stat));
    assert_int_equal(stat.mtime, atomic_load(&test->clock.now));
}

/* Made in a setgid directory, and then written to: a program of the group keeps setgid only with a member, or if
 * it is no program. */
static void test_cred__setgid_of_files(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    const struct {
        const struct memfs_cred *cred;
        uint32_t mode, made, resized;
    } files[] = {
        {&bob, 02755, 0755, 0755}, {CRED(2, 40), 02755, 02755, 0755}, {&bob, 02745, 02745, 0745},
        {&bob, 0755, 0755, 0755},  {&root, 02755, 02755, 02755},      {CRED(2, 40), 02745, 02745, 02745},
    };
    assert_ok(memfs_mkdir(fs, NULL, "d", 0777));
    own(fs, "d", 1, 40, 02777);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        assert_ok(memfs_mknod(fs, files[i].cred, "d/f", MEMFS_IFREG | files[i].mode, 0, 0));
        assert_int_equal(test_lstat(fs, "d/f").gid, 40);
        assert_int_equal(mode_of(fs, "d/f"), files[i].made);
        assert_ok(memfs_truncate(fs, files[i].cred, "d/f", 3));
        assert_int_equal(mode_of(fs, "d/f"), files[i].resized);
        assert_ok(memfs_unlink(fs, NULL, "d/f"));
    }
}

static void test_cred__utimes(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    struct memfs_setattr now = {.set = MEMFS_SET_ATIME_NOW | MEMFS_SET_MTIME_NOW},
                         then = {.set = MEMFS_SET_ATIME | MEMFS_SET_MTIME, .atime = 5, .mtime = 6},
                         back = {.set = MEMFS_SET_CTIME, .ctime = 5};
    test_put_text(fs, "f", "");
    own(fs, "f", 1, 10, 0664);
    assert_ok(change(fs, &alice, "f", then));
    assert_int_equal(test_lstat(fs, "f").mtime, 6);
    assert_int_equal(test_lstat(fs, "f").atime, 5);
    assert_result(change(fs, CRED(5, 10), "f", then), -EPERM);
    assert_ok(change(fs, CRED(5, 10), "f", now)); /* who may write may touch */
    assert_int_equal(test_lstat(fs, "f").mtime, atomic_load(&test->clock.now));
    assert_result(change(fs, &bob, "f", now), -EACCES);
    assert_result(change(fs, &alice, "f", back), -EPERM);
    assert_ok(change(fs, NULL, "f", back));
    assert_int_equal(test_lstat(fs, "f").ctime, 5);
}

/* Writing to a program that runs as another makes it an ordinary one. */
static void test_cred__write_clears_setuid(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    memfs_file *file = NULL;
    test_put_text(fs, "f", "program");
    own(fs, "f", 1, 10, 06777);
    assert_ok(memfs_open(fs, &bob, "f", MEMFS_O_WRITE, 0, &file));
    assert_int_equal(mode_of(fs, "f"), 06777);
    assert_result(memfs_write(file, "x", 1), 1);
    memfs_close(file);
    assert_int_equal(mode_of(fs, "f"), 0777);
    own(fs, "f", 1, 10, 06767); /* not executable by the group: setgid meant locking */
    assert_ok(memfs_truncate(fs, &bob, "f", 3));
    assert_int_equal(mode_of(fs, "f") & 04000, 0);
    own(fs, "f", 1, 10, 06777);
    assert_ok(memfs_open(fs, NULL, "f", MEMFS_O_WRITE, 0, &file));
    assert_result(memfs_write(file, "x", 1), 1);
    assert_ok(memfs_ftruncate(file, 3));
    memfs_close(file);
    assert_int_equal(mode_of(fs, "f"), 06777);
    assert_ok(memfs_open(fs, &bob, "f", MEMFS_O_WRITE, 0, &file));
    assert_ok(memfs_ftruncate(file, 2));
    memfs_close(file);
    assert_int_equal(mode_of(fs, "f"), 0777);
    test_expect_text(fs, "f", "xr");
}

/* ---- Capabilities ------------------------------------------------------------------ */

enum { WRITE, TRUNCATE, FTRUNCATE, GROW, ALLOCATE, PUNCH, COPY, COPY_HOLE, OPEN_EMPTY, WAYS };

static void write_somehow(memfs *fs, int way)
{
    memfs_node node = test_node(fs, "f");
    memfs_file *file = NULL;
    switch (way) {
    case WRITE:
        assert_result(memfs_node_write(fs, node, 2, "x", 1), 1);
        break;
    case TRUNCATE:
    case GROW:
        assert_ok(memfs_truncate(fs, &root, "f", way == GROW ? 100 : 3));
        break;
    case FTRUNCATE:
        assert_ok(memfs_open(fs, &root, "f", MEMFS_O_WRITE, 0, &file));
        assert_ok(memfs_ftruncate(file, 5));
        memfs_close(file);
        break;
    case ALLOCATE:
        assert_ok(memfs_node_allocate(fs, node, 0, 10000, 1));
        break;
    case PUNCH:
        assert_ok(memfs_node_punch(fs, node, 0, 4));
        break;
    case COPY:
        assert_result(memfs_node_copy(fs, test_node(fs, "g"), 0, node, 0, 4), 4);
        break;
    case COPY_HOLE:
        assert_result(memfs_node_copy(fs, test_node(fs, "hole"), 0, node, 0, 8192), 8192);
        break;
    default:
        assert_ok(memfs_open(fs, &root, "f", MEMFS_O_WRITE | MEMFS_O_TRUNC, 0, &file));
        memfs_close(file);
        break;
    }
}

/* As on Linux whoever changes a program's contents takes its capabilities, root too. */
static void test_cred__write_ends_capability(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    char value[8];
    test_put_text(test->fs, "f", "program");
    test_put_text(test->fs, "g", "other");
    test_put_text(test->fs, "hole", "");
    assert_ok(memfs_truncate(test->fs, NULL, "hole", 10000));
    assert_ok(memfs_setxattr(test->fs, NULL, "f", 1, "security.capability", "cap", 3, 0));
    assert_ok(memfs_setxattr(test->fs, NULL, "f", 1, "security.z", "z", 1, 0));
    test_reopen(test, &image);
    for (int way = 0; way < WAYS; way++) {
        memfs *fs = test->fs;
        /* What changes nothing keeps it. */
        assert_result(memfs_node_write(fs, test_node(fs, "f"), 0, "", 0), 0);
        assert_result(memfs_node_write(fs, test_node(fs, "f"), MEMFS_SIZE_MAX, "x", 1), -EFBIG);
        assert_result(memfs_node_punch(fs, test_node(fs, "f"), 0, 0), -EINVAL);
        assert_result(memfs_getxattr(fs, NULL, "f", 1, "security.capability", value, sizeof value), 3);
        write_somehow(fs, way);
        assert_result(memfs_getxattr(fs, NULL, "f", 1, "security.capability", value, sizeof value), -ENODATA);
        assert_result(memfs_getxattr(fs, NULL, "f", 1, "security.z", value, sizeof value), 1);
        assert_result(memfs_node_write(fs, test_node(fs, "f"), 0, "y", 1), 1);
        if (way % 2) {
            memfs_destroy(fs);
            test->fs = test_thaw(test, &image, 0);
        } else {
            assert_ok(memfs_setxattr(fs, NULL, "f", 1, "security.capability", "cap", 3, 0));
        }
    }
    test_end(test, &image);
}

/* ---- ACLs: version 2, entries {tag 2, permissions 2, id 4}, little-endian ------------------- */

struct acl {
    uint8_t bytes[4 + 8 * 8];
    size_t length;
};

enum { USER_OBJ = 1, USER = 2, GROUP_OBJ = 4, GROUP = 8, MASK = 16, OTHER = 32 };

static void acl_add(struct acl *acl, unsigned tag, unsigned permissions, uint32_t id)
{
    if (!acl->length) {
        memcpy(acl->bytes, "\2\0\0\0", 4);
        acl->length = 4;
    }
    uint8_t *at = acl->bytes + acl->length;
    at[0] = (uint8_t)tag;
    at[1] = 0;
    at[2] = (uint8_t)permissions;
    at[3] = 0;
    for (int i = 0; i < 4; i++)
        at[4 + i] = (uint8_t)(id >> 8 * i);
    acl->length += 8;
}

static struct acl an_acl(void)
{
    struct acl acl = {.length = 0};
    acl_add(&acl, USER_OBJ, 6, UINT32_MAX);
    acl_add(&acl, USER, 7, 2);
    acl_add(&acl, GROUP_OBJ, 4, UINT32_MAX);
    acl_add(&acl, GROUP, 2, 40);
    acl_add(&acl, MASK, 6, UINT32_MAX);
    acl_add(&acl, OTHER, 0, UINT32_MAX);
    return acl;
}

static void test_cred__acl_decides(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    struct acl acl = an_acl();
    static const uint32_t groups[] = {40};
    struct memfs_cred both = {.size = sizeof both, .uid = 9, .gid = 10, .ngroups = 1, .groups = groups};
    test_put_text(fs, "f", "");
    own(fs, "f", 1, 10, 0640);
    assert_ok(memfs_setxattr(fs, &alice, "f", 1, "system.posix_acl_access", acl.bytes, acl.length, 0));
    assert_int_equal(mode_of(fs, "f"), 0660); /* the mask is the group's bits */
    memfs_node node = test_node(fs, "f");
    assert_ok(memfs_node_access(fs, &alice, node, 6));
    assert_result(memfs_node_access(fs, &alice, node, 1), -EACCES);
    assert_ok(memfs_node_access(fs, &bob, node, 6));
    assert_result(memfs_node_access(fs, &bob, node, 7), -EACCES); /* masked */
    assert_ok(memfs_node_access(fs, CRED(9, 10), node, 4));
    assert_result(memfs_node_access(fs, CRED(9, 10), node, 2), -EACCES);
    assert_ok(memfs_node_access(fs, CRED(9, 40), node, 2));
    assert_result(memfs_node_access(fs, CRED(9, 40), node, 4), -EACCES);
    assert_ok(memfs_node_access(fs, &both, node, 4));
    assert_ok(memfs_node_access(fs, &both, node, 2));
    assert_result(memfs_node_access(fs, &both, node, 6), -EACCES); /* no one entry grants it */
    assert_result(memfs_node_access(fs, CRED(9, 90), node, 4), -EACCES);
    /* chmod moves the mask. */
    assert_ok(change(fs, &alice, "f", (struct memfs_setattr){.set = MEMFS_SET_MODE, .mode = 0644}));
    assert_ok(memfs_node_access(fs, &bob, node, 4));
    assert_result(memfs_node_access(fs, &bob, node, 2), -EACCES);
    assert_ok(memfs_node_access(fs, CRED(9, 90), node, 4));
    assert_result(memfs_setxattr(fs, &bob, "f", 1, "system.posix_acl_access", acl.bytes, acl.length, 0), -EPERM);
    assert_result(memfs_setxattr(fs, &alice, "f", 1, "system.posix_acl_access", "\2\0\0\0junk", 8, 0), -EINVAL);
    assert_result(memfs_setxattr(fs, &alice, "f", 1, "system.posix_acl_default", acl.bytes, acl.length, 0), -EACCES);
    struct test_buffer image = {0};
    assert_ok(memfs_setxattr(fs, &alice, "f", 1, "system.posix_acl_access", acl.bytes, acl.length, 0));
    test_reopen(test, &image);
    assert_ok(memfs_node_access(test->fs, &bob, test_node(test->fs, "f"), 6));
    assert_result(memfs_node_access(test->fs, CRED(9, 90), test_node(test->fs, "f"), 4), -EACCES);
    test_end(test, &image);
}

/* One thing wrong in each: a byte at an offset, or the length. */
static void test_cred__acl_malformed(void **state)
{
    static const struct {
        size_t at;
        uint8_t byte;
    } wrong[] = {
        {0, 3},     /* version */
        {4, 2},     /* begins with a named user */
        {4, 3},     /* two tags in one */
        {6, 8},     /* no such permission */
        {12, 0x20}, /* the others before the last */
    };
    struct test_state *test = *state;
    memfs *fs = test->fs;
    struct acl acl = an_acl();
    const size_t lengths[] = {3, acl.length - 1, acl.length - 8, 12};
    test_put_text(fs, "f", "");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct acl bad = acl;
        bad.bytes[wrong[i].at] = wrong[i].byte;
        assert_result(memfs_setxattr(fs, NULL, "f", 1, "system.posix_acl_access", bad.bytes, bad.length, 0), -EINVAL);
    }
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        assert_result(memfs_setxattr(fs, NULL, "f", 1, "system.posix_acl_access", acl.bytes, lengths[i], 0), -EINVAL);
    assert_result(memfs_getxattr(fs, NULL, "f", 1, "system.posix_acl_access", NULL, 0), -ENODATA);
    assert_ok(memfs_setxattr(fs, NULL, "f", 1, "system.posix_acl_access", acl.bytes, acl.length, 0));
}

/* Lists in which one entry is wrong, missing, or not needed. */
static void test_cred__acl_entries(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    const struct {
        struct {
            unsigned tag;
            uint32_t id;
        } entries[5];
        int result;
    } lists[] = {
        {{{USER_OBJ, 0}, {USER, UINT32_MAX}, {GROUP_OBJ, 0}, {MASK, 0}, {OTHER, 0}}, -EINVAL}, /* nobody named */
        {{{USER_OBJ, 0}, {USER, 5}, {GROUP_OBJ, 0}, {OTHER, 0}}, -EINVAL},                     /* no mask */
        {{{USER_OBJ, 0}, {GROUP_OBJ, 0}, {GROUP, 5}, {OTHER, 0}}, -EINVAL},
        {{{USER_OBJ, 0}, {GROUP_OBJ, 0}, {MASK, 0}}, -EINVAL}, /* no others */
        {{{USER_OBJ, 0}, {GROUP_OBJ, 0}, {MASK, 0}, {OTHER, 0}}, 0},
        {{{USER_OBJ, 0}, {GROUP_OBJ, 0}, {OTHER, 0}}, 0},
    };
    assert_ok(memfs_mkdir(fs, NULL, "d", 0755));
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct acl acl = {.length = 0};
        for (size_t n = 0; n < 5 && lists[i].entries[n].tag; n++)
            acl_add(&acl, lists[i].entries[n].tag, 5, lists[i].entries[n].id);
        assert_result(memfs_setxattr(fs, NULL, "d", 1, "system.posix_acl_default", acl.bytes, acl.length, 0),
                      lists[i].result);
        assert_result(memfs_getxattr(fs, NULL, "d", 1, "system.posix_acl_default", NULL, 0),
                      lists[i].result ? -ENODATA : (int64_t)acl.length);
        assert_ok(memfs_removexattr(fs, NULL, "d", 1, "system.posix_acl_default"));
    }
}

/* The same image, in which all ACLs are another. */
static memfs *thaw_with_acls(struct test_state *test, const struct test_buffer *image, const struct acl *acl,
                             struct test_buffer *changed)
{
    struct surgery s;
    surgery_open(&s, image);
    assert_true(s.xattrs_count > 0);
    for (size_t i = 0; i < s.xattrs_count; i++) {
        memcpy(s.blobs + s.xattrs[i].value, acl->bytes, acl->length);
        s.xattrs[i].value_length = (uint32_t)acl->length;
    }
    surgery_close(&s, changed);
    surgery_free(&s);
    return test_thaw(test, changed, 0);
}

/* What makes no sense in an image is no ACL: the mode decides. One without a mask is as good as any. */
static void test_cred__acls_of_an_image(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0}, changed = {0};
    struct memfs_cred masked = {.size = sizeof masked, .uid = 1, .gid = 10, .umask = 077};
    struct acl acls[4] = {an_acl(), {.length = 4, .bytes = ""}, an_acl(), {.length = 0}};
    acls[0].bytes[0] = 3;
    acls[2].length = 4 + 7;
    acl_add(&acls[3], USER_OBJ, 6, UINT32_MAX);
    acl_add(&acls[3], GROUP_OBJ, 4, UINT32_MAX);
    acl_add(&acls[3], OTHER, 0, UINT32_MAX);
    test_put_text(test->fs, "f", "");
    own(test->fs, "f", 1, 10, 0640);
    assert_ok(memfs_mkdir(test->fs, NULL, "d", 0777));
    struct acl acl = an_acl();
    assert_ok(memfs_setxattr(test->fs, NULL, "f", 1, "system.posix_acl_access", acl.bytes, acl.length, 0));
    assert_ok(memfs_setxattr(test->fs, NULL, "d", 1, "system.posix_acl_default", acl.bytes, acl.length, 0));
    test_freeze(test->fs, &image);
    for (int i = 0; i < 4; i++) {
        memfs *fs = thaw_with_acls(test, &image, &acls[i], &changed);
        memfs_node node = test_node(fs, "f");
        assert_ok(memfs_node_access(fs, CRED(9, 10), node, 4));
        assert_result(memfs_node_access(fs, CRED(9, 10), node, 6), i == 3 ? -EACCES : 0);
        assert_result(memfs_node_access(fs, &bob, node, 4), -EACCES);
        assert_ok(memfs_mknod(fs, &masked, "d/f", MEMFS_IFREG | 0666, 0, 0));
        assert_int_equal(mode_of(fs, "d/f"), i == 3 ? 0640 : 0600);
        assert_ok(change(fs, &alice, "f", (struct memfs_setattr){.set = MEMFS_SET_MODE, .mode = 0600}));
        assert_result(memfs_node_access(fs, CRED(9, 10), node, 4), -EACCES);
        memfs_destroy(fs);
        test_buffer_free(&changed);
    }
    test_buffer_free(&image);
}

/* What takes an ACL away, and where there is none to be. */
static void test_cred__acl_removed(void **state)
{
    static const char access[] = "system.posix_acl_access", other[] = "system.posix_acl_default";
    struct test_state *test = *state;
    memfs *fs = test->fs;
    struct acl acl = an_acl();
    test_put_text(fs, "f", "");
    own(fs, "f", 1, 10, 0640);
    assert_ok(memfs_symlink(fs, NULL, "f", "link"));
    assert_ok(memfs_mkdir(fs, NULL, "d", 0755));
    for (int i = 0; i < 3; i++) {
        assert_ok(memfs_setxattr(fs, NULL, "f", 1, access, acl.bytes, acl.length, 0));
        assert_ok(i == 0   ? memfs_setxattr(fs, NULL, "f", 1, access, acl.bytes, 0, 0)
                  : i == 1 ? memfs_setxattr(fs, NULL, "f", 1, access, acl.bytes, 4, 0) /* a version, no entries */
                           : memfs_removexattr(fs, NULL, "f", 1, access));
        assert_result(memfs_getxattr(fs, NULL, "f", 1, access, NULL, 0), -ENODATA);
    }
    assert_result(memfs_setxattr(fs, NULL, "link", 0, access, acl.bytes, acl.length, 0), -EOPNOTSUPP);
    assert_result(memfs_getxattr(fs, &alice, "link", 0, access, NULL, 0), -EOPNOTSUPP);
    assert_ok(memfs_setxattr(fs, NULL, "f", 1, other, acl.bytes, 4, 0)); /* nothing, where nothing may be */
    assert_ok(memfs_setxattr(fs, NULL, "d", 1, other, acl.bytes, acl.length, 0));
    assert_ok(memfs_removexattr(fs, NULL, "d", 1, other));
    /* A group's member keeps the setgid bit of what is not its own group's only if it is one. */
    own(fs, "f", 1, 90, 02640);
    assert_ok(memfs_setxattr(fs, &alice, "f", 1, access, acl.bytes, acl.length, 0));
    assert_int_equal(mode_of(fs, "f") & 02000, 0);
}

static void test_cred__acl_is_inherited(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    struct acl acl = an_acl();
    uint8_t got[200];
    struct memfs_cred cred = {.size = sizeof cred, .uid = 1, .gid = 10, .umask = 077};
    assert_ok(memfs_mkdir(fs, NULL, "d", 0777));
    own(fs, "d", 1, 10, 0777);
    assert_ok(memfs_setxattr(fs, &cred, "d", 1, "system.posix_acl_default", acl.bytes, acl.length, 0));
    assert_int_equal(mode_of(fs, "d"), 0777);
    assert_ok(memfs_mknod(fs, &cred, "d/f", MEMFS_IFREG | 0666, 0, 0)); /* the umask does not count here */
    assert_int_equal(mode_of(fs, "d/f"), 0660);
    assert_ok(memfs_access(fs, &bob, "d/f", 6));
    assert_result(memfs_getxattr(fs, NULL, "d/f", 1, "system.posix_acl_access", got, sizeof got), acl.length);
    assert_result(memfs_getxattr(fs, NULL, "d/f", 1, "system.posix_acl_default", got, sizeof got), -ENODATA);
    assert_ok(memfs_mknod(fs, &cred, "d/g", MEMFS_IFREG | 0640, 0, 0));
    assert_int_equal(mode_of(fs, "d/g"), 0640);
    assert_result(memfs_access(fs, &bob, "d/g", 2), -EACCES);
    assert_ok(memfs_mkdir(fs, &cred, "d/sub", 0777));
    assert_result(memfs_getxattr(fs, NULL, "d/sub", 1, "system.posix_acl_default", got, sizeof got), acl.length);
    assert_memory_equal(got, acl.bytes, acl.length);
    assert_ok(memfs_symlink(fs, &cred, "t", "d/s"));
    assert_int_equal(mode_of(fs, "d/s"), 0777);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_fs(test_cred__access_table),
        test_with_fs(test_cred__directories),
        test_with_fs(test_cred__open),
        test_with_fs(test_cred__owner_and_umask),
        test_with_fs(test_cred__setgid_directory),
        test_with_fs(test_cred__sticky),
        test_with_fs(test_cred__moving_a_directory),
        test_with_fs(test_cred__chmod),
        test_with_fs(test_cred__chown),
        test_with_fs(test_cred__attributes_that_stay),
        test_with_fs(test_cred__setgid_of_files),
        test_with_fs(test_cred__utimes),
        test_with_fs(test_cred__write_clears_setuid),
        test_with_fs(test_cred__write_ends_capability),
        test_with_fs(test_cred__acl_decides),
        test_with_fs(test_cred__acl_malformed),
        test_with_fs(test_cred__acl_entries),
        test_with_fs(test_cred__acls_of_an_image),
        test_with_fs(test_cred__acl_removed),
        test_with_fs(test_cred__acl_is_inherited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
