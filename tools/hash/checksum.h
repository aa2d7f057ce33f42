/*
 * Digests as sha256sum and its like make them. Only checksum.c knows libsodium.
 */
#ifndef MEMFS_TOOLS_CHECKSUM_H
#define MEMFS_TOOLS_CHECKSUM_H

#include <stddef.h>

enum checksum_algorithm { CHECKSUM_SHA256, CHECKSUM_SHA512, CHECKSUM_BLAKE2B };
#define CHECKSUM_NAMES "sha256|sha512|blake2b" /* in that order */

#define CHECKSUM_BYTES_MAX 64
#define CHECKSUM_STATE_BYTES 384

struct checksum {
    enum checksum_algorithm algorithm;
    _Alignas(64) unsigned char state[CHECKSUM_STATE_BYTES];
};

/* Before anything else, in one thread: 0, or a negative errno if libsodium cannot be had. */
int checksum_prepare(void);

void checksum_begin(struct checksum *checksum, enum checksum_algorithm algorithm);
void checksum_add(struct checksum *checksum, const void *data, size_t length);
/* Returns how many bytes the digest has. */
size_t checksum_end(struct checksum *checksum, unsigned char digest[CHECKSUM_BYTES_MAX]);

#endif
