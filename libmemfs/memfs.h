/*
 * memfs: a filesystem in memory that freezes to a file and thaws at once.
 *
 * This header is the filesystem itself. memfs_image.h freezes it to images
 * and opens them; memfs_host.h moves it from and to directories of the host.
 *
 * Results. Every function that can fail returns a negative error: a negated
 * errno value where POSIX has one, else one of enum memfs_error. Functions
 * that count return the count as int64_t, the others 0. A call that fails
 * has changed nothing that can be observed.
 *
 * Threads. Any number of threads may call any function on one filesystem at
 * once, except memfs_destroy() and memfs_seal(), which must be the last. A
 * memfs_file has one position: threads that share one use memfs_pread() and
 * memfs_pwrite(). Readers wait for the commits of writers only, never for
 * input or for each other; one writer works at a time. (memfs_statfs(), and a view
 * of bytes that are just being written, wait for the writer.) A commit takes
 * microseconds, but where memory of contents is given back some 50 microseconds for
 * each MiB, and it waits for the readers that are at work just then. After fork() the
 * child may use filesystems if no other thread was in a call.
 *
 * Two levels, one implementation. Functions named memfs_node_... take node
 * handles and single names, as FUSE, 9P and bindings need it; the others take
 * paths. A path is resolved from the root, with or without a leading slash.
 *
 * Options. A struct of options begins with its size: sizeof, as the caller knows it (0 stands
 * for what the library knows). Zeroed means default, and so does what the struct of an older
 * caller lacks. -EINVAL for a size that does not even hold itself, and where a newer caller has
 * set what this library does not know. (struct memfs_cred has a size as well, to be set; it
 * is not looked at while there is but one.)
 *
 * Structs that a function fills for its caller (memfs_stat, memfs_statfs, memfs_detail, memfs_dirent, memfs_view ...)
 * have no size, and stay as they are. Two begin with one, struct memfs_export_failure and struct memfs_freeze_failure:
 * they are filled as far as it goes, and one that does not even hold itself not at all. Those that a callback gets may
 * grow at their ends.
 *
 * Strings end with NUL. Names have 1 to 255 bytes of any value but '/' and
 * NUL; symbolic link targets 1 to 4,095 bytes. Nothing is ever interpreted as
 * UTF-8. Paths may have any length.
 */
#ifndef MEMFS_H
#define MEMFS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this header; the format of images has another. */
#define MEMFS_VERSION "0.1.0"

/* The version of the library that is at work, which may be later than that of the header that a program
 * was compiled with: "0.1.0", in storage that lasts for ever. */
const char *memfs_version(void);

/* Limits. They bind the writer as they bind the reader. */
#define MEMFS_NAME_MAX 255         /* bytes of a name */
#define MEMFS_TARGET_MAX 4095      /* bytes of a symbolic link's target */
#define MEMFS_XATTR_MAX 65536      /* bytes of an attribute's value */
#define MEMFS_XATTR_LIST_MAX 65536 /* bytes of all names of one node, with NULs */
#define MEMFS_SYMLOOP_MAX 40       /* symbolic links followed in one resolution */
#define MEMFS_LAYERS_MAX 64        /* seals on which a filesystem can stand */
#define MEMFS_SIZE_MAX INT64_MAX   /* bytes of a file */

/* Errors that POSIX does not have. */
enum memfs_error {
    MEMFS_ENOTIMAGE = -4001, /* not an image */
    MEMFS_EVERSION = -4002,  /* image of a newer format */
    MEMFS_EFEATURE = -4003,  /* image needs a feature unknown here */
    MEMFS_ECHECKSUM = -4004, /* stored bytes do not have their checksum */
    MEMFS_ECORRUPT = -4005,  /* truncated, or checksums hold but the contents contradict themselves */
    MEMFS_ELIMIT = -4006     /* a limit of the format or of the library is exceeded */
};

/* What one error says in English, in storage that lasts for ever. (Errors of the host, where that is neither glibc
 * from 2.32 on nor musl: as strerror() says them.) */
const char *memfs_strerror(int error);

/* The positive errno that a mount should show for an error; 0 for 0. */
int memfs_errno(int error);

/* What went wrong exactly: filled by functions that take one, when they fail.
 * offset is a byte offset in an image, or UINT64_MAX where none applies. */
