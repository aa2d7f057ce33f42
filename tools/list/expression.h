/*
 * The expression of find: words of the command line, made into a program without
 * nesting. However deep the parentheses, neither parsing nor evaluating recurses, and
 * both take memory and time by the number of words alone.
 */
#ifndef MEMFS_TOOLS_EXPRESSION_H
#define MEMFS_TOOLS_EXPRESSION_H

#include "memfs.h"
#include "options.h"

enum expression_kind {
    EXPRESSION_OPEN,
    EXPRESSION_CLOSE,
    EXPRESSION_NOT,
    EXPRESSION_AND,
    EXPRESSION_OR,
    EXPRESSION_LIST,
    EXPRESSION_MAXDEPTH, /* options: true, and good for all */
    EXPRESSION_MINDEPTH,
    EXPRESSION_DEPTH,
    EXPRESSION_NAME, /* tests */
    EXPRESSION_INAME,
    EXPRESSION_PATH,
    EXPRESSION_IPATH,
    EXPRESSION_TYPE,
    EXPRESSION_SIZE,
    EXPRESSION_EMPTY,
    EXPRESSION_NEWER,
    EXPRESSION_NEWERMT,
    EXPRESSION_MTIME,
    EXPRESSION_MMIN,
    EXPRESSION_INUM,
    EXPRESSION_SAMEFILE,
    EXPRESSION_PERM,
    EXPRESSION_USER,
    EXPRESSION_GROUP,
    EXPRESSION_LINKS,
    EXPRESSION_TRUE,
    EXPRESSION_FALSE,
    EXPRESSION_PRUNE,
    EXPRESSION_PRINT, /* actions: without any, -print is what is done */
    EXPRESSION_PRINT0,
    EXPRESSION_QUIT
};

/* All words: W(word, argument, kind, help), and F(word, kind, help) for those without an argument.
 * The parser, --help and the man page are made of them. */
#define EXPRESSION_WORDS(W, F)                                                                                         \
    W("-name", "GLOB", EXPRESSION_NAME, "the name, without directories, matches GLOB")                                 \
    W("-iname", "GLOB", EXPRESSION_INAME, "the same, upper and lower case being equal")                                \
    W("-path", "GLOB", EXPRESSION_PATH, "the path as printed matches GLOB, whose * and ? match slashes too")           \
    W("-ipath", "GLOB", EXPRESSION_IPATH, "the same, upper and lower case being equal")                                \
    W("-wholename", "GLOB", EXPRESSION_PATH, "the same as -path")                                                      \
    W("-iwholename", "GLOB", EXPRESSION_IPATH, "the same as -ipath")                                                   \
    W("-type", "LETTERS", EXPRESSION_TYPE, "one of b, c, d, f, l, p, s; several with commas between")                  \
    W("-size", "N[bcwkMG]", EXPRESSION_SIZE, "N units, rounded up: b 512 bytes (default), c 1, w 2, k, M, G")          \
    F("-empty", EXPRESSION_EMPTY, "a file without contents, or a directory without entries")                           \
    W("-newer", "PATH", EXPRESSION_NEWER, "modified later than PATH, also in the image")                               \
    W("-newermt", "TIME", EXPRESSION_NEWERMT, "modified later than TIME: @SECONDS, 2024-07-01 or 2024-07-01T12:00")    \
    W("-mtime", "N", EXPRESSION_MTIME, "modified N times 24 hours ago, rounded down")                                  \
    W("-mmin", "N", EXPRESSION_MMIN, "modified N minutes ago, rounded down")                                           \
    W("-inum", "N", EXPRESSION_INUM, "the inode's number, as ls -i shows it")                                          \
    W("-samefile", "PATH", EXPRESSION_SAMEFILE, "PATH in the image, or a hard link to it")                             \
    W("-perm", "[-/]MODE", EXPRESSION_PERM, "permissions: exactly MODE, -all of it, /any of it; 644 or u=rw,go=r")     \
    W("-user", "NAME", EXPRESSION_USER, "the owner: a user of this host, or a number")                                 \
    W("-group", "NAME", EXPRESSION_GROUP, "the group: one of this host, or a number")                                  \
    W("-uid", "N", EXPRESSION_USER, "the owner's number")                                                              \
    W("-gid", "N", EXPRESSION_GROUP, "the group's number")                                                             \
    W("-links", "N", EXPRESSION_LINKS, "the number of hard links")                                                     \
    F("-true", EXPRESSION_TRUE, "always")                                                                              \
    F("-false", EXPRESSION_FALSE, "never")                                                                             \
    F("-prune", EXPRESSION_PRUNE, "true; and what is in this directory is passed over")                                \
    F("-print", EXPRESSION_PRINT, "true; and prints the path (what is done if nothing says what)")                     \
    F("-print0", EXPRESSION_PRINT0, "the same with a NUL behind instead of a newline")                                 \
    F("-quit", EXPRESSION_QUIT, "ends the search")                                                                     \
    F("-depth", EXPRESSION_DEPTH, "true; and what is in a directory comes before it; -prune does nothing then")        \
    W("-maxdepth", "N", EXPRESSION_MAXDEPTH, "go down N directories at most; 0: the PATHs only")                       \
    W("-mindepth", "N", EXPRESSION_MINDEPTH, "look only at what lies N directories down or deeper")                    \
    F("(", EXPRESSION_OPEN, "what follows, up to its )")                                                               \
    F(")", EXPRESSION_CLOSE, "is taken together")                                                                      \
    F("!", EXPRESSION_NOT, "is not so")                                                                                \
    F("-not", EXPRESSION_NOT, "the same")                                                                              \
    F("-a", EXPRESSION_AND, "both, as of what stands side by side; the second counts if the first is so")              \
    F("-and", EXPRESSION_AND, "the same")                                                                              \
    F("-o", EXPRESSION_OR, "either; the second counts if the first is not so; binds less than -a")                     \
    F("-or", EXPRESSION_OR, "the same")                                                                                \
    F(",", EXPRESSION_LIST, "both are looked at, and the second decides; binds least")

