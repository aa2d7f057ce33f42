/*
 * Hostile images, a line a case, by the classes of what has gone wrong elsewhere.
 *
 * To add a case, write a line with its class, a name that says what lies, the sound image
 * that it is made of (bases.h), the change in words (fields.h) or NULL, a function of
 * edits.c where words do not do or NULL, and guesses for the rest. Then
 *
 *     make tests && MEMFS=build/memfs build/tests/hostile/hostile -t NAME
 *
 * tells what became of it, resealed (0) and raw (1): the steps, the error, what was
 * said, and the peak of memory. Judge that, and write it down: error and a part of what is said (or 0, and
 * what it means), the steps (cases.h), and error and steps of the raw one. Each case is
 * tried in both ways; there are none that are not tried.
 */
#include "cases.h"

/* What of an image can be had, by step: info ls find cat verify diff hash tree du unpack, walk read export. */
#define ALL_WELL "0000000000000"
#define DIFFERS "0000010000000"           /* from the sound image, and is as sound */
#define NO_OPEN "3333333333333"           /* nothing */
#define NO_NAMES "0333333333303"          /* what the root says; no names */
#define NO_NODES "0333333033303"          /* names; no sizes and contents */
#define NO_NODE "0330333033303"           /* the same, but some files */
#define NO_ENTRY "0330333333303"          /* names up to one */
#define NO_CONTENTS "0003333003033"       /* names and sizes; not all contents */
#define ATTRIBUTES_OF_ONE "0000330003033" /* those of an entry that ls -l does not ask for */
#define NO_ATTRIBUTES "0300330003033" /* all but attributes; ls -l shows which entries have an access control list */
#define NO_TARGET "0300330303033"     /* all but a link's target */
#define LARGE "0004011004004"         /* all, as far as cat has room, and the budgets of hash and unpack reach */
#define COUNTS "0000300003003"        /* all; verify and unpack find that it contradicts itself */
#define COUNTS_DIFF "0000310003003"   /* the same, and diff shows it */
#define VERIFY "0000300000000"        /* all; only verify finds that something is wrong with it */
#define VERIFY_DIFF "0000310000000"   /* the same, and diff shows it */
/* Of EMPTY, where cat has only the root to be asked for, and says that it is no file. */
#define EMPTY_WELL "0001000000000"
#define EMPTY_VERIFY "0001300000000"
#define EMPTY_COUNTS "0001300003003"

#define FRAME(bytes) "block[#0].bytes = x" bytes "; ref[blocks:0:0].codec = 1; ref[blocks:0:0].raw = 100"