struct memfs_detail {
    int error;
    uint64_t offset;
    char text[240];
};

/* How far something has got. A total is 0 while it is unknown. */
struct memfs_progress {
    uint64_t nodes, nodes_total;
    uint64_t bytes, bytes_total; /* of contents */
};

/* Called often while something takes long, by the thread that called the function: for every
 * file or piece of work, so that whoever shows it does so every now and then. Returns 0 to go on;
 * anything else cancels, and the function returns -ECANCELED. */
typedef int memfs_progress_fn(void *context, const struct memfs_progress *progress);

/* Where memory comes from. alloc returns memory aligned for any type, or NULL;
 * free gets what alloc returned, and its size. Both may be called from any
 * thread that calls the library, and from those that a function starts whose
 * options ask for several, also while other callers wait: they must not call the
 * library, which would wait for itself. NULL for the whole struct means malloc. */
struct memfs_allocator {
    void *(*alloc)(void *context, size_t size);
    void (*free)(void *context, void *memory, size_t size);
    void *context;
};

/* Nanoseconds since 1970. Called when a change needs a time, while other writers wait: it must not
 * call the library, either. */
typedef int64_t memfs_clock(void *context);

/* The host's CLOCK_REALTIME, as a memfs_clock; context is not used. */
int64_t memfs_clock_realtime(void *context);

/* The same as of the kernel's last tick, up to 10 ms ago: as Linux's filesystems have long
 * taken their times (its CLOCK_REALTIME_COARSE; elsewhere CLOCK_REALTIME). Asking it
 * costs less. What changes within a tick has the same time, and may seem older than a time taken
 * from another clock just before: where times are compared, for what is newest or older than its
 * source, take memfs_clock_realtime(). */
int64_t memfs_clock_coarse(void *context);

/* ---- Filesystems ------------------------------------------------------ */

typedef struct memfs memfs;

/* Something immutable that a filesystem can stand on: an image, a host
 * directory, a sealed filesystem. Counted: each filesystem that stands on it
 * holds it, and so does whoever made it, until memfs_backing_release(). */
typedef struct memfs_backing memfs_backing;

void memfs_backing_retain(memfs_backing *backing);
void memfs_backing_release(memfs_backing *backing); /* NULL is accepted */

struct memfs_options {
    size_t size;
    const struct memfs_allocator *allocator; /* copied */
    uint64_t capacity;                       /* bytes of private memory at most (ENOSPC); 0: no limit; see below */
    memfs_clock *clock;                      /* NULL: all new times are 0, 1970 */
    void *clock_context;
    memfs_backing *backing; /* what to stand on; NULL: an empty root directory, mode 0755 */
    uint32_t root_mode;     /* permission bits of a new root; 0: 0755 */
    uint32_t root_uid, root_gid;
};

/* A capacity counts what the allocator has given for names, nodes and contents that are the
 * filesystem's own. What is removed makes room for what comes, of other sizes, too, as far as
 * free memory lies together: that of small files serves contents of up to 64 KiB only where no
 * larger memory is to be had. Tables of nodes and names stay as large as they were. Memory for look-up and
 * open counts is the allocator's, but neither capped nor among private_bytes. Removing
 * or changing what a backing has takes memory, and may be -ENOSPC; what the filesystem has made
 * itself can be removed when it is full. */

/* Makes a filesystem, in time that does not depend on the backing's size.
 * options may be NULL. -ENOMEM; -ENOSPC for a capacity that does not even hold a
 * root directory (some 64 KiB). */
int memfs_create(const struct memfs_options *options, memfs **out);

/* Frees everything. Files must be closed and views released. NULL is accepted. */
void memfs_destroy(memfs *fs);

/* Turns a filesystem into a backing that never changes, in O(1). On success fs is
 * gone; on failure (-EBUSY: files, looked-up nodes or views are still held;
 * MEMFS_ELIMIT: it stands on MEMFS_LAYERS_MAX seals; -ENOMEM) it is as it was. Any number of
 * filesystems can then be made on the backing. The capacity continues to count per
 * filesystem. Where seals stand on one another, reading asks one after the other: after some, freeze
 * the filesystem and go on from the image, which is a single layer. */
int memfs_seal(memfs *fs, memfs_backing **out);