/* For help: names are the whole words, and only name, argument and help count. */
extern const struct option_row expression_rows[];

/* One test or action. */
struct expression_test {
    enum expression_kind kind;
    const char *text; /* GLOB, or PATH of -newer and -samefile */
    char sign;        /* '+' more than, '-' less than number, or '\0'; of -perm: '-', '/' or '\0' */
    uint64_t number;
    uint64_t unit;    /* of -size, in bytes */
    uint32_t mode[2]; /* of -perm: for files, for directories */
    unsigned types;   /* bits, by mode >> 12 */
    int64_t time;     /* of -newermt; of -newer (its file's), -mtime, -mmin (now): to be filled in before evaluating */
    memfs_node node;  /* of -samefile: the same */
};

struct expression_step;
struct expression {
    struct expression_test *tests;
    size_t test_count;
    struct expression_step *steps;
    size_t step_count;
    uint64_t depth_min, depth_max;
    int is_post; /* directories come after what is in them */
};

/* Whether a word of the command line begins the expression. */
int expression_begins(const char *word);

/* Parses words; none are an expression too, which is always true. Returns -1, or the exit code:
 * then it has said what is wrong. To be freed in either case. */
int expression_parse(const char *subcommand, char *const *words, size_t count, struct expression *out);
void expression_free(struct expression *expression);

/* What is looked at. */
struct expression_subject {
    const char *path; /* as it is printed */
    const char *name;
    const struct memfs_stat *stat;
};

/* How it is printed is up to the caller; kind is EXPRESSION_PRINT or EXPRESSION_PRINT0. */
typedef void expression_print(void *context, const struct expression_subject *subject, enum expression_kind kind);

/* What is to happen afterwards: any of these. */
#define EXPRESSION_DO_PRUNE 1
#define EXPRESSION_DO_QUIT 2
int expression_evaluate(const struct expression *expression, const struct expression_subject *subject,
                        expression_print *print, void *context);

#endif