/* clang-format off */
const struct hostile_case hostile_cases[] = {
    /* Header and trailer: 1 magic */
    {1, "magic-first-bit", EVERYTHING, "header.magic ^= 0x80", NULL, MEMFS_ENOTIMAGE, "its first bytes were changed, perhaps by a transfer", NO_OPEN, MEMFS_ENOTIMAGE, NO_OPEN},
    {1, "magic-first-bit", EMPTY, "header.magic ^= 0x80", NULL, MEMFS_ENOTIMAGE, "its first bytes were changed, perhaps by a transfer", NO_OPEN, MEMFS_ENOTIMAGE, NO_OPEN},
    {1, "magic-zero", ONE, "header.magic = 0", NULL, MEMFS_ENOTIMAGE, "it does not begin with the magic bytes 89", NO_OPEN, MEMFS_ENOTIMAGE, NO_OPEN},
    {1, "magic-of-the-trailer", ONE, "header.magic = 0x0A1A0A0D54464D89", NULL, MEMFS_ENOTIMAGE, "it does not begin with the magic bytes 89", NO_OPEN, MEMFS_ENOTIMAGE, NO_OPEN},
    {1, "magic-in-text-mode", ONE, "header.magic = 0x0A1A0A0A53464D89", NULL, MEMFS_ENOTIMAGE, "its first bytes were changed, perhaps by a transfer", NO_OPEN, MEMFS_ENOTIMAGE, NO_OPEN},
    {1, "magic-of-squashfs", ONE, "header.magic = 0x73717368", NULL, MEMFS_ENOTIMAGE, "it does not begin with the magic bytes 89", NO_OPEN, MEMFS_ENOTIMAGE, NO_OPEN},
    {1, "trailer-magic-bit", ONE, "trailer.magic ^= 1", NULL, MEMFS_ECORRUPT, "the image is truncated, or bytes follow its", NO_OPEN, MEMFS_ECORRUPT, NO_OPEN},
    {1, "trailer-magic-bit", GENERATIONS, "trailer.magic ^= 1", NULL, MEMFS_ECORRUPT, "the image is truncated, or bytes follow its", NO_OPEN, MEMFS_ECORRUPT, NO_OPEN},
    {1, "trailer-magic-of-the-header", ONE, "trailer.magic = 0x0A1A0A0D53464D89", NULL, MEMFS_ECORRUPT, "the image is truncated, or bytes follow its", NO_OPEN, MEMFS_ECORRUPT, NO_OPEN},

    /* 2 version */
    {2, "version-0", EVERYTHING, "header.major = 0", NULL, MEMFS_ECORRUPT, "there is no format version 0", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {2, "version-0", EMPTY, "header.major = 0", NULL, MEMFS_ECORRUPT, "there is no format version 0", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {2, "version-2", EVERYTHING, "header.major = 2", NULL, MEMFS_EVERSION, "format version 2; this program knows 1 and", NO_OPEN, MEMFS_EVERSION, NO_OPEN},
    {2, "version-2", EMPTY, "header.major = 2", NULL, MEMFS_EVERSION, "format version 2; this program knows 1 and", NO_OPEN, MEMFS_EVERSION, NO_OPEN},
    {2, "version-65535", ONE, "header.major = 65535", NULL, MEMFS_EVERSION, "format version", NO_OPEN, MEMFS_EVERSION, NO_OPEN},
    {2, "version-256", ONE, "header.major = 256", NULL, MEMFS_EVERSION, "format version 256; this program knows 1", NO_OPEN, MEMFS_EVERSION, NO_OPEN},
    {2, "minor-version-9", EVERYTHING, "header.minor = 9", NULL, 0, "a newer minor version reads the same", ALL_WELL, MEMFS_ECHECKSUM, NO_OPEN},
    {2, "minor-version-9", EMPTY, "header.minor = 9", NULL, 0, "a newer minor version reads the same", EMPTY_WELL, MEMFS_ECHECKSUM, NO_OPEN},
    {2, "minor-version-65535", ONE, "header.minor = 65535", NULL, 0, "a newer minor version reads the same", ALL_WELL, MEMFS_ECHECKSUM, NO_OPEN},

    /* 3 unknown incompatible feature */
    {3, "incompatible-feature-0", EVERYTHING, "header.incompatible = 1", NULL, MEMFS_EFEATURE, "incompatible bits 0x1", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {3, "incompatible-feature-0", EMPTY, "header.incompatible = 1", NULL, MEMFS_EFEATURE, "incompatible bits 0x1", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {3, "incompatible-feature-63", ONE, "header.incompatible = 2^63", NULL, MEMFS_EFEATURE, "incompatible bits 0x", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {3, "incompatible-features-all", ONE, "header.incompatible = -1", NULL, MEMFS_EFEATURE, "incompatible bits 0xffffffffffffffff", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {3, "hash-unknown", ONE, "header.hash_kind = 2", NULL, MEMFS_EFEATURE, "hash kind 2 with 8 bytes is unknown here", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {3, "hash-none", ONE, "header.hash_kind = 0", NULL, MEMFS_EFEATURE, "hash kind 0 with 8 bytes is unknown here", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {3, "hash-wider", ONE, "header.hash_bytes = 16", NULL, MEMFS_EFEATURE, "hash kind 1 with 16 bytes is unknown here", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {3, "hash-width-0", ONE, "header.hash_bytes = 0", NULL, MEMFS_EFEATURE, "hash kind 1 with 0 bytes is unknown here", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},

    /* 4 unknown compatible feature */
    {4, "compatible-feature-0", EVERYTHING, "header.compatible = 1", NULL, 0, "unknown features of these classes inform", ALL_WELL, MEMFS_ECHECKSUM, NO_OPEN},
    {4, "compatible-feature-0", EMPTY, "header.compatible = 1", NULL, 0, "unknown features of these classes inform", EMPTY_WELL, MEMFS_ECHECKSUM, NO_OPEN},
    {4, "compatible-features-all", ONE, "header.compatible = -1", NULL, 0, "unknown features of these classes inform", ALL_WELL, MEMFS_ECHECKSUM, NO_OPEN},
    {4, "read-only-feature-63", EVERYTHING, "header.read_only_compatible = 2^63", NULL, 0, "unknown features of this class forbid appending", ALL_WELL, MEMFS_ECHECKSUM, NO_OPEN},
    {4, "read-only-feature-63", EMPTY, "header.read_only_compatible = 2^63", NULL, 0, "unknown features of this class forbid appending", EMPTY_WELL, MEMFS_ECHECKSUM, NO_OPEN},
    {4, "both-features", ONE, "header.read_only_compatible = 4; header.compatible = 4", NULL, 0, "unknown features of these classes inform", ALL_WELL, MEMFS_ECHECKSUM, NO_OPEN},

    /* 5 lengths */
    {5, "root-length-0", EVERYTHING, "trailer.root_length = 0", NULL, MEMFS_ECORRUPT, "the root's length is out of bounds", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {5, "root-length-0", EMPTY, "trailer.root_length = 0", NULL, MEMFS_ECORRUPT, "the root's length is out of bounds", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {5, "root-length-short", ONE, "trailer.root_length = 223", NULL, MEMFS_ECORRUPT, "the root's length is out of bounds", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {5, "root-length-beyond", ONE, "trailer.root_length = 16385", NULL, MEMFS_ECORRUPT, "the root's length is out of bounds", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {5, "root-length-huge", ONE, "trailer.root_length = 2^32-1", NULL, MEMFS_ECORRUPT, "the root's length is out of bounds", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {5, "root-length-plus-1", EVERYTHING, "trailer.root_length += 1", NULL, MEMFS_ECORRUPT, "the root does not end where it begins", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {5, "root-length-plus-1", ONE, "trailer.root_length += 1", NULL, MEMFS_ECORRUPT, "the root does not end where it begins", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {5, "root-length-plus-1-and-place", ONE, "trailer.root_length += 1; trailer.root_offset -= 1", NULL, MEMFS_ECORRUPT, "its time is neither there nor not", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {5, "root-cut", EVERYTHING, "root.length -= 1", NULL, MEMFS_ECORRUPT, "it is cut short", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {5, "root-cut", ONE, "root.length -= 1", NULL, MEMFS_ECORRUPT, "it is cut short", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {5, "root-cut-by-half", EVERYTHING, "root.length -= 200", NULL, MEMFS_ECORRUPT, "it is cut short", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {5, "root-longer", EVERYTHING, "root.length += 1", NULL, MEMFS_ECORRUPT, "bytes are left over", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {5, "root-longer", ONE, "root.length += 1", NULL, MEMFS_ECORRUPT, "bytes are left over", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {5, "message-longer", ONE, "root.message_length += 1", NULL, MEMFS_ECORRUPT, "its tree of refs has not the shape that its", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {5, "message-beyond", ONE, "root.message_length = 4097", NULL, MEMFS_ECORRUPT, "its message is too long", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {5, "message-huge", ONE, "root.message_length = 2^32-1", NULL, MEMFS_ECORRUPT, "its message is too long", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {5, "message-where-none-is", EMPTY, "root.message_length = 8", NULL, MEMFS_ECORRUPT, "its message contains NUL", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},

    /* 6 recorded size against the file's */
    {6, "cut-by-one", EVERYTHING, "file.length -= 1", NULL, MEMFS_ECORRUPT, "the image is truncated, or bytes follow its", NO_OPEN, MEMFS_ECORRUPT, NO_OPEN},
    {6, "cut-by-one", EMPTY, "file.length -= 1", NULL, MEMFS_ECORRUPT, "the image is truncated, or bytes follow its", NO_OPEN, MEMFS_ECORRUPT, NO_OPEN},
    {6, "cut-by-a-trailer", ONE, "file.length -= 64", NULL, MEMFS_ECORRUPT, "the image is truncated, or bytes follow its", NO_OPEN, MEMFS_ECORRUPT, NO_OPEN},
    {6, "cut-by-a-trailer", GENERATIONS, "file.length -= 64", NULL, MEMFS_ECORRUPT, "the image is truncated, or bytes follow its", NO_OPEN, MEMFS_ECORRUPT, NO_OPEN},
    {6, "cut-to-nothing", ONE, "file.length = 0", NULL, MEMFS_ENOTIMAGE, "it does not begin with the magic bytes 89", NO_OPEN, MEMFS_ENOTIMAGE, NO_OPEN},
    {6, "cut-to-a-byte", ONE, "file.length = 1", NULL, MEMFS_ENOTIMAGE, "it does not begin with the magic bytes 89", NO_OPEN, MEMFS_ENOTIMAGE, NO_OPEN},
    {6, "cut-to-the-header", ONE, "file.length = 64", NULL, MEMFS_ECORRUPT, "64 bytes are fewer than any image has", NO_OPEN, MEMFS_ECORRUPT, NO_OPEN},
    {6, "cut-to-351", ONE, "file.length = 351", NULL, MEMFS_ECORRUPT, "351 bytes are fewer than any image has", NO_OPEN, MEMFS_ECORRUPT, NO_OPEN},
    {6, "cut-to-half", EVERYTHING, "file.length = 70000", NULL, MEMFS_ECORRUPT, "the image is truncated, or bytes follow its", NO_OPEN, MEMFS_ECORRUPT, NO_OPEN},
    {6, "trailer-says-earlier", EVERYTHING, "trailer.offset -= 1", NULL, MEMFS_ECORRUPT, "it says that it stands elsewhere", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {6, "trailer-says-earlier", ONE, "trailer.offset -= 1", NULL, MEMFS_ECORRUPT, "it says that it stands elsewhere", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {6, "trailer-says-later", ONE, "trailer.offset += 64", NULL, MEMFS_ECORRUPT, "it says that it stands elsewhere", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {6, "trailer-says-0", ONE, "trailer.offset = 0", NULL, MEMFS_ECORRUPT, "it says that it stands elsewhere", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {6, "root-later", ONE, "trailer.root_offset += 1", NULL, MEMFS_ECORRUPT, "the root does not end where it begins", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},

    /* 7 bytes after the end, bytes before the start */
    {7, "one-after", EVERYTHING, "file.length += 1", NULL, MEMFS_ECORRUPT, "the image is truncated, or bytes follow its", NO_OPEN, MEMFS_ECORRUPT, NO_OPEN},
    {7, "one-after", EMPTY, "file.length += 1", NULL, MEMFS_ECORRUPT, "the image is truncated, or bytes follow its", NO_OPEN, MEMFS_ECORRUPT, NO_OPEN},
    {7, "a-trailer-of-zeros-after", ONE, "file.length += 64", NULL, MEMFS_ECORRUPT, "the image is truncated, or bytes follow its", NO_OPEN, MEMFS_ECORRUPT, NO_OPEN},
    {7, "a-trailer-of-zeros-after", GENERATIONS, "file.length += 64", NULL, MEMFS_ECORRUPT, "the image is truncated, or bytes follow its", NO_OPEN, MEMFS_ECORRUPT, NO_OPEN},
    {7, "a-page-after", ONE, "file.length += 4096", NULL, MEMFS_ECORRUPT, "the image is truncated, or bytes follow its", NO_OPEN, MEMFS_ECORRUPT, NO_OPEN},
    {7, "one-before", EVERYTHING, "file.before = 1", NULL, MEMFS_ENOTIMAGE, "it does not begin with the magic bytes 89", NO_OPEN, MEMFS_ENOTIMAGE, NO_OPEN},
    {7, "one-before", ONE, "file.before = 1", NULL, MEMFS_ENOTIMAGE, "it does not begin with the magic bytes 89", NO_OPEN, MEMFS_ENOTIMAGE, NO_OPEN},
    {7, "a-sector-before", ONE, "file.before = 512", NULL, MEMFS_ENOTIMAGE, "it does not begin with the magic bytes 89", NO_OPEN, MEMFS_ENOTIMAGE, NO_OPEN},
    {7, "a-megabyte-before", ONE, "file.before = 1048576", NULL, MEMFS_ENOTIMAGE, "it does not begin with the magic bytes 89", NO_OPEN, MEMFS_ENOTIMAGE, NO_OPEN},

    /* 8 block size */
    {8, "block-size-0", EVERYTHING, "header.block_size = 0", NULL, MEMFS_ECORRUPT, "block size 0 is not a power of two from 64", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {8, "block-size-0", EMPTY, "header.block_size = 0", NULL, MEMFS_ECORRUPT, "block size 0 is not a power of two from 64", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {8, "block-size-1", ONE, "header.block_size = 1", NULL, MEMFS_ECORRUPT, "block size 1 is not a power of two from 64", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {8, "block-size-odd", ONE, "header.block_size = 65537", NULL, MEMFS_ECORRUPT, "block size", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {8, "block-size-three-parts", ONE, "header.block_size = 196608", NULL, MEMFS_ECORRUPT, "block size", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {8, "block-size-half-of-least", ONE, "header.block_size = 32768", NULL, MEMFS_ECORRUPT, "block size", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {8, "block-size-2-25", ONE, "header.block_size = 2^25", NULL, MEMFS_ECORRUPT, "block size", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {8, "block-size-2-31", EVERYTHING, "header.block_size = 2^31", NULL, MEMFS_ECORRUPT, "block size", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {8, "block-size-2-24", EVERYTHING, "header.block_size = 2^24", NULL, 0, "no block is larger", ALL_WELL, MEMFS_ECHECKSUM, NO_OPEN},

    /* 9 reserved not zero */
    {9, "header-reserved", EVERYTHING, "header.reserved = 1", NULL, MEMFS_ECORRUPT, "a reserved byte is not zero", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {9, "header-reserved", EMPTY, "header.reserved = 1", NULL, MEMFS_ECORRUPT, "a reserved byte is not zero", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {9, "header-reserved-first", ONE, "header.reserved_first = 1", NULL, MEMFS_ECORRUPT, "a reserved byte is not zero", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {9, "header-reserved-last", ONE, "header.reserved_last = 128", NULL, MEMFS_ECORRUPT, "a reserved byte is not zero", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {9, "root-reserved", EVERYTHING, "root.reserved = 1", NULL, MEMFS_ECORRUPT, "a reserved byte is not zero", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {9, "root-reserved", ONE, "root.reserved = 1", NULL, MEMFS_ECORRUPT, "a reserved byte is not zero", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {9, "table-reserved", ONE, "table[nodes].reserved = 1", NULL, MEMFS_ECORRUPT, "a reserved byte is not zero", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {9, "table-reserved-last", EMPTY, "table[blocks].reserved = 256", NULL, MEMFS_ECORRUPT, "a reserved byte is not zero", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {9, "ref-reserved", EVERYTHING, "top[nodes:0].reserved = 1", NULL, MEMFS_ECORRUPT, "a reserved byte is not zero", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {9, "ref-reserved", ONE, "top[nodes:0].reserved = 1", NULL, MEMFS_ECORRUPT, "a reserved byte is not zero", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},

    /* 10 chain of generations */
    {10, "previous-in-the-first", ONE, "trailer.previous = 300", NULL, MEMFS_ECORRUPT, "only the first generation has none before it", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {10, "previous-in-the-first", EVERYTHING, "trailer.previous = 300", NULL, MEMFS_ECORRUPT, "only the first generation has none before it", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {10, "second-without-one-before", ONE, "trailer.generation = 2", NULL, MEMFS_ECORRUPT, "only the first generation has none before it", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {10, "generation-0", ONE, "trailer.generation = 0", NULL, MEMFS_ECORRUPT, "there is no generation 0", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {10, "generation-0", GENERATIONS, "trailer.generation = 0", NULL, MEMFS_ECORRUPT, "there is no generation 0", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {10, "previous-is-itself", GENERATIONS, "trailer.previous += 505; earlier[0].trailer += 505", NULL, MEMFS_ECORRUPT, "the generation before it does not end", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {10, "previous-goes-forward", GENERATIONS, "trailer.previous += 2000", NULL, MEMFS_ECORRUPT, "the generation before it does not end", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {10, "previous-negative", GENERATIONS, "trailer.previous ^= 2^63", NULL, MEMFS_ECORRUPT, "the generation before it does not end", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {10, "previous-in-the-root", GENERATIONS, "trailer.previous += 10; earlier[0].trailer += 10", NULL, MEMFS_ECORRUPT, "the generation before it does not end", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {10, "previous-too-early", GENERATIONS, "trailer.previous = 287; earlier[0].trailer = 287", NULL, MEMFS_ECORRUPT, "the generation before it does not end", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {10, "previous-no-trailer", GENERATIONS, "trailer.previous -= 10; earlier[0].trailer -= 10", NULL, MEMFS_ECORRUPT, "no trailer here", VERIFY, MEMFS_ECHECKSUM, NO_OPEN},
    {10, "previous-in-the-header", GENERATIONS, "trailer.previous = 0; earlier[0].trailer = 0", NULL, MEMFS_ECORRUPT, "only the first generation has none before it", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {10, "previous-is-the-first", GENERATIONS, "trailer.previous = 1; earlier[0].trailer = 1", NULL, MEMFS_ECORRUPT, "the generation before it does not end", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {10, "earlier-loops", GENERATIONS, "trailer[2].previous += 481", NULL, MEMFS_ECORRUPT, "the generation before it does not end", VERIFY, MEMFS_ECHECKSUM, VERIFY},
    {10, "earlier-without-one-before", GENERATIONS, "trailer[2].previous = 0", NULL, MEMFS_ECORRUPT, "only the first generation has none before it", VERIFY, MEMFS_ECHECKSUM, VERIFY},
    {10, "earlier-generation-5", GENERATIONS, "trailer[2].generation = 5", NULL, MEMFS_ECORRUPT, "it is not of generation 2, or of another", VERIFY, MEMFS_ECHECKSUM, VERIFY},
    {10, "earlier-root-changed", GENERATIONS, "root[2].content_bytes += 1", NULL, 0, "files' sums are verified of the newest generation only", ALL_WELL, MEMFS_ECHECKSUM, VERIFY},
    {10, "earlier-root-time", GENERATIONS, "root[1].time += 1", NULL, MEMFS_ECORRUPT, "what it tells of generation 1 is not so", VERIFY, MEMFS_ECHECKSUM, VERIFY},
    {10, "block-in-an-earlier-trailer", GENERATIONS, NULL, edit_block_in_trailer, MEMFS_ECORRUPT, "parts of the image overlap", VERIFY_DIFF, MEMFS_ECHECKSUM, NO_OPEN},
    {10, "list-not-counting-down", GENERATIONS, "earlier[0].generation = 7", NULL, MEMFS_ECORRUPT, "its generations do not count down", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {10, "list-names-another", GENERATIONS, "earlier[0].trailer -= 1", NULL, MEMFS_ECORRUPT, "its generations' trailers are not in order", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {10, "list-goes-forward", GENERATIONS, "earlier[1].trailer += 5000", NULL, MEMFS_ECORRUPT, "its generations' trailers are not in order", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {10, "list-names-one-twice", GENERATIONS, "earlier[1].trailer += 481", NULL, MEMFS_ECORRUPT, "its generations' trailers are not in order", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {10, "list-lies-about-time", GENERATIONS, "earlier[0].time += 1", NULL, MEMFS_ECORRUPT, "what it tells of generation 2 is not so", VERIFY, MEMFS_ECHECKSUM, NO_OPEN},
    {10, "list-time-neither", GENERATIONS, "earlier[0].has_time = 0", NULL, MEMFS_ECORRUPT, "an earlier generation's time is neither", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {10, "list-longer", GENERATIONS, "root.generations += 1", NULL, MEMFS_ECORRUPT, "it does not tell of all recent generations", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {10, "list-in-the-first", ONE, "root.generations = 1", NULL, MEMFS_ECORRUPT, "it does not tell of all recent generations", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {10, "generation-skipped", GENERATIONS, "trailer.generation += 1", NULL, MEMFS_ECORRUPT, "it does not tell of all recent generations", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {10, "generation-2-32", GENERATIONS, "trailer.generation = 2^32-1", NULL, MEMFS_ECORRUPT, "it does not tell of all recent generations", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},

    /* Root and tables: 11 offset and length wrap */
    {11, "nodes-offset-wraps", EVERYTHING, "top[nodes:0].offset = -3", NULL, MEMFS_ECORRUPT, "it does not end before the root", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {11, "nodes-offset-wraps", EMPTY, "top[nodes:0].offset = -3", NULL, MEMFS_ECORRUPT, "it does not end before the root", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {11, "entries-offset-wraps-exactly", EVERYTHING, "top[entries:0].offset = 0-64", NULL, MEMFS_ECORRUPT, "it does not end before the root", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {11, "blocks-offset-wraps", EVERYTHING, "top[blocks:0].offset = -1", NULL, MEMFS_ECORRUPT, "it does not end before the root", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {11, "blocks-offset-wraps", ONE, "top[blocks:0].offset = -1", NULL, MEMFS_ECORRUPT, "it does not end before the root", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {11, "deep-ref-wraps", BLOCKS, "ref[blocks:0:3].offset = -50", NULL, MEMFS_ECORRUPT, "it does not end before the root", NO_CONTENTS, MEMFS_ECHECKSUM, NO_CONTENTS},
    {11, "ref-chunk-wraps", BLOCKS, "top[blocks:0].offset = -100", NULL, MEMFS_ECORRUPT, "it does not end before the root", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {11, "root-offset-wraps", EVERYTHING, "trailer.root_offset = -100", NULL, MEMFS_ECORRUPT, "the root does not end where it begins", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {11, "root-offset-wraps", EMPTY, "trailer.root_offset = -100", NULL, MEMFS_ECORRUPT, "the root does not end where it begins", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {11, "stored-wraps", ONE, "top[nodes:0].stored = 2^32-1", NULL, MEMFS_ECORRUPT, "it is stored raw, but its stored and raw", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {11, "extent-wraps", EVERYTHING, "extent[sparse:0].offset = 0-100", NULL, MEMFS_ECORRUPT, "is empty, or beyond the largest file", NO_NODE, MEMFS_ECHECKSUM, NO_NODES},
    {11, "extent-wraps-in-the-file", SPARSE, "extent[sparse:2].offset = 2^63-2", NULL, MEMFS_ECORRUPT, "is empty, or beyond the largest file", NO_NODES, MEMFS_ECHECKSUM, NO_NODES},
    {11, "target-wraps", EVERYTHING, "node[a/b/soft].target = 0-4", NULL, MEMFS_ECORRUPT, "its target is outside of the heap", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},

    /* 12 past the end */
    {12, "nodes-past-the-end", EVERYTHING, "top[nodes:0].offset += 2^30", NULL, MEMFS_ECORRUPT, "it does not end before the root", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {12, "nodes-past-the-end", EMPTY, "top[nodes:0].offset += 2^30", NULL, MEMFS_ECORRUPT, "it does not end before the root", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {12, "entries-past-by-one", ONE, "top[entries:0].offset += 49", NULL, MEMFS_ECORRUPT, "it does not end before the root", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {12, "block-past-the-end", EVERYTHING, "top[blocks:0].offset += 2^40", NULL, MEMFS_ECORRUPT, "it does not end before the root", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {12, "block-past-the-end", ONE, "top[blocks:0].offset += 2^40", NULL, MEMFS_ECORRUPT, "it does not end before the root", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {12, "deep-ref-past-the-end", BLOCKS, "ref[blocks:0:39].offset += 2^20", NULL, MEMFS_ECORRUPT, "it does not end before the root", NO_CONTENTS, MEMFS_ECHECKSUM, NO_CONTENTS},
    {12, "deep-ref-into-the-root", BLOCKS, "ref[blocks:0:39].offset += 8000", NULL, MEMFS_ECORRUPT, "it does not end before the root", NO_CONTENTS, MEMFS_ECHECKSUM, NO_CONTENTS},
    {12, "root-past-the-end", ONE, "trailer.root_offset += 2^20", NULL, MEMFS_ECORRUPT, "the root does not end where it begins", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {12, "run-past-the-table", EVERYTHING, "node[dev].entries += 1", NULL, MEMFS_ECORRUPT, "its entries are beyond the end of the", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {12, "run-far-past", NAMES, "node[d3].run += 2^31", NULL, MEMFS_ECORRUPT, "its entries are beyond the end of the", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {12, "extents-past-the-table", SPARSE, "node[sparse].extents += 1", NULL, MEMFS_ECORRUPT, "its extents are beyond the end of the", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {12, "attributes-past-the-table", ATTRIBUTES, "node[f3].xattrs = xattrs+1", NULL, MEMFS_ECORRUPT, "its attributes are beyond the end of the", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},

    /* 13 sign bit set */
    {13, "offset-signed", EVERYTHING, "top[nodes:0].offset ^= 2^63", NULL, MEMFS_ECORRUPT, "it does not end before the root", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {13, "offset-signed", EMPTY, "top[nodes:0].offset ^= 2^63", NULL, MEMFS_ECORRUPT, "it does not end before the root", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {13, "deep-offset-signed", BLOCKS, "ref[blocks:0:0].offset ^= 2^63", NULL, MEMFS_ECORRUPT, "it does not end before the root", NO_CONTENTS, MEMFS_ECHECKSUM, NO_CONTENTS},
    {13, "stored-signed", ONE, "top[nodes:0].stored ^= 2^31", NULL, MEMFS_ECORRUPT, "it is stored raw, but its stored and raw", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {13, "raw-signed", ONE, "top[nodes:0].raw ^= 2^31", NULL, MEMFS_ECORRUPT, "its raw length is not what its records need", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {13, "deep-raw-signed", BLOCKS, "ref[blocks:0:7].raw ^= 2^31", NULL, MEMFS_ECORRUPT, "its totals of bytes are impossible", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {13, "count-signed", EVERYTHING, "table[nodes].count ^= 2^63", NULL, MEMFS_ECORRUPT, "it has too many records", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {13, "count-signed", EMPTY, "table[nodes].count ^= 2^63", NULL, MEMFS_ECORRUPT, "it has too many records", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {13, "count-of-blobs-signed", EVERYTHING, "table[blobs].count ^= 2^63", NULL, MEMFS_ECORRUPT, "it has too many records", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {13, "content-bytes-signed", ONE, "root.content_bytes ^= 2^63", NULL, MEMFS_ECORRUPT, "files have", VERIFY, MEMFS_ECHECKSUM, NO_OPEN},
    {13, "extent-offset-signed", SPARSE, "extent[sparse:1].offset ^= 2^63", NULL, MEMFS_ECORRUPT, "is empty, or beyond the largest file", NO_NODES, MEMFS_ECHECKSUM, NO_NODES},
    {13, "extent-length-signed", SPARSE, "extent[sparse:1].length ^= 2^31", NULL, MEMFS_ECORRUPT, "runs to", NO_NODES, MEMFS_ECHECKSUM, NO_NODES},
    {13, "run-signed", EVERYTHING, "node[a].run ^= 2^31", NULL, MEMFS_ECORRUPT, "its entries are beyond the end of the", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {13, "heap-offset-signed", EVERYTHING, "xattr[#0].name ^= 2^63", NULL, MEMFS_ECORRUPT, "its name is outside of the heap", NO_ATTRIBUTES, MEMFS_ECHECKSUM, NO_ATTRIBUTES},

    /* 14 blocks that overlap each other */
    {14, "digests-in-extents", EVERYTHING, "ref[digests:0:0].offset -= 8", NULL, MEMFS_ECORRUPT, "8 bytes belong to two parts of the image", VERIFY, MEMFS_ECHECKSUM, NO_OPEN},
    {14, "entries-in-nodes", ONE, "ref[entries:0:0].offset -= 1", NULL, MEMFS_ECORRUPT, "1 bytes belong to two parts of the image", NO_NAMES, MEMFS_ECHECKSUM, NO_OPEN},
    {14, "blocks-of-equal-bytes", BLOCKS, "ref[blocks:0:1].offset -= 100", edit_blocks_equal, MEMFS_ECORRUPT, "100 bytes belong to two parts of the image", VERIFY_DIFF, MEMFS_ECHECKSUM, NO_CONTENTS},
    {14, "block-in-the-one-before", BLOCKS, "ref[blocks:0:2].offset -= 50", NULL, MEMFS_ECORRUPT, "50 bytes belong to two parts of the image", VERIFY_DIFF, MEMFS_ECHECKSUM, NO_CONTENTS},
    {14, "block-twice", BLOCKS, "ref[blocks:0:5].offset -= 100", NULL, MEMFS_ECORRUPT, "100 bytes belong to two parts of the image", VERIFY_DIFF, MEMFS_ECHECKSUM, NO_CONTENTS},
    {14, "ref-chunk-in-a-block", BLOCKS, "ref[blocks:1:0].offset = 64", NULL, MEMFS_ECORRUPT, "a column's tag is unknown", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},

    /* 15 or the header */
    {15, "nodes-in-the-header", EVERYTHING, "top[nodes:0].offset = 10", NULL, MEMFS_ECORRUPT, "it overlaps the header", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {15, "nodes-in-the-header", EMPTY, "top[nodes:0].offset = 10", NULL, MEMFS_ECORRUPT, "it overlaps the header", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {15, "nodes-at-0", ONE, "top[nodes:0].offset = 0", NULL, MEMFS_ECORRUPT, "it overlaps the header", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {15, "block-at-63", ONE, "top[blocks:0].offset = 63", NULL, MEMFS_ECORRUPT, "it overlaps the header", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {15, "deep-ref-in-the-header", BLOCKS, "ref[blocks:0:0].offset = 32", NULL, MEMFS_ECORRUPT, "it overlaps the header", NO_CONTENTS, MEMFS_ECHECKSUM, NO_CONTENTS},
    {15, "deep-ref-at-0", BLOCKS, "ref[blocks:0:9].offset = 0", NULL, MEMFS_ECORRUPT, "it overlaps the header", NO_CONTENTS, MEMFS_ECHECKSUM, NO_CONTENTS},
    {15, "root-in-the-header", EMPTY, "trailer.root_offset = 0", NULL, MEMFS_ECORRUPT, "the root does not end where it begins", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},

    /* 16 count times size overflows */
    {16, "nodes-2-32", EVERYTHING, "table[nodes].count = 2^32", NULL, MEMFS_ECORRUPT, "it has too many records", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {16, "nodes-2-32", EMPTY, "table[nodes].count = 2^32", NULL, MEMFS_ECORRUPT, "it has too many records", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {16, "nodes-2-61", ONE, "table[nodes].count = 2^61", NULL, MEMFS_ECORRUPT, "it has too many records", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {16, "entries-2-58", ONE, "table[entries].count = 2^58+1", NULL, MEMFS_ECORRUPT, "it has too many records", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {16, "extents-2-63", ONE, "table[extents].count = 2^63", NULL, MEMFS_ECORRUPT, "it has too many records", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {16, "xattrs-2-64", ONE, "table[xattrs].count = -1", NULL, MEMFS_ECORRUPT, "it has too many records", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {16, "blobs-2-40", ONE, "table[blobs].count = 2^40+1", NULL, MEMFS_ECORRUPT, "it has too many records", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {16, "blobs-2-56", ONE, "table[blobs].count = 2^56", NULL, MEMFS_ECORRUPT, "it has too many records", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {16, "blocks-2-32", EVERYTHING, "table[blocks].count = 2^32", NULL, MEMFS_ECORRUPT, "it has too many records", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {16, "nodes-most", EMPTY, "table[nodes].count = 2^32-1", NULL, MEMFS_ECORRUPT, "it has more chunks than the image has bytes", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {16, "size-times-files", EVERYTHING, "node[a/b/large].size = 2^63-1", NULL, MEMFS_ECORRUPT, "files have", "0004311004004", MEMFS_ECHECKSUM, NO_NAMES},

    /* 17 count larger than content */
    {17, "nodes-one-more", EVERYTHING, "table[nodes].count += 1", NULL, MEMFS_ECORRUPT, "its raw length is not what its records need", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {17, "nodes-one-more", EMPTY, "table[nodes].count += 1", NULL, MEMFS_ECORRUPT, "its raw length is not what its records need", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {17, "entries-one-more", ONE, "table[entries].count += 1", NULL, MEMFS_ECORRUPT, "its raw length is not what its records need", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {17, "extents-one-more", ONE, "table[extents].count += 1", NULL, MEMFS_ECORRUPT, "its raw length is not what its records need", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {17, "xattrs-one-more", ATTRIBUTES, "table[xattrs].count += 1", NULL, MEMFS_ECORRUPT, "its raw length is not what its records need", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {17, "blobs-one-more", ATTRIBUTES, "table[blobs].count += 1", NULL, MEMFS_ECORRUPT, "its raw length is not what its records need", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {17, "digests-one-more", ONE, "table[digests].count += 1", NULL, MEMFS_ECORRUPT, "its raw length is not what its records need", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {17, "digests-fewer", ONE, "table[digests].count -= 1; chunk[digests:0].length -= 8", NULL, MEMFS_ECORRUPT, "it has not one digest a node", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {17, "digests-more", ONE, "table[digests].count += 1; chunk[digests:0].length += 8", NULL, MEMFS_ECORRUPT, "it has not one digest a node", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {17, "blocks-one-more", ONE, "table[blocks].count += 1", NULL, MEMFS_ECORRUPT, "its tree of refs has not the shape that its", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {17, "blocks-one-more", BLOCKS, "table[blocks].count += 1", NULL, MEMFS_ECORRUPT, "its raw length is not what its records need", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {17, "blocks-fewer", BLOCKS, "table[blocks].count -= 1", NULL, MEMFS_ECORRUPT, "its raw length is not what its records need", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {17, "nodes-fewer", NAMES, "table[nodes].count -= 1; table[digests].count -= 1", NULL, MEMFS_ECORRUPT, "its raw length is not what its records need", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {17, "entries-a-chunk-more", NAMES, "table[entries].count += 512", NULL, MEMFS_ECORRUPT, "its tree of refs has not the shape that its", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {17, "height-more", EVERYTHING, "table[nodes].height = 1", NULL, MEMFS_ECORRUPT, "its tree of refs has not the shape that its", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {17, "height-less", BLOCKS, "table[blocks].height = 0", NULL, MEMFS_ECORRUPT, "its tree of refs has not the shape that its", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {17, "top-refs-more", ONE, "table[nodes].refs = 2", NULL, MEMFS_ECORRUPT, "its tree of refs has not the shape that its", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {17, "top-refs-255", ONE, "table[blocks].refs = 255", NULL, MEMFS_ECORRUPT, "its tree of refs has not the shape that its", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},

    /* 18 length that ends inside a record */
    {18, "nodes-cut", EVERYTHING, "chunk[nodes:0].length -= 1", NULL, MEMFS_ECORRUPT, "its raw length is not what its records need", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {18, "nodes-cut", EMPTY, "chunk[nodes:0].length -= 1", NULL, MEMFS_ECORRUPT, "its raw length is not what its records need", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {18, "nodes-longer", ONE, "chunk[nodes:0].length += 1", NULL, MEMFS_ECORRUPT, "its raw length is not what its records need", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {18, "entries-cut-in-a-name", EVERYTHING, "chunk[entries:0].length -= 1", NULL, MEMFS_ECORRUPT, "the names are longer than their place", NO_NAMES, MEMFS_ECHECKSUM, NO_OPEN},
    {18, "entries-cut-in-a-name", ONE, "chunk[entries:0].length -= 1", NULL, MEMFS_ECORRUPT, "the names are longer than their place", NO_NAMES, MEMFS_ECHECKSUM, NO_OPEN},
    {18, "entries-longer", ONE, "chunk[entries:0].length += 1", NULL, MEMFS_ECORRUPT, "bytes are left over behind the records", NO_NAMES, MEMFS_ECHECKSUM, NO_OPEN},
    {18, "entries-cut-to-columns", ONE, "chunk[entries:0].length = 11", NULL, MEMFS_ECORRUPT, "its raw length is not what its records need", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {18, "extents-cut", ONE, "chunk[extents:0].length -= 4", NULL, MEMFS_ECORRUPT, "its raw length is not what its records need", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {18, "xattrs-cut", ATTRIBUTES, "chunk[xattrs:0].length -= 1", NULL, MEMFS_ECORRUPT, "its raw length is not what its records need", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {18, "digests-cut", EVERYTHING, "chunk[digests:0].length -= 8", NULL, MEMFS_ECORRUPT, "its raw length is not what its records need", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {18, "blobs-cut", ATTRIBUTES, "chunk[blobs:0].length -= 1", NULL, MEMFS_ECORRUPT, "its raw length is not what its records need", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {18, "name-length-more", EVERYTHING, "raw[entries:0:78].byte += 1", NULL, MEMFS_ECORRUPT, "the names are longer than their place", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {18, "name-length-more", ONE, "raw[entries:0:6].byte += 1", NULL, MEMFS_ECORRUPT, "the names are longer than their place", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {18, "name-length-less", EVERYTHING, "raw[entries:0:78].byte -= 1", NULL, MEMFS_ECORRUPT, "bytes are left over behind the records", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {18, "nodes-nothing", ONE, "chunk[nodes:0].length = 0", NULL, MEMFS_ECORRUPT, "its raw length is not what its records need", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},

    /* 19 heap string past its heap */
    {19, "target-past-the-heap", EVERYTHING, "node[a/b/soft].target = blobs", NULL, MEMFS_ECORRUPT, "its target is outside of the heap", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {19, "target-past-by-one", EVERYTHING, "node[a/b/soft].target = blobs-7", NULL, MEMFS_ECORRUPT, "its target is outside of the heap", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {19, "target-2-40", EVERYTHING, "node[a/b/soft].target = 2^40", NULL, MEMFS_ECORRUPT, "its target is outside of the heap", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {19, "target-longer-than-the-heap", EVERYTHING, "node[a/dangling].size = 4095", NULL, MEMFS_ECORRUPT, "its target is outside of the heap", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {19, "target-crosses-a-chunk", EVERYTHING, NULL, edit_target_crosses, MEMFS_ECORRUPT, "its target is outside of the heap", NO_NAMES, MEMFS_ECHECKSUM, NO_OPEN},
    {19, "attribute-name-past", ATTRIBUTES, "xattr[#0].name = blobs", NULL, MEMFS_ECORRUPT, "its name is outside of the heap", NO_ATTRIBUTES, MEMFS_ECHECKSUM, NO_ATTRIBUTES},
    {19, "attribute-name-past-by-one", ATTRIBUTES, "xattr[#0].name = blobs-1", NULL, MEMFS_ECORRUPT, "its name is outside of the heap", NO_ATTRIBUTES, MEMFS_ECHECKSUM, NO_ATTRIBUTES},
    {19, "attribute-value-past", ATTRIBUTES, "xattr[#2].value = blobs", NULL, MEMFS_ECORRUPT, "its value is outside of the heap", NO_ATTRIBUTES, MEMFS_ECHECKSUM, NO_ATTRIBUTES},
    {19, "attribute-value-past-by-one", ATTRIBUTES, "xattr[#2].value = blobs-1", NULL, MEMFS_ECORRUPT, "its value is outside of the heap", NO_ATTRIBUTES, MEMFS_ECHECKSUM, NO_ATTRIBUTES},
    {19, "attribute-value-long", ATTRIBUTES, "xattr[#1].value_length = 65536", NULL, MEMFS_ECORRUPT, "its value is outside of the heap", NO_ATTRIBUTES, MEMFS_ECHECKSUM, NO_ATTRIBUTES},
    {19, "heap-where-none-is", ONE, "node[hello].mode = 0120777; node[hello].size = 5", NULL, MEMFS_ECORRUPT, "its target is outside of the heap", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},

    /* 20 table that refers to itself */
    {20, "run-of-the-root", NAMES, NULL, edit_run_of_root, MEMFS_ECORRUPT, "its run at 0 belongs to another directory", "0331333333303", MEMFS_ECHECKSUM, NO_NAMES},
    {20, "run-of-its-parent", EVERYTHING, "node[a/b].run = 0; node[a/b].entries = 3", NULL, MEMFS_ECORRUPT, "its run at 0 belongs to another directory", "0331333333303", MEMFS_ECHECKSUM, NO_NAMES},
    {20, "refs-of-refs", BLOCKS, "ref[blocks:1:0].offset -= 200", NULL, MEMFS_ECORRUPT, "a column's tag is unknown", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},
    {20, "a-block-is-a-chunk-of-refs", BLOCKS, "ref[blocks:0:39].offset += 3000", NULL, MEMFS_ECORRUPT, "100 bytes belong to two parts of the image", "0000333003033", MEMFS_ECHECKSUM, NO_CONTENTS},
    {20, "root-as-its-own-nodes", EMPTY, "top[nodes:0].offset = 180", NULL, MEMFS_ECORRUPT, "it does not end before the root", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {20, "trailer-as-root", ONE, "trailer.root_offset = 400; trailer.root_length = 300", NULL, MEMFS_ECORRUPT, "the root does not end where it begins", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},

    /* 21 unsorted where sorted is promised */
    {21, "entries-unsorted", EVERYTHING, "entry[dev].name = \"AAA\"", NULL, MEMFS_ECORRUPT, "its name does not follow the one before it", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {21, "entries-unsorted-at-the-seam", NAMES, "entry[#512].name = \"name-000\"", NULL, MEMFS_ECORRUPT, "its name does not follow the one before it", NO_ENTRY, MEMFS_ECHECKSUM, NO_ENTRY},
    {21, "extents-unsorted", EVERYTHING, "extent[sparse:0].offset += 300000", NULL, MEMFS_ECORRUPT, "overlaps the one before it, or stands", NO_NODE, MEMFS_ECHECKSUM, NO_NODES},
    {21, "extents-descend", SPARSE, "extent[sparse:2].offset = 50000", NULL, MEMFS_ECORRUPT, "overlaps the one before it, or stands", NO_NODES, MEMFS_ECHECKSUM, NO_NODES},
    {21, "attributes-unsorted", ATTRIBUTES, "xattr[#1].text = \"user.zmpty\"", NULL, MEMFS_ECORRUPT, "its name does not follow the one before it", ATTRIBUTES_OF_ONE, MEMFS_ECHECKSUM, NO_ATTRIBUTES},
    {21, "generations-unsorted", GENERATIONS, "earlier[1].trailer = 2^20", NULL, MEMFS_ECORRUPT, "its generations' trailers are not in order", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},

    /* 22 gap between blocks */
    {22, "gap-behind-the-header", EVERYTHING, "gap.blocks = 1", NULL, MEMFS_ECORRUPT, "1 bytes belong to nothing", VERIFY, MEMFS_ECHECKSUM, NO_OPEN},
    {22, "gap-behind-the-header", EMPTY, "gap.blocks = 1", NULL, MEMFS_ECORRUPT, "1 bytes belong to nothing", EMPTY_VERIFY, MEMFS_ECHECKSUM, NO_OPEN},
    {22, "gap-behind-the-header", ONE, "gap.blocks = 1", NULL, MEMFS_ECORRUPT, "1 bytes belong to nothing", VERIFY, MEMFS_ECHECKSUM, NO_OPEN},
    {22, "gap-of-a-page", ONE, "gap.blocks = 4096", NULL, MEMFS_ECORRUPT, "4096 bytes belong to nothing", VERIFY, MEMFS_ECHECKSUM, NO_OPEN},
    {22, "gap-before-the-root", EVERYTHING, "gap.root = 1", NULL, MEMFS_ECORRUPT, "1 bytes belong to nothing", VERIFY, MEMFS_ECHECKSUM, NO_OPEN},
    {22, "gap-before-the-root", EMPTY, "gap.root = 1", NULL, MEMFS_ECORRUPT, "1 bytes belong to nothing", EMPTY_VERIFY, MEMFS_ECHECKSUM, NO_OPEN},
    {22, "gap-of-a-megabyte", ONE, "gap.root = 1048576", NULL, MEMFS_ECORRUPT, "1048576 bytes belong to nothing", VERIFY, MEMFS_ECHECKSUM, NO_OPEN},
    {22, "gap-behind-a-block", BLOCKS, "ref[blocks:0:40].stored -= 10; ref[blocks:0:40].raw -= 10", edit_block_unused, MEMFS_ECORRUPT, "10 bytes belong to nothing", VERIFY, MEMFS_ECHECKSUM, NO_OPEN},

    /* Nodes: 23 reserved index */
    {23, "node-0-in-use", EVERYTHING, "node[#0].mode = 0100644; node[#0].nlink = 1", NULL, MEMFS_ECORRUPT, "is reserved, but in use", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {23, "node-0-in-use", ONE, "node[#0].mode = 0100644; node[#0].nlink = 1", NULL, MEMFS_ECORRUPT, "is reserved, but in use", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {23, "node-0-has-a-time", EMPTY, "node[#0].mtime = 1", NULL, MEMFS_ECORRUPT, "is reserved, but in use", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {23, "node-0-has-attributes", ATTRIBUTES, "node[#0].xattrs = 1", NULL, MEMFS_ECORRUPT, "is reserved, but in use", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {23, "entry-of-node-0", EVERYTHING, "entry[#0].node = 0", NULL, MEMFS_ECORRUPT, "its node 0 does not exist", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {23, "entry-of-node-0", ONE, "entry[#0].node = 0", NULL, MEMFS_ECORRUPT, "its node 0 does not exist", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {23, "entry-of-the-root", EVERYTHING, "entry[a].node = 1", NULL, MEMFS_ECORRUPT, "its node 1 does not exist", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {23, "entry-of-the-root-below", EVERYTHING, "entry[a/empty].node = 1", NULL, MEMFS_ECORRUPT, "its node 1 does not exist", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {23, "parent-0", EVERYTHING, "node[a/b].parent = 0", NULL, MEMFS_ECORRUPT, "its parent 0 does not exist", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {23, "digest-of-node-0", ONE, "digest[#0].hash = 5", NULL, MEMFS_ECORRUPT, "it is no regular file, but has a digest", VERIFY, MEMFS_ECHECKSUM, VERIFY},

    /* 24 index too large */
    {24, "entry-names-beyond", EVERYTHING, "entry[#0].node = nodes", NULL, MEMFS_ECORRUPT, "its node 18 does not exist", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {24, "entry-names-beyond", ONE, "entry[#0].node = nodes", NULL, MEMFS_ECORRUPT, "its node 3 does not exist", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {24, "entry-names-2-32", ONE, "entry[#0].node = 2^32-1", NULL, MEMFS_ECORRUPT, "its node", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {24, "extent-block-beyond", EVERYTHING, "extent[#0].block = blocks", NULL, MEMFS_ECORRUPT, "its block 2 does not exist", NO_NODE, MEMFS_ECHECKSUM, NO_NODES},
    {24, "extent-block-beyond", ONE, "extent[#0].block = blocks", NULL, MEMFS_ECORRUPT, "its block 1 does not exist", NO_NODES, MEMFS_ECHECKSUM, NO_NODES},
    {24, "extent-block-2-32", SPARSE, "extent[sparse:0].block = 2^32-1", NULL, MEMFS_ECORRUPT, "its block", NO_NODES, MEMFS_ECHECKSUM, NO_NODES},
    {24, "parent-beyond", EVERYTHING, "node[a/b].parent = nodes", NULL, MEMFS_ECORRUPT, "its parent 18 does not exist", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {24, "parent-entry-beyond", EVERYTHING, "node[a/b].entry = entries", NULL, MEMFS_ECORRUPT, "its entry 19 does not exist", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {24, "run-at-the-end", NAMES, "node[d0].run = entries", NULL, MEMFS_ECORRUPT, "its entries are beyond the end of the", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {24, "extents-beyond", SPARSE, "node[sparse].extent = extents", NULL, MEMFS_ECORRUPT, "its extents are beyond the end of the", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {24, "attributes-2-32", ATTRIBUTES, "node[f0].xattrs = 2^32-1", NULL, MEMFS_ECORRUPT, "its attributes are beyond the end of the", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},

    /* 25 unknown type */
    {25, "node-type-3", EVERYTHING, "node[dev/pipe].mode = 0030644", NULL, MEMFS_ECORRUPT, "unknown type", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {25, "node-type-0", ONE, "node[hello].mode = 0644", NULL, MEMFS_ECORRUPT, "unknown type 644", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {25, "node-type-15", ONE, "node[hello].mode = 0170644", NULL, MEMFS_ECORRUPT, "unknown type", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {25, "node-type-13", EVERYTHING, "node[a/small].mode = 0150644", NULL, MEMFS_ECORRUPT, "unknown type", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {25, "root-type-3", EMPTY, "node[/].mode = 0030755", NULL, MEMFS_ECORRUPT, "the root is not a directory", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {25, "entry-type-3", EVERYTHING, "entry[#0].type = 3", NULL, MEMFS_ECORRUPT, "unknown type 3", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {25, "entry-type-3", ONE, "entry[#0].type = 3", NULL, MEMFS_ECORRUPT, "unknown type 3", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {25, "entry-type-0", ONE, "entry[hello].type = 0", NULL, MEMFS_ECORRUPT, "unknown type 0", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {25, "entry-type-15", ONE, "entry[hello].type = 15", NULL, MEMFS_ECORRUPT, "unknown type 15", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {25, "entry-type-200", ONE, "entry[hello].type = 200", NULL, MEMFS_ECORRUPT, "a value is beyond what its column may hold", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},

    /* 26 entry's type differs from the node's */
    {26, "file-called-pipe", EVERYTHING, "entry[#0].type = 1", NULL, MEMFS_ECORRUPT, "its type is 1, but node 2 has type 4", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {26, "file-called-pipe", ONE, "entry[#0].type = 1", NULL, MEMFS_ECORRUPT, "its type is 1, but node 2 has type 8", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {26, "file-called-directory", ONE, "entry[hello].type = 4", NULL, MEMFS_ECORRUPT, "its type is 4, but node 2 has type 8", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {26, "directory-called-file", EVERYTHING, "entry[a/b].type = 8", NULL, MEMFS_ECORRUPT, "its type is 8, but node 5 has type 4", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {26, "link-called-file", EVERYTHING, "entry[a/b/soft].type = 8", NULL, MEMFS_ECORRUPT, "its type is 8, but node 12 has type 10", NO_ENTRY, MEMFS_ECHECKSUM, NO_NAMES},
    {26, "file-called-link", EVERYTHING, "entry[a/small].type = 10", NULL, MEMFS_ECORRUPT, "its type is 10, but node 8 has type 8", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {26, "device-called-file", EVERYTHING, "entry[dev/disk].type = 8", NULL, MEMFS_ECORRUPT, "its type is 8, but node 15 has type 6", NO_ENTRY, MEMFS_ECHECKSUM, NO_NAMES},
    {26, "directory-is-a-file", EVERYTHING, "node[a/empty].mode = 0100644; node[a/empty].parent = 0; node[a/empty].entry = 0", NULL, MEMFS_ECORRUPT, "its type is 4, but node 7 has type 8", NO_ENTRY, MEMFS_ECHECKSUM, NO_NAMES},

    /* 27 size negative or huge */
    {27, "size-negative", EVERYTHING, "node[a/b/large].size = -1", NULL, MEMFS_ECORRUPT, "its size is negative", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {27, "size-minus-4096", ONE, "node[hello].size = -4096", NULL, MEMFS_ECORRUPT, "its size is negative", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {27, "size-2-63", SPARSE, "node[sparse].size = 2^63", NULL, MEMFS_ECORRUPT, "its size is negative", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {27, "size-2-63-less-1", SPARSE, "node[zeros].size = 2^63-1", NULL, MEMFS_ECORRUPT, "files have", "0004311004004", MEMFS_ECHECKSUM, NO_NAMES},
    {27, "size-of-a-pipe", EVERYTHING, "node[dev/pipe].size = 1", NULL, MEMFS_ECORRUPT, "unused fields are not zero", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {27, "size-of-a-device", EVERYTHING, "node[dev/null].size = 4096", NULL, MEMFS_ECORRUPT, "a device has a size", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {27, "size-of-a-link-negative", EVERYTHING, "node[a/dangling].size = -1", NULL, MEMFS_ECORRUPT, "its target has", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {27, "content-bytes-huge", ONE, "root.content_bytes = -1", NULL, MEMFS_ECORRUPT, "files have", VERIFY, MEMFS_ECHECKSUM, NO_OPEN},

    /* 28 size differs from the extents */
    {28, "size-smaller", EVERYTHING, "node[a/b/large].size -= 1", NULL, MEMFS_ECORRUPT, "runs to", NO_NODE, MEMFS_ECHECKSUM, NO_NAMES},
    {28, "size-larger", EVERYTHING, "node[a/b/large].size += 1", NULL, MEMFS_ECORRUPT, "files have", VERIFY_DIFF, MEMFS_ECHECKSUM, NO_NAMES},
    {28, "size-0-with-extents", ONE, "node[hello].size = 0", NULL, MEMFS_ECORRUPT, "it has more extents than bytes", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {28, "size-less-than-extents", SPARSE, "node[sparse].size = 2", NULL, MEMFS_ECORRUPT, "it has more extents than bytes", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {28, "size-of-an-extent-less", SPARSE, "node[sparse].size = 3", NULL, MEMFS_ECORRUPT, "whose size is 3", NO_NODES, MEMFS_ECHECKSUM, NO_NAMES},
    {28, "size-without-extents", ONE, "node[hello].extents = 0", NULL, MEMFS_ECORRUPT, "is no file's, the first of 1 such", VERIFY_DIFF, MEMFS_ECHECKSUM, NO_NAMES},
    {28, "size-a-page-more", SPARSE, "node[sparse].size += 4096", NULL, MEMFS_ECORRUPT, "files have", VERIFY_DIFF, MEMFS_ECHECKSUM, NO_NAMES},
    {28, "extent-shorter", ONE, "extent[hello:0].length -= 1", NULL, MEMFS_ECORRUPT, "files have", VERIFY_DIFF, MEMFS_ECHECKSUM, NO_NODES},
    {28, "data-bytes-lie", ONE, "root.data_bytes += 1", NULL, MEMFS_ECORRUPT, "files have", VERIFY, MEMFS_ECHECKSUM, NO_OPEN},
    {28, "content-bytes-lie", EVERYTHING, "root.content_bytes -= 1", NULL, MEMFS_ECORRUPT, "files have", VERIFY, MEMFS_ECHECKSUM, NO_OPEN},
    {28, "raw-bytes-lie", BLOCKS, "root.raw_bytes -= 1", NULL, MEMFS_ECORRUPT, "its totals of bytes are impossible", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {28, "stored-bytes-lie", BLOCKS, "root.stored_bytes -= 1", NULL, MEMFS_ECORRUPT, "its blocks have", VERIFY, MEMFS_ECHECKSUM, NO_OPEN},
    {28, "raw-bytes-impossible", BLOCKS, "root.raw_bytes = -1", NULL, MEMFS_ECORRUPT, "its totals of bytes are impossible", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {28, "stored-bytes-impossible", BLOCKS, "root.stored_bytes = 2^40", NULL, MEMFS_ECORRUPT, "its totals of bytes are impossible", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {28, "stored-bytes-beyond-the-root", ONE, "root.raw_bytes = 65536; root.stored_bytes = 65536", NULL, MEMFS_ECORRUPT, "its totals of bytes are impossible", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {28, "more-in-use-than-there-are", ONE, "root.regular = 2", NULL, MEMFS_ECORRUPT, "more nodes are in use than there are, or none", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},

    /* 29 link count lies */
    {29, "links-more", EVERYTHING, "node[a/small].nlink += 1", NULL, MEMFS_ECORRUPT, "its link count is 3, but it has 2 links", COUNTS, MEMFS_ECHECKSUM, NO_NAMES},
    {29, "links-fewer", EVERYTHING, "node[a/small].nlink -= 1", NULL, MEMFS_ECORRUPT, "its link count is 1, but it has 2 links", COUNTS_DIFF, MEMFS_ECHECKSUM, NO_NAMES},
    {29, "links-0", EVERYTHING, "node[#2].nlink = 0", NULL, MEMFS_ECORRUPT, "node 2: has no links", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {29, "links-0", ONE, "node[#2].nlink = 0", NULL, MEMFS_ECORRUPT, "node 2: has no links", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {29, "links-huge", ONE, "node[hello].nlink = 2^32-1", NULL, MEMFS_ECORRUPT, "its link count is", COUNTS, MEMFS_ECHECKSUM, NO_NAMES},
    {29, "links-of-a-directory", EVERYTHING, "node[a].nlink -= 1", NULL, MEMFS_ECORRUPT, "its link count is 3, but it has 4 links", COUNTS, MEMFS_ECHECKSUM, NO_NAMES},
    {29, "links-of-the-root", EMPTY, "node[/].nlink = 7", NULL, MEMFS_ECORRUPT, "its link count is 7, but it has 2 links", EMPTY_COUNTS, MEMFS_ECHECKSUM, NO_NAMES},
    {29, "regular-files-lie", EVERYTHING, "root.regular -= 1; root.fifos += 1", NULL, MEMFS_ECORRUPT, "it says that there are 4 regular files, but", VERIFY, MEMFS_ECHECKSUM, NO_OPEN},
    {29, "types-beyond", ONE, "root.characters = -1", NULL, MEMFS_ECORRUPT, "more nodes are in use than there are", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {29, "types-none", ONE, "root.regular = 0; root.directories = 0", NULL, MEMFS_ECORRUPT, "more nodes are in use than there are, or", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},

    /* 30 directory with two entries */
    {30, "directory-twice", EVERYTHING, "entry[a/small].node = node(a/b/c); entry[a/small].type = 4", NULL, MEMFS_ECORRUPT, "names the directory 9, to which another way", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {30, "directory-twice-in-one", EVERYTHING, "entry[a/small].node = node(a/b); entry[a/small].type = 4", NULL, MEMFS_ECORRUPT, "names the directory 5, to which another way", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {30, "directory-from-below", EVERYTHING, "entry[a/b/soft].node = node(dev); entry[a/b/soft].type = 4", NULL, MEMFS_ECORRUPT, "names the directory 3, to which another way", NO_ENTRY, MEMFS_ECHECKSUM, NO_NAMES},
    {30, "run-stolen", EVERYTHING, "node[a/empty].run = entry(dev/disk); node[a/empty].entries = 4", NULL, MEMFS_ECORRUPT, "its run at 15 belongs to another directory", NO_ENTRY, MEMFS_ECHECKSUM, NO_NAMES},
    {30, "runs-shared", NAMES, NULL, edit_runs_shared, MEMFS_ECORRUPT, "its run at 7 belongs to another directory", NO_ENTRY, MEMFS_ECHECKSUM, NO_NAMES},

    /* 31 orphan */
    {31, "node-without-entry", EVERYTHING, NULL, edit_node_unnamed, MEMFS_ECORRUPT, "no entry names it", VERIFY, MEMFS_ECHECKSUM, NO_OPEN},
    {31, "nodes-without-entries", EVERYTHING, NULL, edit_nodes_unnamed, MEMFS_ECORRUPT, "there are 21 besides the root directory", VERIFY, MEMFS_ECHECKSUM, NO_OPEN},
    {31, "entry-names-another", EVERYTHING, "entry[a/dangling].node = node(a/b/soft)", NULL, MEMFS_ECORRUPT, "its link count is 2, but it has 1 links", COUNTS_DIFF, MEMFS_ECHECKSUM, NO_NAMES},
    {31, "extent-of-no-file", EVERYTHING, NULL, edit_extent_unnamed, MEMFS_ECORRUPT, "is no file's, the first of 1 such", VERIFY, MEMFS_ECHECKSUM, NO_OPEN},
    {31, "attributes-of-no-node", EVERYTHING, NULL, edit_xattr_unnamed, MEMFS_ECORRUPT, "starts a set that no node has, the first of", VERIFY, MEMFS_ECHECKSUM, NO_OPEN},
    {31, "heap-of-nobody", EVERYTHING, NULL, edit_heap_unnamed, MEMFS_ECORRUPT, "nothing names the last 10 bytes", VERIFY, MEMFS_ECHECKSUM, NO_OPEN},
    {31, "block-of-no-file", BLOCKS, NULL, edit_block_unused, 0, "bytes of blocks need not be in a file", ALL_WELL, MEMFS_ECHECKSUM, NO_OPEN},
    {31, "entries-of-no-directory", NAMES, "node[d6].run = 0; node[d6].entries = 0", NULL, MEMFS_ECORRUPT, "starts a run that is no directory's", VERIFY_DIFF, MEMFS_ECHECKSUM, NO_NAMES},

    /* 32 root missing or not a directory */
    {32, "root-is-a-file", EVERYTHING, "node[/].mode = 0100644", NULL, MEMFS_ECORRUPT, "the root is not a directory", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {32, "root-is-a-file", EMPTY, "node[/].mode = 0100644", NULL, MEMFS_ECORRUPT, "the root is not a directory", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {32, "root-is-a-link", ONE, "node[/].mode = 0120777", NULL, MEMFS_ECORRUPT, "the root is not a directory", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {32, "root-is-nothing", EMPTY, "node[/].mode = 0; node[/].nlink = 0", NULL, MEMFS_ECORRUPT, "node 1: has no links", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {32, "no-nodes", EVERYTHING, NULL, edit_without_nodes, MEMFS_ECORRUPT, "it has no root directory", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {32, "root-has-a-parent", EVERYTHING, "node[/].parent = node(a)", NULL, MEMFS_ECORRUPT, "the root has a parent", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {32, "root-has-an-entry", EVERYTHING, "node[/].entry = 3", NULL, MEMFS_ECORRUPT, "the root has a parent", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {32, "node-count-1", EMPTY, "table[nodes].count = 1; table[digests].count = 1", NULL, MEMFS_ECORRUPT, "its raw length is not what its records need", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},

    /* 33 extreme times and ids */
    {33, "time-latest", ONE, "node[hello].mtime = 2^63-1", NULL, 0, "any time will do", DIFFERS, MEMFS_ECHECKSUM, NO_NAMES},
    {33, "time-earliest", ONE, "node[hello].mtime = 2^63", NULL, 0, "any time will do", DIFFERS, MEMFS_ECHECKSUM, NO_NAMES},
    {33, "time-just-before-1970", EVERYTHING, "node[a/dangling].mtime = -1", NULL, 0, "any time will do", DIFFERS, MEMFS_ECHECKSUM, NO_NAMES},
    {33, "owner-2-32", EVERYTHING, "node[a].uid = 2^32-1; node[a].gid = 2^32-1", NULL, 0, "any owner will do", DIFFERS, MEMFS_ECHECKSUM, NO_NAMES},
    {33, "time-of-writing-2", ONE, "root.has_time = 2", NULL, MEMFS_ECORRUPT, "its time is neither there nor not", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {33, "time-of-writing-without", EMPTY, "root.time = 1", NULL, MEMFS_ECORRUPT, "its time is neither there nor not", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {33, "time-of-writing-earliest", ONE, "root.time = 2^63", NULL, 0, "any time will do", ALL_WELL, MEMFS_ECHECKSUM, NO_OPEN},

    /* Directories: 34 its own parent, or grandparent */
    {34, "own-parent", EVERYTHING, "node[a/b].parent = node(a/b)", NULL, MEMFS_ECORRUPT, "is not one of its parent", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {34, "own-grandparent", EVERYTHING, "entry[a/b/c/none].node = node(a); entry[a/b/c/none].type = 4", NULL, MEMFS_ECORRUPT, "names the directory 2, to which another way", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {34, "own-grandparent-both-ways", EVERYTHING, NULL, edit_ring, MEMFS_ECORRUPT, "names the directory 5, to which another way", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {34, "in-itself", EVERYTHING, "entry[a/b/c/none].node = node(a/b/c); entry[a/b/c/none].type = 4", NULL, MEMFS_ECORRUPT, "names the directory 9, to which another way", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {34, "in-itself-both-ways", EVERYTHING, "entry[a/b/c/none].node = node(a/b/c); entry[a/b/c/none].type = 4; node[a/b/c].parent = node(a/b/c); node[a/b/c].entry = entry(a/b/c/none)", NULL, MEMFS_ECORRUPT, "names the directory 9, to which another way", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},

    /* 35 long cycle */
    {35, "cycle-of-two", EVERYTHING, NULL, edit_cycle, MEMFS_ECORRUPT, "this directory is below itself", COUNTS_DIFF, MEMFS_ECHECKSUM, NO_NAMES},
    {35, "cycle-of-six", NAMES, NULL, edit_ring_of_six, MEMFS_ECORRUPT, "names the directory 7, to which another way", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {35, "cycle-of-thousands", EMPTY, NULL, edit_deep_lying, MEMFS_ECORRUPT, "its run at 0 belongs to another directory", "0441334444.04", MEMFS_ECHECKSUM, NO_OPEN},
    {35, "cycle-of-thousands-apart", EMPTY, NULL, edit_deep_apart, MEMFS_ECORRUPT, "this directory is below itself", EMPTY_VERIFY, MEMFS_ECHECKSUM, NO_OPEN},

    /* 36 wrong parent */
    {36, "parent-another", EVERYTHING, "node[a/b].parent = node(dev)", NULL, MEMFS_ECORRUPT, "is not one of its parent", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {36, "parent-a-file", EVERYTHING, "node[a/b].parent = node(a/small)", NULL, MEMFS_ECORRUPT, "its parent 8 is not a directory", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {36, "parent-a-device", EVERYTHING, "node[a/b].parent = node(dev/null); node[dev/null].minor = -1; digest[a/b/large].hash ^= 1", NULL, MEMFS_ECORRUPT, "its link count is 4, but it has 3 links", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {36, "parent-a-child", EVERYTHING, "node[a/b].parent = node(a/b/c)", NULL, MEMFS_ECORRUPT, "is not one of its parent", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {36, "parent-entry-another", EVERYTHING, "node[a/b].entry = entry(a/empty)", NULL, MEMFS_ECORRUPT, "its entry 6 names node 7", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {36, "parent-entry-of-a-file", NAMES, "node[d3].entry = entry(d3/name-003)", NULL, MEMFS_ECORRUPT, "its entry 265 names node 267", NO_ENTRY, MEMFS_ECHECKSUM, NO_NAMES},
    {36, "parent-the-root", EVERYTHING, "node[a/b/c].parent = 1", NULL, MEMFS_ECORRUPT, "is not one of its parent", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},

    /* 37 duplicate name */
    {37, "name-twice", EVERYTHING, "entry[a/dangling2].name = \"dangling\"", NULL, MEMFS_ECORRUPT, "its name does not follow the one before it", NO_NAMES, MEMFS_ECHECKSUM, NO_OPEN},
    {37, "name-twice-in-the-root", NAMES, "entry[d1].name = \"d0\"", NULL, MEMFS_ECORRUPT, "its name does not follow the one before it", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {37, "name-twice-of-files", NAMES, "entry[d2/name-009].name = \"name-002\"", NULL, MEMFS_ECORRUPT, "its name does not follow the one before it", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {37, "name-twice-at-the-seam-of-chunks", NAMES, NULL, edit_seam_twice, MEMFS_ECORRUPT, "its name does not follow the one before it", NO_ENTRY, MEMFS_ECHECKSUM, NO_ENTRY},

    /* 38 unsorted names */
    {38, "names-exchanged", NAMES, "entry[d0].name = \"d1\"; entry[d1].name = \"d0\"", NULL, MEMFS_ECORRUPT, "its name does not follow the one before it", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {38, "last-name-first", EVERYTHING, "entry[sparse].name = \"aa\"", NULL, MEMFS_ECORRUPT, "its name does not follow the one before it", NO_NAMES, MEMFS_ECHECKSUM, NO_OPEN},
    {38, "shorter-behind-longer", NAMES, "entry[d1/name-008].name = \"name-\"", NULL, MEMFS_ECORRUPT, "its name does not follow the one before it", NO_NAMES, MEMFS_ECHECKSUM, NO_OPEN},
    {38, "upper-case-behind", NAMES, "entry[d4/name-011].name = \"NAME\"", NULL, MEMFS_ECORRUPT, "its name does not follow the one before it", NO_NAMES, MEMFS_ECHECKSUM, NO_OPEN},

    /* 39 empty name */
    {39, "name-empty", EVERYTHING, "entry[#0].length = 0", NULL, MEMFS_ECORRUPT, "its name is not a legal one", NO_NAMES, MEMFS_ECHECKSUM, NO_OPEN},
    {39, "name-empty", ONE, "entry[#0].length = 0", NULL, MEMFS_ECORRUPT, "its raw length is not what its records need", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {39, "name-empty-last", NAMES, "entry[d6].length = 0", NULL, MEMFS_ECORRUPT, "its name is not a legal one", NO_NAMES, MEMFS_ECHECKSUM, NO_OPEN},
    {39, "name-empty-in-the-middle", EVERYTHING, "entry[a/dangling].length = 0; entry[a/dangling2].name = \"dangling2dangling\"", NULL, MEMFS_ECORRUPT, "its name is not a legal one", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},

    /* 40 dot and dots */
    {40, "name-dot", ONE, "entry[#0].name = \".\"", NULL, MEMFS_ECORRUPT, "its name is not a legal one", NO_NAMES, MEMFS_ECHECKSUM, NO_OPEN},
    {40, "name-dot", EVERYTHING, "entry[#0].name = \".\"", NULL, MEMFS_ECORRUPT, "its name is not a legal one", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {40, "name-dots", ONE, "entry[#0].name = \"..\"", NULL, MEMFS_ECORRUPT, "its name is not a legal one", NO_NAMES, MEMFS_ECHECKSUM, NO_OPEN},
    {40, "name-dots", EVERYTHING, "entry[#0].name = \"..\"", NULL, MEMFS_ECORRUPT, "its name is not a legal one", NO_NAMES, MEMFS_ECHECKSUM, NO_OPEN},
    {40, "name-dots-of-a-directory", NAMES, "entry[d0].name = \"..\"", NULL, MEMFS_ECORRUPT, "its name is not a legal one", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {40, "name-three-dots", ONE, "entry[hello].name = \"...\"", NULL, 0, "a legal name, escaped on a terminal", DIFFERS, MEMFS_ECHECKSUM, NO_OPEN},

    /* 41 slash */
    {41, "name-slash", ONE, "entry[#0].name = \"/\"", NULL, MEMFS_ECORRUPT, "its name is not a legal one", NO_NAMES, MEMFS_ECHECKSUM, NO_OPEN},
    {41, "name-slash", EVERYTHING, "entry[#0].name = \"/\"", NULL, MEMFS_ECORRUPT, "its name is not a legal one", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {41, "name-with-slash", ONE, "entry[hello].name = \"a/b\"", NULL, MEMFS_ECORRUPT, "its name is not a legal one", NO_NAMES, MEMFS_ECHECKSUM, NO_OPEN},
    {41, "name-absolute", ONE, "entry[hello].name = \"/etc/passwd\"", NULL, MEMFS_ECORRUPT, "its name is not a legal one", NO_NAMES, MEMFS_ECHECKSUM, NO_OPEN},
    {41, "name-up", ONE, "entry[hello].name = \"../outside/canary\"", NULL, MEMFS_ECORRUPT, "its name is not a legal one", NO_NAMES, MEMFS_ECHECKSUM, NO_OPEN},
    {41, "name-slash-last", ONE, "entry[hello].name = \"hello/\"", NULL, MEMFS_ECORRUPT, "its name is not a legal one", NO_NAMES, MEMFS_ECHECKSUM, NO_OPEN},

    /* 42 NUL */
    {42, "name-nul", ONE, "entry[#0].name = \"\\x00\"", NULL, MEMFS_ECORRUPT, "its name is not a legal one", NO_NAMES, MEMFS_ECHECKSUM, NO_OPEN},
    {42, "name-nul", EVERYTHING, "entry[#0].name = \"\\x00\"", NULL, MEMFS_ECORRUPT, "its name is not a legal one", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {42, "name-nul-in-the-middle", ONE, "entry[hello].name = \"a\\x00b\"", NULL, MEMFS_ECORRUPT, "its name is not a legal one", NO_NAMES, MEMFS_ECHECKSUM, NO_OPEN},
    {42, "name-nul-last", ONE, "entry[hello].name = \"hello\\x00\"", NULL, MEMFS_ECORRUPT, "its name is not a legal one", NO_NAMES, MEMFS_ECHECKSUM, NO_OPEN},
    {42, "name-dots-nul", ONE, "entry[hello].name = \"..\\x00x\"", NULL, MEMFS_ECORRUPT, "its name is not a legal one", NO_NAMES, MEMFS_ECHECKSUM, NO_OPEN},

    /* 43 longer than 255 */
    {43, "name-255", ONE, "entry[hello].name = \"x\" * 255", NULL, 0, "the longest name", DIFFERS, MEMFS_ECHECKSUM, NO_OPEN},
    {43, "name-says-255", ONE, "raw[entries:0:6].byte = 255", NULL, MEMFS_ECORRUPT, "the names are longer than their place", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {43, "name-says-255", EVERYTHING, "raw[entries:0:78].byte = 255", NULL, MEMFS_ECORRUPT, "the names are longer than their place", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {43, "name-says-more-than-is", NAMES, "raw[entries:0:2050].byte = 200", NULL, MEMFS_ECORRUPT, "the names are longer than their place", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},

    /* 44 control characters, invalid UTF-8: legal */
    {44, "name-escape", ONE, "entry[hello].name = \"\\x1b[31mred\\x1b[0m\"", NULL, 0, "a legal name, escaped on a terminal", DIFFERS, MEMFS_ECHECKSUM, NO_OPEN},
    {44, "name-newline", ONE, "entry[hello].name = \"a\\x0ab\"", NULL, 0, "a legal name, escaped on a terminal", DIFFERS, MEMFS_ECHECKSUM, NO_OPEN},
    {44, "name-no-utf-8", ONE, "entry[hello].name = \"\\xff\\xfe\\x80\"", NULL, 0, "a legal name, escaped on a terminal", DIFFERS, MEMFS_ECHECKSUM, NO_OPEN},
    {44, "name-overlong-slash", ONE, "entry[hello].name = \"a\\xc0\\xafb\"", NULL, 0, "a legal name, escaped on a terminal", DIFFERS, MEMFS_ECHECKSUM, NO_OPEN},
    {44, "name-right-to-left", ONE, "entry[hello].name = \"\\xe2\\x80\\xaegnp.exe\"", NULL, 0, "a legal name, escaped on a terminal", DIFFERS, MEMFS_ECHECKSUM, NO_OPEN},
    {44, "name-bell-and-delete", ONE, "entry[hello].name = \"\\x07\\x7f\\x01\"", NULL, 0, "a legal name, escaped on a terminal", DIFFERS, MEMFS_ECHECKSUM, NO_OPEN},
    {44, "name-option", ONE, "entry[hello].name = \"--help\"", NULL, 0, "a legal name, escaped on a terminal", DIFFERS, MEMFS_ECHECKSUM, NO_OPEN},
    {44, "name-backslash", ONE, "entry[hello].name = \"..\\\\canary\"", NULL, 0, "a legal name, escaped on a terminal", DIFFERS, MEMFS_ECHECKSUM, NO_OPEN},

    /* 45 a million levels deep */
    {45, "deep-1000", EMPTY, NULL, edit_deep_thousand, 0, "depth has no limit of the format, and this is within that of walks", "0001010000000", MEMFS_ECHECKSUM, NO_OPEN},
    {45, "deep", EMPTY, NULL, edit_deep, 0, "depth has no limit of the format; walks and unpack stop at their budget", "0441014444004", MEMFS_ECHECKSUM, NO_OPEN},
    {45, "deep-of-long-names", EMPTY, NULL, edit_deep_long, 0, "paths have no limit of the format, nor of unpack: it goes from directory to directory", "0001010000000", MEMFS_ECHECKSUM, NO_OPEN},

    /* 46 ten million entries */
    {46, "wide", EMPTY, NULL, edit_wide, 0, "names have no limit; each is a hard link", "0001010004004", MEMFS_ECHECKSUM, NO_OPEN},
    {46, "wide-lying", EMPTY, NULL, edit_wide_lying, MEMFS_ECORRUPT, "its link count is 1, but it has", "0001310003003", MEMFS_ECHECKSUM, NO_OPEN},
    {46, "ten-million-of-500", EMPTY, NULL, edit_ten_million, MEMFS_ECORRUPT, "its run at", "0331313334304", MEMFS_ECHECKSUM, NO_OPEN},
    {46, "entries-2-32", EVERYTHING, "node[a].entries = 2^32-1", NULL, MEMFS_ECORRUPT, "its entries are beyond the end of the", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {46, "entries-2-31", NAMES, "node[/].entries = 2^31", NULL, MEMFS_ECORRUPT, "its entries are beyond the end of the", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},

    /* 47 names and digests that collide */
    {47, "names-of-one-beginning", NAMES, NULL, edit_prefixes, 0, "names are compared whole", DIFFERS, MEMFS_ECHECKSUM, NO_OPEN},
    {47, "names-that-begin-the-next", NAMES, NULL, edit_name_chain, 0, "names are compared whole", DIFFERS, MEMFS_ECHECKSUM, NO_OPEN},
    {47, "names-of-the-same-words", NAMES, NULL, edit_same_words, 0, "names are compared whole", DIFFERS, MEMFS_ECHECKSUM, NO_OPEN},
    {47, "digests-all-equal", NAMES, NULL, edit_digests_equal, MEMFS_ECORRUPT, "its content has the digest 2d", VERIFY, MEMFS_ECHECKSUM, VERIFY},
    {47, "digests-collide", BLOCKS, "digest[f01].hash = 0; digest[f00].hash = 0", NULL, MEMFS_ECORRUPT, "its content has the digest", VERIFY, MEMFS_ECHECKSUM, VERIFY},
    {47, "digest-of-another", BLOCKS, "digest[f01].hash ^= 1", NULL, MEMFS_ECORRUPT, "its content has the digest", VERIFY_DIFF, MEMFS_ECHECKSUM, VERIFY},
    {47, "digest-of-a-directory", EVERYTHING, "digest[a].hash = 5", NULL, MEMFS_ECORRUPT, "it is no regular file, but has a digest", VERIFY, MEMFS_ECHECKSUM, VERIFY},

    /* Links: 48 symlink loop */
    {48, "link-to-its-directory", EVERYTHING, "target[a/b/soft].text = \"../b////\"", NULL, 0, "a link is text; nobody has to follow it", DIFFERS, MEMFS_ECHECKSUM, NO_TARGET},
    {48, "link-to-itself-by-name", EVERYTHING, "target[a/b/soft].text = \"././soft\"", NULL, 0, "a link is text; nobody has to follow it", DIFFERS, MEMFS_ECHECKSUM, NO_TARGET},
    {48, "link-to-the-root", EVERYTHING, "target[a/b/soft].text = \"////////\"", NULL, 0, "a link is text; nobody has to follow it", DIFFERS, MEMFS_ECHECKSUM, NO_TARGET},

    /* 49 target empty, with NUL, overlong */
    {49, "target-empty", EVERYTHING, "node[a/b/soft].size = 0", NULL, MEMFS_ECORRUPT, "its target has 0 bytes", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {49, "target-nul", EVERYTHING, "target[a/b/soft].text = \"../\\x00mall\"", NULL, MEMFS_ECORRUPT, "its target contains NUL", NO_TARGET, MEMFS_ECHECKSUM, NO_TARGET},
    {49, "target-nul-first", EVERYTHING, "target[a/b/soft].text = \"\\x00./small\"", NULL, MEMFS_ECORRUPT, "its target contains NUL", NO_TARGET, MEMFS_ECHECKSUM, NO_TARGET},
    {49, "target-4096", EVERYTHING, "node[a/b/soft].size = 4096", NULL, MEMFS_ECORRUPT, "its target has", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {49, "target-2-63", EVERYTHING, "node[a/b/soft].size = 2^63", NULL, MEMFS_ECORRUPT, "its target has", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},

    /* 50 absolute and dotted targets */
    {50, "target-absolute", EVERYTHING, "target[a/b/soft].text = \"/etc////\"", NULL, 0, "a link is text, and unpacked as it is", DIFFERS, MEMFS_ECHECKSUM, NO_TARGET},
    {50, "target-up", EVERYTHING, "target[a/b/soft].text = \"../../..\"", NULL, 0, "a link is text, and unpacked as it is", DIFFERS, MEMFS_ECHECKSUM, NO_TARGET},
    {50, "target-outside", EVERYTHING, "target[a/dangling].text = \"../../x/\"", NULL, 0, "a link is text, and unpacked as it is", DIFFERS, MEMFS_ECHECKSUM, NO_TARGET},
    {50, "target-proc", EVERYTHING, "target[a/b/soft].text = \"/proc/1/\"", NULL, 0, "a link is text, and unpacked as it is", DIFFERS, MEMFS_ECHECKSUM, NO_TARGET},

    /* 51 a symlink and a directory of one name */
    {51, "link-and-directory", EVERYTHING, "entry[a/dangling].name = \"b\"", NULL, MEMFS_ECORRUPT, "its name does not follow the one before it", NO_NAMES, MEMFS_ECHECKSUM, NO_OPEN},
    {51, "link-and-directory-after", EVERYTHING, "entry[a/dangling2].name = \"dangling\"; entry[a/dangling2].node = node(a/empty); entry[a/dangling2].type = 4", NULL, MEMFS_ECORRUPT, "its name does not follow the one before it", NO_NAMES, MEMFS_ECHECKSUM, NO_OPEN},
    {51, "link-and-file", EVERYTHING, "entry[a/b/soft].name = \"pipe\"", NULL, MEMFS_ECORRUPT, "its name does not follow the one before it", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {51, "link-and-directory-at-the-seam-of-chunks", NAMES, NULL, edit_seam_link, MEMFS_ECORRUPT, "its name does not follow the one before it", NO_ENTRY, MEMFS_ECHECKSUM, NO_OPEN},
    {51, "link-and-root-directory", EVERYTHING, "entry[dev].name = \"a\"; entry[dev].type = 10; entry[dev].node = node(a/b/soft)", NULL, MEMFS_ECORRUPT, "its name does not follow the one before it", NO_NAMES, MEMFS_ECHECKSUM, NO_OPEN},

    /* 52 hard link to a directory */
    {52, "hard-link-to-a-directory", EVERYTHING, "entry[a/dangling].node = node(a/b); entry[a/dangling].type = 4", NULL, MEMFS_ECORRUPT, "names the directory 5, to which another way", NO_ENTRY, MEMFS_ECHECKSUM, NO_NAMES},
    {52, "hard-link-to-a-directory-as-file", EVERYTHING, "entry[a/dangling].node = node(a/b); entry[a/dangling].type = 8", NULL, MEMFS_ECORRUPT, "its type is 8, but node 5 has type 4", NO_ENTRY, MEMFS_ECHECKSUM, NO_NAMES},
    {52, "hard-link-to-the-root", EVERYTHING, "entry[a/b/hard].node = 1; entry[a/b/hard].type = 4", NULL, MEMFS_ECORRUPT, "its node 1 does not exist", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {52, "hard-link-to-itself", EVERYTHING, "entry[a/empty].node = node(a); entry[a/empty].type = 4", NULL, MEMFS_ECORRUPT, "names the directory 2, to which another way", NO_ENTRY, MEMFS_ECHECKSUM, NO_NAMES},

    /* 53 devices, FIFOs, sockets */
    {53, "device-0", EVERYTHING, "node[dev/null].major = 0; node[dev/null].minor = 0", NULL, 0, "a device, left out by unpack", DIFFERS, MEMFS_ECHECKSUM, NO_NAMES},
    {53, "device-huge", EVERYTHING, "node[dev/disk].major = 2^32-1; node[dev/disk].minor = 2^32-1", NULL, 0, "a device, left out by unpack", DIFFERS, MEMFS_ECHECKSUM, NO_NAMES},
    {53, "file-becomes-device", EVERYTHING, "node[a/small].mode = 0060666; node[a/small].size = 0; entry[a/small].type = 6; entry[a/b/hard].type = 6; digest[a/small].hash = 0; root.regular -= 1; root.blocks += 1", NULL, MEMFS_ECORRUPT, "is no file's, the first of 1 such", VERIFY_DIFF, MEMFS_ECHECKSUM, NO_OPEN},
    {53, "pipe-with-a-device", EVERYTHING, "node[dev/pipe].major = 1", NULL, MEMFS_ECORRUPT, "unused fields are not zero", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {53, "socket-with-fields", EVERYTHING, "node[dev/socket].minor = 77", NULL, MEMFS_ECORRUPT, "unused fields are not zero", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {53, "file-becomes-pipe", ONE, "node[hello].mode = 0010666; node[hello].size = 0; node[hello].extents = 0; entry[hello].type = 1; digest[hello].hash = 0; root.regular -= 1; root.fifos += 1; root.content_bytes = 0; root.data_bytes = 0", NULL, MEMFS_ECORRUPT, "is no file's, the first of 1 such", "0001310000000", MEMFS_ECHECKSUM, NO_OPEN},

    /* 54 setuid, setgid, sticky */
    {54, "setuid", EVERYTHING, "node[#2].mode |= 06000", NULL, 0, "modes are taken as they are; unpack leaves out setuid and setgid", DIFFERS, MEMFS_ECHECKSUM, NO_NAMES},
    {54, "setuid", ONE, "node[#2].mode |= 06000", NULL, 0, "modes are taken as they are; unpack leaves out setuid and setgid", DIFFERS, MEMFS_ECHECKSUM, NO_NAMES},
    {54, "mode-7777", ONE, "node[hello].mode = 0107777", NULL, 0, "modes are taken as they are; unpack leaves out setuid and setgid", DIFFERS, MEMFS_ECHECKSUM, NO_NAMES},
    {54, "mode-0", ONE, "node[hello].mode = 0100000", NULL, 0, "modes are taken as they are; unpack leaves out setuid and setgid", DIFFERS, MEMFS_ECHECKSUM, NO_NAMES},
    {54, "root-mode-0", ONE, "node[/].mode = 0040000", NULL, 0, "modes are taken as they are; unpack leaves out setuid and setgid", DIFFERS, MEMFS_ECHECKSUM, NO_NAMES},
    {54, "link-mode-7777", EVERYTHING, "node[a/b/soft].mode = 0127777", NULL, 0, "modes are taken as they are; unpack leaves out setuid and setgid", ALL_WELL, MEMFS_ECHECKSUM, NO_NAMES},
    {54, "sticky-directory", EVERYTHING, "node[a/b].mode = 0047777", NULL, 0, "modes are taken as they are; unpack leaves out setuid and setgid", DIFFERS, MEMFS_ECHECKSUM, NO_NAMES},

    /* Data: 55 sparse files */
    {55, "sparse-2-62", SPARSE, NULL, edit_sparse_2_62, 0, "holes take no room; reading goes on as long as it says", LARGE, MEMFS_ECHECKSUM, NO_OPEN},
    {55, "sparse-2-63-less-1-lying", SPARSE, "node[zeros].size = 2^63-1", NULL, MEMFS_ECORRUPT, "files have", "0004311004004", MEMFS_ECHECKSUM, NO_NAMES},
    {55, "sparse-with-far-data", SPARSE, NULL, edit_sparse_far_data, 0, "holes take no room; reading goes on as long as it says", LARGE, MEMFS_ECHECKSUM, NO_OPEN},
    {55, "sparse-2-50", SPARSE, NULL, edit_sparse_2_50, 0, "holes take no room; reading goes on as long as it says", LARGE, MEMFS_ECHECKSUM, NO_OPEN},

    /* 56 extents */
    {56, "extents-overlap", EVERYTHING, "extent[sparse:1].offset = 1000", NULL, MEMFS_ECORRUPT, "overlaps the one before it, or stands", NO_NODE, MEMFS_ECHECKSUM, NO_NODES},
    {56, "extents-of-one-place", SPARSE, "extent[sparse:1].offset = 0", NULL, MEMFS_ECORRUPT, "overlaps the one before it, or stands", NO_NODES, MEMFS_ECHECKSUM, NO_NODES},
    {56, "extent-past-the-file", ONE, "extent[hello:0].offset = 1", NULL, MEMFS_ECORRUPT, "runs to 14 in node 2, whose size is 13", NO_NODES, MEMFS_ECHECKSUM, NO_NODES},
    {56, "extent-past-the-block", ONE, "extent[hello:0].start = 1", NULL, MEMFS_ECORRUPT, "runs to 14 in block 0, which has 13 bytes", NO_CONTENTS, MEMFS_ECHECKSUM, NO_NODES},
    {56, "extent-past-the-block-far", SPARSE, "extent[sparse:0].start = 65535", NULL, MEMFS_ECORRUPT, "runs to", NO_CONTENTS, MEMFS_ECHECKSUM, NO_NODES},
    {56, "extent-empty", SPARSE, "extent[sparse:1].length = 0", NULL, MEMFS_ECORRUPT, "is empty, or beyond the largest file", NO_NODES, MEMFS_ECHECKSUM, NO_NODES},
    {56, "extent-2-32", SPARSE, "extent[sparse:1].length = 2^32-1", NULL, MEMFS_ECORRUPT, "runs to", NO_NODES, MEMFS_ECHECKSUM, NO_NODES},
    {56, "extent-of-another", EVERYTHING, "extent[sparse:0].block = 1", NULL, MEMFS_ECORRUPT, "its content has the digest", VERIFY_DIFF, MEMFS_ECHECKSUM, NO_NODES},

    /* 57 block that expands beyond its declared size */
    {57, "frame-sound", BLOCKS, FRAME("28B52FFD206423030001"), NULL, 0, "a frame within the rules", ALL_WELL, MEMFS_ECHECKSUM, NO_OPEN},
    {57, "frame-expands-beyond", BLOCKS, FRAME("28B52FFD206443060001"), NULL, MEMFS_ECORRUPT, "zstd cannot decode it", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},
    {57, "frame-expands-far-beyond", BLOCKS, FRAME("28B52FFD206403001001"), NULL, MEMFS_ECORRUPT, "zstd cannot decode it", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},
    {57, "frame-two-blocks-beyond", BLOCKS, FRAME("28B52FFD20642203000123030001"), NULL, MEMFS_ECORRUPT, "zstd cannot decode it", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},
    {57, "block-beyond-the-block-size", BLOCKS, "block[#0].bytes = x28B52FFDA0010001000B000801; ref[blocks:0:0].codec = 1; ref[blocks:0:0].raw = 65537", NULL, MEMFS_ECORRUPT, "its raw length is not what its records need", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},

    /* 58 or to less */
    {58, "frame-less", BLOCKS, FRAME("28B52FFD206493010001"), NULL, MEMFS_ECORRUPT, "zstd cannot decode it", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},
    {58, "frame-empty", BLOCKS, FRAME("28B52FFD2064010000"), NULL, MEMFS_ECORRUPT, "zstd cannot decode it", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},
    {58, "frame-cut", BLOCKS, FRAME("28B52FFD2064230300"), NULL, MEMFS_ECORRUPT, "its zstd frame does not fill it", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},
    {58, "frame-without-end", BLOCKS, FRAME("28B52FFD206422030001"), NULL, MEMFS_ECORRUPT, "its zstd frame does not fill it", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},
    {58, "frame-raw-cut", BLOCKS, FRAME("28B52FFD206421030001010101"), NULL, MEMFS_ECORRUPT, "its zstd frame does not fill it", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},

    /* 59 ratio bomb */
    {59, "ratio-bomb", BLOCKS, NULL, edit_ratio_bomb, 0, "large, and as sound as others; unpack stops at its budget", LARGE, MEMFS_ECHECKSUM, NO_OPEN},
    {59, "ratio-bomb-of-zeros", BLOCKS, NULL, edit_ratio_bomb_zeros, 0, "large, and as sound as others; unpack stops at its budget", LARGE, MEMFS_ECHECKSUM, NO_OPEN},
    {59, "ratio-bomb-shared", BLOCKS, NULL, edit_ratio_bomb_shared, 0, "large, and as sound as others; unpack stops at its budget", LARGE, MEMFS_ECHECKSUM, NO_OPEN},

    /* 60 files that share blocks */
    {60, "files-share", BLOCKS, NULL, edit_files_share, 0, "bytes may be shared", DIFFERS, MEMFS_ECHECKSUM, NO_NODES},
    {60, "files-overlap", BLOCKS, NULL, edit_files_overlap, 0, "bytes may be shared", DIFFERS, MEMFS_ECHECKSUM, NO_OPEN},
    {60, "alternating-bytes", BLOCKS, NULL, edit_alternating, 0, "extents may be anywhere", DIFFERS, MEMFS_ECHECKSUM, NO_OPEN},

    /* 61 frame whose window or content size lies */
    {61, "frame-says-200", BLOCKS, FRAME("28B52FFD20C823030001"), NULL, MEMFS_ECORRUPT, "its zstd frame states another content size", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},
    {61, "frame-says-nothing", BLOCKS, FRAME("28B52FFD000023030001"), NULL, MEMFS_ECORRUPT, "its zstd frame states another content size", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},
    {61, "frame-says-2-64", BLOCKS, FRAME("28B52FFDE0FFFFFFFFFFFFFFFF23030001"), NULL, MEMFS_ECORRUPT, "its zstd frame states another content size", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},
    {61, "frame-window-32-mib", BLOCKS, FRAME("28B52FFD80786400000023030001"), NULL, MEMFS_ECORRUPT, "its zstd frame needs a window beyond the", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},
    {61, "frame-window-2-41", BLOCKS, FRAME("28B52FFD80FF6400000023030001"), NULL, MEMFS_ECORRUPT, "it is not a zstd frame", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},
    {61, "frame-window-1-kib", BLOCKS, FRAME("28B52FFD80006400000023030001"), NULL, 0, "a frame within the rules", ALL_WELL, MEMFS_ECHECKSUM, NO_OPEN},
    {61, "frame-reserved-bit", BLOCKS, FRAME("28B52FFD286423030001"), NULL, MEMFS_ECORRUPT, "it is not a zstd frame", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},
    {61, "frame-block-type-3", BLOCKS, FRAME("28B52FFD206427030001"), NULL, MEMFS_ECORRUPT, "its zstd frame does not fill it", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},
    {61, "frame-checksum-wrong", BLOCKS, FRAME("28B52FFD24642303000100000000"), NULL, MEMFS_ECORRUPT, "zstd cannot decode it", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},

    /* 62 skippable frames, several frames */
    {62, "frame-skippable-before", BLOCKS, FRAME("502A4D18040000006162636428B52FFD206423030001"), NULL, MEMFS_ECORRUPT, "it is not a zstd frame", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},
    {62, "frame-skippable-behind", BLOCKS, FRAME("28B52FFD206423030001502A4D180400000061626364"), NULL, MEMFS_ECORRUPT, "its zstd frame does not fill it", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},
    {62, "frame-skippable-only", BLOCKS, FRAME("502A4D180400000061626364"), NULL, MEMFS_ECORRUPT, "it is not a zstd frame", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},
    {62, "frames-two", BLOCKS, FRAME("28B52FFD20329301000128B52FFD203293010001"), NULL, MEMFS_ECORRUPT, "its zstd frame states another content size", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},
    {62, "frames-two-whole", BLOCKS, FRAME("28B52FFD20642303000128B52FFD206423030001"), NULL, MEMFS_ECORRUPT, "its zstd frame does not fill it", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},
    {62, "frame-and-a-byte", BLOCKS, FRAME("28B52FFD20642303000100"), NULL, MEMFS_ECORRUPT, "its zstd frame does not fill it", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},
    {62, "frame-skippable-2-32", BLOCKS, FRAME("502A4D18FFFFFFFF61626364"), NULL, MEMFS_ECORRUPT, "it is not a zstd frame", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},

    /* 63 dictionaries */
    {63, "dictionary-of-a-byte", BLOCKS, FRAME("28B52FFD21076423030001"), NULL, MEMFS_ECORRUPT, "its zstd frame needs a dictionary", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},
    {63, "dictionary-of-two", BLOCKS, FRAME("28B52FFD2234126423030001"), NULL, MEMFS_ECORRUPT, "its zstd frame needs a dictionary", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},
    {63, "dictionary-of-four", BLOCKS, FRAME("28B52FFD23785634126423030001"), NULL, MEMFS_ECORRUPT, "its zstd frame needs a dictionary", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},
    {63, "dictionary-0", BLOCKS, FRAME("28B52FFD21006423030001"), NULL, 0, "a frame that needs no dictionary", ALL_WELL, MEMFS_ECHECKSUM, NO_OPEN},
    {63, "dictionary-itself", BLOCKS, FRAME("37A430EC0100000000000000"), NULL, MEMFS_ECORRUPT, "it is not a zstd frame", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},

    /* 64 unknown codec */
    {64, "codec-2", EVERYTHING, "top[nodes:0].codec = 2", NULL, MEMFS_ECORRUPT, "its codec is unknown", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {64, "codec-2", EMPTY, "top[nodes:0].codec = 2", NULL, MEMFS_ECORRUPT, "its codec is unknown", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {64, "codec-255", ONE, "top[blocks:0].codec = 255", NULL, MEMFS_ECORRUPT, "its codec is unknown", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {64, "deep-codec-7", BLOCKS, "ref[blocks:0:3].codec = 7", NULL, MEMFS_ECORRUPT, "a value is beyond what its column may hold", NO_CONTENTS, MEMFS_ECHECKSUM, NO_CONTENTS},
    {64, "raw-said-compressed", ONE, "top[nodes:0].codec = 1", NULL, MEMFS_ECORRUPT, "it is compressed, but not shorter than its", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {64, "raw-said-compressed", EVERYTHING, "top[nodes:0].codec = 1", NULL, MEMFS_ECORRUPT, "it is compressed, but not shorter than its", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {64, "raw-said-compressed-longer", BLOCKS, "ref[blocks:0:3].codec = 1; ref[blocks:0:3].raw = 101", NULL, MEMFS_ECORRUPT, "it is not a zstd frame", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},
    {64, "no-frame", BLOCKS, "block[#0].bytes = x6E6F206672616D65; ref[blocks:0:0].codec = 1; ref[blocks:0:0].raw = 100", NULL, MEMFS_ECORRUPT, "it is not a zstd frame", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},
    {64, "lengths-of-raw-differ", BLOCKS, "ref[blocks:0:3].raw = 99", NULL, MEMFS_ECORRUPT, "its totals of bytes are impossible", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {64, "compressed-of-nothing", BLOCKS, "ref[blocks:0:3].codec = 1; ref[blocks:0:3].stored = 0", NULL, MEMFS_ECORRUPT, "it is compressed, but not shorter than its", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},
    {64, "block-of-nothing", BLOCKS, "ref[blocks:0:3].raw = 0; ref[blocks:0:3].stored = 0", NULL, MEMFS_ECORRUPT, "its raw length is not what its records need", NO_CONTENTS, MEMFS_ECHECKSUM, NO_OPEN},
    {64, "codec-of-a-ref-chunk", BLOCKS, "top[blocks:0].codec = 1", NULL, MEMFS_ECORRUPT, "it is compressed, but not shorter than its", NO_OPEN, MEMFS_ECHECKSUM, NO_OPEN},
    {64, "column-tag-9", EVERYTHING, "raw[nodes:0:0].byte = 9", NULL, MEMFS_ECORRUPT, "a column's tag is unknown", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {64, "column-tag-9", ONE, "raw[nodes:0:0].byte = 9", NULL, MEMFS_ECORRUPT, "a column's tag is unknown", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {64, "column-tag-of-extents", ONE, "raw[nodes:0:0].byte = 2", NULL, MEMFS_ECORRUPT, "a column's tag is unknown", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},

    /* Attributes: 65 length, count or index lies */
    {65, "attributes-beyond", EVERYTHING, "node[#2].xattrs = xattrs+1", NULL, MEMFS_ECORRUPT, "its attributes are beyond the end of the", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {65, "attributes-beyond", ATTRIBUTES, "node[#2].xattrs = xattrs+1", NULL, MEMFS_ECORRUPT, "its attributes are beyond the end of the", NO_NAMES, MEMFS_ECHECKSUM, NO_NAMES},
    {65, "attributes-in-the-middle", ATTRIBUTES, "node[f0].xattrs += 1", NULL, MEMFS_ECORRUPT, "no set of attributes starts at 2", VERIFY_DIFF, MEMFS_ECHECKSUM, NO_NAMES},
    {65, "attributes-without-end", ATTRIBUTES, "xattr[#0].last = 0; xattr[#1].last = 0; xattr[#2].last = 0", NULL, MEMFS_ECORRUPT, "no set of attributes starts at 1", VERIFY_DIFF, MEMFS_ECHECKSUM, NO_ATTRIBUTES},
    {65, "attributes-end-early", ATTRIBUTES, "xattr[#1].last = 1", NULL, MEMFS_ECORRUPT, "starts a set that no node has, the first of", VERIFY_DIFF, MEMFS_ECHECKSUM, NO_ATTRIBUTES},
    {65, "last-set-without-end", EVERYTHING, "xattr[#3].last = 0", NULL, MEMFS_ECORRUPT, "the last set does not end", NO_ATTRIBUTES, MEMFS_ECHECKSUM, NO_ATTRIBUTES},
    {65, "attribute-flag-2", ATTRIBUTES, "xattr[#0].last = 2", NULL, MEMFS_ECORRUPT, "a value is beyond what its column may hold", NO_ATTRIBUTES, MEMFS_ECHECKSUM, NO_ATTRIBUTES},
    {65, "attribute-name-of-nothing", ATTRIBUTES, "xattr[#0].name_length = 0", NULL, MEMFS_ECORRUPT, "its name is outside of the heap", NO_ATTRIBUTES, MEMFS_ECHECKSUM, NO_ATTRIBUTES},
    {65, "attribute-name-255", ATTRIBUTES, "xattr[#0].name_length = 255", NULL, MEMFS_ECORRUPT, "its name is outside of the heap", NO_ATTRIBUTES, MEMFS_ECHECKSUM, NO_ATTRIBUTES},
    {65, "attribute-value-2-32", ATTRIBUTES, "xattr[#1].value_length = 2^32-1", NULL, MEMFS_ECORRUPT, "its value is outside of the heap", NO_ATTRIBUTES, MEMFS_ECHECKSUM, NO_ATTRIBUTES},
    {65, "attribute-value-65537", ATTRIBUTES, "xattr[#1].value_length = 65537", NULL, MEMFS_ECORRUPT, "its value is outside of the heap", NO_ATTRIBUTES, MEMFS_ECHECKSUM, NO_ATTRIBUTES},
    {65, "empty-value-has-a-place", ATTRIBUTES, "xattr[#1].value_length = 0; xattr[#1].value = 5", NULL, MEMFS_ECORRUPT, "an empty value has a place", NO_ATTRIBUTES, MEMFS_ECHECKSUM, NO_ATTRIBUTES},
    {65, "attribute-name-wraps", ATTRIBUTES, "xattr[#0].name = -1", NULL, MEMFS_ECORRUPT, "its name is outside of the heap", NO_ATTRIBUTES, MEMFS_ECHECKSUM, NO_ATTRIBUTES},

    /* 66 duplicate and privileged names, malformed ACLs */
    {66, "attribute-twice", ATTRIBUTES, "xattr[#2].name = 13; xattr[#2].name_length = 10", NULL, MEMFS_ECORRUPT, "its name does not follow the one before it", ATTRIBUTES_OF_ONE, MEMFS_ECHECKSUM, NO_ATTRIBUTES},
    {66, "attribute-name-nul", ATTRIBUTES, "xattr[#0].text = \"trusted\\x00root\"", NULL, MEMFS_ECORRUPT, "its name contains NUL", ATTRIBUTES_OF_ONE, MEMFS_ECHECKSUM, NO_ATTRIBUTES},
    {66, "attribute-security", ATTRIBUTES, "xattr[#0].text = \"security.max\"", NULL, 0, "names are bytes, whatever stands before the dot", DIFFERS, MEMFS_ECHECKSUM, NO_ATTRIBUTES},
    {66, "attribute-trusted", ATTRIBUTES, "xattr[#0].text = \"trusted.malx\"", NULL, 0, "names are bytes, whatever stands before the dot", DIFFERS, MEMFS_ECHECKSUM, NO_ATTRIBUTES},
    {66, "attribute-without-namespace", ATTRIBUTES, "xattr[#0].text = \"nonamespacex\"", NULL, 0, "names are bytes, whatever stands before the dot", "0000010001004", MEMFS_ECHECKSUM, NO_ATTRIBUTES},
    {66, "attribute-only-namespace", ATTRIBUTES, "xattr[#0].text = \"user.......x\"", NULL, 0, "names are bytes, whatever stands before the dot", DIFFERS, MEMFS_ECHECKSUM, NO_ATTRIBUTES},
    {66, "acl-cut", ATTRIBUTES, "xattr[#9].value_length = 43; xattr[#10].value = 122; xattr[#10].value_length = 1", NULL, 0, "values are opaque", DIFFERS, MEMFS_ECHECKSUM, NO_ATTRIBUTES},
    {66, "acl-of-one-byte", ATTRIBUTES, "xattr[#9].value_length = 1; xattr[#10].value = 80; xattr[#10].value_length = 43", NULL, 0, "values are opaque", DIFFERS, MEMFS_ECHECKSUM, NO_ATTRIBUTES},
    {66, "acl-version-9", ATTRIBUTES, "value[#9:0].byte = 9", NULL, 0, "values are opaque", DIFFERS, MEMFS_ECHECKSUM, NO_ATTRIBUTES},
    {66, "acl-tag-unknown", ATTRIBUTES, "value[#9:4].byte = 0x77", NULL, 0, "values are opaque", DIFFERS, MEMFS_ECHECKSUM, NO_ATTRIBUTES},
    {66, "acl-permissions-beyond", ATTRIBUTES, "value[#9:6].byte = 0xff", NULL, 0, "values are opaque", DIFFERS, MEMFS_ECHECKSUM, NO_ATTRIBUTES},
    {66, "value-byte-of-nobody", ATTRIBUTES, "xattr[#9].value_length = 43", NULL, MEMFS_ECORRUPT, "nothing names this byte, though others", VERIFY_DIFF, MEMFS_ECHECKSUM, NO_ATTRIBUTES},
};
/* clang-format on */
const size_t hostile_cases_count = sizeof hostile_cases / sizeof *hostile_cases;

const char *hostile_kind(unsigned kind)
{
    static const struct {
        unsigned last;
        const char *name;
    } kinds[] = {{10, "header"}, {22, "root and tables"}, {33, "nodes"}, {47, "directories"}, {54, "links"},
                 {64, "data"},   {66, "attributes"}};
    size_t i = 0;
    while (kinds[i].last < kind)
        i++;
    return kinds[i].name;
}