struct memfs_statfs {
    uint64_t nodes;         /* nodes in use, the root included */
    uint64_t private_bytes; /* memory taken from the allocator, as far as a capacity counts it */
    uint64_t capacity;      /* as given; 0: no limit */
    uint64_t changes;       /* commits since the filesystem was made */
};
int memfs_statfs(memfs *fs, struct memfs_statfs *out);

/* ---- Nodes and credentials --------------------------------------------- */

/* A node's handle: its number in the low 32 bits, its generation above. A
 * handle of a node that is gone is answered with -ESTALE. */
typedef uint64_t memfs_node;
#define MEMFS_ROOT ((memfs_node)1)

/* Types, in a mode's upper bits: the values of POSIX hosts' S_IFMT. */
#define MEMFS_IFMT 0170000u
#define MEMFS_IFSOCK 0140000u
#define MEMFS_IFLNK 0120000u
#define MEMFS_IFREG 0100000u
#define MEMFS_IFBLK 0060000u
#define MEMFS_IFDIR 0040000u
#define MEMFS_IFCHR 0020000u
#define MEMFS_IFIFO 0010000u

/* Times are nanoseconds since 1970: the years 1677 to 2262. Reading does not
 * change atime. A directory's size is its number of entries. allocated is an
 * upper bound for a file whose bytes stand in more than 512 extents of the backing. */
struct memfs_stat {
    memfs_node node;
    uint32_t mode; /* type and permissions */
    uint32_t nlink;
    uint32_t uid, gid;
    uint32_t rdev_major, rdev_minor; /* devices only */
    uint64_t size;                   /* bytes */
    uint64_t allocated;              /* bytes of a file that are not holes */
    int64_t atime, mtime, ctime;
};

/* Who calls. NULL credentials check nothing and set owner 0:0, umask 0; with
 * credentials POSIX permissions and ACLs hold, and uid 0 may do everything. */
struct memfs_cred {
    size_t size; /* sizeof(struct memfs_cred), by which a later memfs will know the members that the caller has; this
                  * one, the first, has no need to look at it */
    uint32_t uid, gid;
    uint32_t ngroups;
    const uint32_t *groups; /* supplementary groups */
    uint32_t umask;
};

/* What memfs_node_setattr() sets. */
#define MEMFS_SET_MODE 0x01u /* permission bits, setuid, setgid, sticky */
#define MEMFS_SET_UID 0x02u
#define MEMFS_SET_GID 0x04u
#define MEMFS_SET_SIZE 0x08u
#define MEMFS_SET_ATIME 0x10u
#define MEMFS_SET_MTIME 0x20u
#define MEMFS_SET_ATIME_NOW 0x40u
#define MEMFS_SET_MTIME_NOW 0x80u
#define MEMFS_SET_CTIME 0x100u /* only without credentials */
struct memfs_setattr {
    uint32_t set; /* MEMFS_SET_... */
    uint32_t mode;
    uint32_t uid, gid;
    uint64_t size;
    int64_t atime, mtime, ctime;
};

/* Permissions that memfs_access() asks for. */
#define MEMFS_X_OK 1u
#define MEMFS_W_OK 2u
#define MEMFS_R_OK 4u

/* Flags of open and create. */
#define MEMFS_O_READ 0x01u
#define MEMFS_O_WRITE 0x02u
#define MEMFS_O_RDWR 0x03u
#define MEMFS_O_CREATE 0x04u
#define MEMFS_O_EXCL 0x08u
#define MEMFS_O_TRUNC 0x10u
#define MEMFS_O_APPEND 0x20u
#define MEMFS_O_NOFOLLOW 0x40u
#define MEMFS_O_DIRECTORY 0x80u
#define MEMFS_O_TMPFILE 0x100u /* path names a directory; the file has no name yet */

/* Flags of rename. */
#define MEMFS_RENAME_NOREPLACE 1u
#define MEMFS_RENAME_EXCHANGE 2u

/* Flags of setxattr. */
#define MEMFS_XATTR_CREATE 1u
#define MEMFS_XATTR_REPLACE 2u

/* Whence of seeking. */
enum memfs_whence { MEMFS_SEEK_SET, MEMFS_SEEK_CUR, MEMFS_SEEK_END, MEMFS_SEEK_DATA, MEMFS_SEEK_HOLE };

/* ---- By node: names ----------------------------------------------------- */

/* All of these can fail with -ESTALE for a handle, -ENOTDIR for a dir that is none,
 * -ENOENT, -EEXIST, -ENAMETOOLONG or -EINVAL for a name, -EACCES or -EPERM for cred,
 * -ENOSPC or -ENOMEM for a change, and with what reading a backing can give
 * (MEMFS_ECHECKSUM, MEMFS_ECORRUPT, -EIO ...). Names, targets and buffers are copied. */

/* Functions with a memfs_node *out take one look-up count on what they return;
 * give it back with memfs_node_forget(). A node without names lives on while
 * it has look-up counts or is open. out may be NULL: then no count is taken. */

int memfs_node_lookup(memfs *fs, const struct memfs_cred *cred, memfs_node dir, const char *name, memfs_node *out);
void memfs_node_forget(memfs *fs, memfs_node node, uint64_t count);

/* The directory's own parent (the root's is the root), with a look-up count. */
int memfs_node_parent(memfs *fs, memfs_node dir, memfs_node *out);

/* A new regular file, not opened; -EEXIST if the name is there. */
int memfs_node_create(memfs *fs, const struct memfs_cred *cred, memfs_node dir, const char *name, uint32_t mode,
                      memfs_node *out);
int memfs_node_mkdir(memfs *fs, const struct memfs_cred *cred, memfs_node dir, const char *name, uint32_t mode,
                     memfs_node *out);
/* mode has the type: any but directory and symbolic link. Devices need uid 0. */
int memfs_node_mknod(memfs *fs, const struct memfs_cred *cred, memfs_node dir, const char *name, uint32_t mode,
                     uint32_t rdev_major, uint32_t rdev_minor, memfs_node *out);
int memfs_node_symlink(memfs *fs, const struct memfs_cred *cred, memfs_node dir, const char *name, const char *target,
                       memfs_node *out);
/* A regular file without a name; memfs_node_link() can name it later. out must
 * not be NULL. */
int memfs_node_tmpfile(memfs *fs, const struct memfs_cred *cred, memfs_node dir, uint32_t mode, memfs_node *out);
int memfs_node_link(memfs *fs, const struct memfs_cred *cred, memfs_node node, memfs_node dir, const char *name);
int memfs_node_unlink(memfs *fs, const struct memfs_cred *cred, memfs_node dir, const char *name);
int memfs_node_rmdir(memfs *fs, const struct memfs_cred *cred, memfs_node dir, const char *name);
int memfs_node_rename(memfs *fs, const struct memfs_cred *cred, memfs_node from_dir, const char *from,
                      memfs_node to_dir, const char *to, uint32_t flags);

/* One entry of a directory. cursor continues after it. */
struct memfs_dirent {
    uint64_t cursor;
    struct memfs_stat stat; /* only node and the type of mode, unless asked for */
    uint8_t name_length;
    char name[MEMFS_NAME_MAX + 1];
};

/* Reads up to count entries after cursor (0: from the start) into entries;
 * returns how many, 0 at the end. "." and ".." are not among them. Cursors
 * below 2^63 survive changes: an entry that is there all the time comes exactly
 * once. with_stat fills all of stat. No look-up counts are taken. */
int64_t memfs_node_readdir(memfs *fs, const struct memfs_cred *cred, memfs_node dir, uint64_t cursor,
                           struct memfs_dirent *entries, size_t count, int with_stat);

/* ---- By node: attributes ------------------------------------------------ */

int memfs_node_stat(memfs *fs, memfs_node node, struct memfs_stat *out);
/* out may be NULL; else it gets the attributes afterwards. */
int memfs_node_setattr(memfs *fs, const struct memfs_cred *cred, memfs_node node, const struct memfs_setattr *set,
                       struct memfs_stat *out);
/* mask of MEMFS_R_OK, MEMFS_W_OK, MEMFS_X_OK; 0 asks for existence. -EACCES. */
int memfs_node_access(memfs *fs, const struct memfs_cred *cred, memfs_node node, uint32_t mask);
/* The target into buffer of size bytes (it is cut to fit, without a NUL);
 * returns its whole length. */
int64_t memfs_node_readlink(memfs *fs, memfs_node node, char *buffer, size_t size);

/* The value into buffer; returns its length. With size 0 only the length.
 * -ERANGE if it does not fit, -ENODATA if there is none. */
int64_t memfs_node_getxattr(memfs *fs, const struct memfs_cred *cred, memfs_node node, const char *name, void *buffer,
                            size_t size);
/* flags: MEMFS_XATTR_... Values up to MEMFS_XATTR_MAX: -E2BIG beyond; name
 * lists up to MEMFS_XATTR_LIST_MAX: -ENOSPC beyond. */
int memfs_node_setxattr(memfs *fs, const struct memfs_cred *cred, memfs_node node, const char *name, const void *value,
                        size_t size, uint32_t flags);
int memfs_node_removexattr(memfs *fs, const struct memfs_cred *cred, memfs_node node, const char *name);
/* The names, each with its NUL, in order of their bytes; returns their length. */
int64_t memfs_node_listxattr(memfs *fs, const struct memfs_cred *cred, memfs_node node, char *buffer, size_t size);

/* The node's path from the root, "/" for the root, with NUL, into buffer;
 * returns its length without the NUL. Directories only: -ENOTDIR else, since
 * other nodes may have many; -ERANGE if it does not fit (size 0 asks). */
int64_t memfs_node_path(memfs *fs, memfs_node node, char *buffer, size_t size);

/* How many steps a directory is from the root, which is 0. -ENOTDIR for other nodes, -ENOENT
 * for a directory that was removed and is still held; errors of reading the directories above. */
int64_t memfs_node_depth(memfs *fs, memfs_node dir);

/* ---- By node: contents --------------------------------------------------- */

/* Counts the node as open, after checking permissions for flags; O_TRUNC
 * empties it. O_CREATE, O_EXCL and O_TMPFILE are refused here. */
int memfs_node_open(memfs *fs, const struct memfs_cred *cred, memfs_node node, uint32_t flags);
void memfs_node_close(memfs *fs, memfs_node node);

/* Reads check no permission: memfs_node_open() did. Returns the bytes read,
 * fewer than size only at the end of the file. */
int64_t memfs_node_read(memfs *fs, memfs_node node, uint64_t offset, void *buffer, size_t size);
/* All of size or an error. MEMFS_APPEND as offset writes at the end. */
int64_t memfs_node_write(memfs *fs, memfs_node node, uint64_t offset, const void *buffer, size_t size);
#define MEMFS_APPEND UINT64_MAX

/* Reserves memory for a range; grows the file unless keep_size. Writing there
 * then needs no more of the capacity, unless a view holds the bytes; a little
 * memory for the time of the write may still be needed. -ENOSPC beyond the capacity,
 * and at once for more memory than a process can have. */
int memfs_node_allocate(memfs *fs, memfs_node node, uint64_t offset, uint64_t length, int keep_size);
/* Makes a range read as zeros: its whole 4,096-byte pages are holes then. Memory is freed where all that
 * a file has in 64 KiB of it, from a multiple of that on, has become holes. The size stays. */
int memfs_node_punch(memfs *fs, memfs_node node, uint64_t offset, uint64_t length);
/* The next data or hole at or after offset; -ENXIO beyond the end. A hole is
 * an unallocated page of 4,096 bytes. */
int64_t memfs_node_seek(memfs *fs, memfs_node node, uint64_t offset, enum memfs_whence whence);
/* Copies up to length bytes; returns how many, also when an error ends it after
 * some bytes. The ranges must not overlap in one node (-EINVAL). */
int64_t memfs_node_copy(memfs *fs, memfs_node from, uint64_t from_offset, memfs_node to, uint64_t to_offset,
                        uint64_t length);

/* Bytes of a file without copying them. data stays valid and unchanged until
 * memfs_view_release(), whatever happens to the file. */
struct memfs_view {
    const void *data;
    size_t length;  /* at least 1, unless offset is at or beyond the end */
    void *owner[3]; /* private */
};
/* length bytes at most from offset; perhaps fewer: ask again for the rest. */
int memfs_node_view(memfs *fs, memfs_node node, uint64_t offset, size_t length, struct memfs_view *out);
void memfs_view_release(memfs *fs, struct memfs_view *view);

/* The content's XXH3-64 as the image states it; -ENODATA where none is known,
 * as for contents that have been changed. It decides nothing alone: equal
 * hashes are a hint. */
int memfs_node_digest(memfs *fs, memfs_node node, uint64_t *out);

/* ---- By path ------------------------------------------------------------- */

/* Each resolves its path and then does what the memfs_node_ function of the same
 * name does, with the same results. Resolving can add -ENOENT (also for an empty
 * path), -ENOTDIR, -ELOOP, -ENAMETOOLONG, -EACCES (search permission), -ENOMEM and
 * what a backing's reads can give. A slash at the end asks for a directory. Mode
 * bits of what is made lose cred's umask. */

/* follow: whether a symbolic link at the path's end is followed. */
int memfs_resolve(memfs *fs, const struct memfs_cred *cred, const char *path, int follow, memfs_node *out);

int memfs_stat(memfs *fs, const struct memfs_cred *cred, const char *path, struct memfs_stat *out);
int memfs_lstat(memfs *fs, const struct memfs_cred *cred, const char *path, struct memfs_stat *out);
int memfs_setattr(memfs *fs, const struct memfs_cred *cred, const char *path, int follow,
                  const struct memfs_setattr *set);
int memfs_access(memfs *fs, const struct memfs_cred *cred, const char *path, uint32_t mask);
int memfs_mkdir(memfs *fs, const struct memfs_cred *cred, const char *path, uint32_t mode);
int memfs_mknod(memfs *fs, const struct memfs_cred *cred, const char *path, uint32_t mode, uint32_t rdev_major,
                uint32_t rdev_minor);
int memfs_symlink(memfs *fs, const struct memfs_cred *cred, const char *target, const char *path);
int64_t memfs_readlink(memfs *fs, const struct memfs_cred *cred, const char *path, char *buffer, size_t size);
/* A symbolic link at from's end is linked itself, as Linux does. */
int memfs_link(memfs *fs, const struct memfs_cred *cred, const char *from, const char *to);
int memfs_unlink(memfs *fs, const struct memfs_cred *cred, const char *path);
int memfs_rmdir(memfs *fs, const struct memfs_cred *cred, const char *path);
int memfs_rename(memfs *fs, const struct memfs_cred *cred, const char *from, const char *to, uint32_t flags);
int memfs_truncate(memfs *fs, const struct memfs_cred *cred, const char *path, uint64_t size);
int64_t memfs_getxattr(memfs *fs, const struct memfs_cred *cred, const char *path, int follow, const char *name,
                       void *buffer, size_t size);
int memfs_setxattr(memfs *fs, const struct memfs_cred *cred, const char *path, int follow, const char *name,
                   const void *value, size_t size, uint32_t flags);
int memfs_removexattr(memfs *fs, const struct memfs_cred *cred, const char *path, int follow, const char *name);
int64_t memfs_listxattr(memfs *fs, const struct memfs_cred *cred, const char *path, int follow, char *buffer,
                        size_t size);

/* ---- Files ---------------------------------------------------------------- */

typedef struct memfs_file memfs_file;

/* Opens, and makes with O_CREATE or O_TMPFILE, a file. Directories open for
 * reading only, and can then only be asked for their node. -EINVAL for flags with neither READ
 * nor WRITE. */
int memfs_open(memfs *fs, const struct memfs_cred *cred, const char *path, uint32_t flags, uint32_t mode,
               memfs_file **out);
void memfs_close(memfs_file *file); /* NULL is accepted */
memfs_node memfs_file_node(const memfs_file *file);

/* At the file's position, which moves. With O_APPEND writes go to the end.
 * -EBADF if the file was not opened for it. */
int64_t memfs_read(memfs_file *file, void *buffer, size_t size);
int64_t memfs_write(memfs_file *file, const void *buffer, size_t size);
int64_t memfs_pread(memfs_file *file, void *buffer, size_t size, uint64_t offset);
int64_t memfs_pwrite(memfs_file *file, const void *buffer, size_t size, uint64_t offset);
/* The new position. */
int64_t memfs_lseek(memfs_file *file, int64_t offset, enum memfs_whence whence);
int memfs_ftruncate(memfs_file *file, uint64_t size);

/* ---- Walking --------------------------------------------------------------- */

/* Called for each path: the path from the root (but see MEMFS_WALK_NAMES), and what is there. Returns 0
 * to go on, MEMFS_WALK_SKIP not to go down into this directory, MEMFS_WALK_STOP, an error
 * or anything else to stop; that is then returned. The filesystem may be changed meanwhile. */
typedef int memfs_walk_fn(void *context, const char *path, const struct memfs_stat *stat);
#define MEMFS_WALK_SKIP 1
#define MEMFS_WALK_STOP 2

/* Visits path and everything below it, each directory before its entries, or with
 * MEMFS_WALK_POST after them. Symbolic links are not followed. What goes away
 * meanwhile is passed over, and so is what is made in a directory, or gets another
 * name in it, after the walk has come into it; a directory that may not be read or
 * searched ends the walk with -EACCES. */
#define MEMFS_WALK_POST 1u   /* directories after their entries; MEMFS_WALK_SKIP means nothing then */
#define MEMFS_WALK_SORTED 2u /* the entries of a directory in order of their bytes */
/* Paths are names alone, "" where it begins: they take no memory by the depth. Not with POST. */
#define MEMFS_WALK_NAMES 4u
int memfs_walk(memfs *fs, const struct memfs_cred *cred, const char *path, uint32_t flags, memfs_walk_fn *visit,
               void *context);

/* What a walk has come to. Filled by the library, and may get more members at its end; all of it is
 * good until the call returns. */
struct memfs_step {
    const char *path; /* path_length bytes, and a NUL */
    size_t path_length;
    const char *name; /* its last component: the end of path; "" if that ends with a slash */
    uint64_t depth;   /* directories between it and where the walk began; 0: that itself */
    memfs_node dir;   /* that it is in; 0 at depth 0 */
    const struct memfs_stat *stat;
    memfs_node node; /* that it is, also where stat is NULL */
};
typedef int memfs_step_fn(void *context, const struct memfs_step *step); /* returns as memfs_walk_fn does */

/* Called for what cannot be read, and directories that lie too deep (MEMFS_ELIMIT); stat is NULL if it is not known. 0:
 * it and what is below it is passed over; else the walk ends with what is returned. With MEMFS_WALK_NAMES a directory
 * whose further entries cannot be read is known by its node: it has been left, and path and name are "". */
typedef int memfs_step_error_fn(void *context, const struct memfs_step *step, int error);

struct memfs_walk_options {
    size_t size;        /* sizeof(struct memfs_walk_options) */
    uint32_t flags;     /* MEMFS_WALK_... */
    uint64_t depth_max; /* of directories, in steps from the root; 0: any, and an image of a few hundred KB can be
                         * a million directories deep */
    memfs_step_error_fn *failed; /* NULL: any error ends the walk */
    const char *as;              /* what paths begin with in place of path's own, from the root; NULL: that. Not
                                  * with MEMFS_WALK_NAMES */
    memfs_progress_fn *progress; /* told of the entries that have been met, as nodes, also where nothing is visited */
    void *progress_context;
};

/* memfs_walk() with options (NULL: none), and knowing more at each step. One step takes time by the length of its name,
 * not of its path. -EINVAL for options that are not to be had together. */
int memfs_walk_steps(memfs *fs, const struct memfs_cred *cred, const char *path,
                     const struct memfs_walk_options *options, memfs_step_fn *visit, void *context);

/* Visits the paths that match a pattern, each once, in sorted order: * and ? within
 * a name, [a-z] and [!a-z], ** as a whole name for any number of directories (at
 * the end, for everything below), \ to quote. A leading dot is not special. A
 * slash at the end asks for directories. ** does not follow symbolic links; names
 * between slashes do. Directories that may not be read do not match.
 * -ENOENT if nothing matches; -EINVAL for a malformed pattern or a name "..". */
int memfs_glob(memfs *fs, const struct memfs_cred *cred, const char *pattern, memfs_walk_fn *visit, void *context);
/* The same as steps, whose depths count from the root; of the options (NULL: none) depth_max counts: MEMFS_ELIMIT if
 * deciding what matches takes looking into directories that lie deeper, by their paths; failed, which is asked
 * about these alone; and progress. */
int memfs_glob_steps(memfs *fs, const struct memfs_cred *cred, const char *pattern,
                     const struct memfs_walk_options *options, memfs_step_fn *visit, void *context);

#ifdef __cplusplus
}
#endif
#endif
