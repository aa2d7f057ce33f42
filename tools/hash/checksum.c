#include "hash/checksum.h"

#include <errno.h>
#include <sodium.h>

_Static_assert(sizeof(crypto_hash_sha256_state) <= CHECKSUM_STATE_BYTES, "the state fits");
_Static_assert(sizeof(crypto_hash_sha512_state) <= CHECKSUM_STATE_BYTES, "the state fits");
_Static_assert(sizeof(crypto_generichash_state) <= CHECKSUM_STATE_BYTES, "the state fits");
_Static_assert(crypto_hash_sha512_BYTES <= CHECKSUM_BYTES_MAX && crypto_generichash_BYTES_MAX <= CHECKSUM_BYTES_MAX,
               "all digests fit");

int checksum_prepare(void)
{
    return sodium_init() < 0 ? -ENOSYS : 0;
}

void checksum_begin(struct checksum *checksum, enum checksum_algorithm algorithm)
{
    checksum->algorithm = algorithm;
    switch (algorithm) {
    case CHECKSUM_SHA256:
        crypto_hash_sha256_init((crypto_hash_sha256_state *)(void *)checksum->state);
        break;
    case CHECKSUM_SHA512:
        crypto_hash_sha512_init((crypto_hash_sha512_state *)(void *)checksum->state);
        break;
    case CHECKSUM_BLAKE2B: /* without a key, and with the longest digest, as b2sum */
        crypto_generichash_init((crypto_generichash_state *)(void *)checksum->state, NULL, 0,
                                crypto_generichash_BYTES_MAX);
        break;
    }
}

void checksum_add(struct checksum *checksum, const void *data, size_t length)
{
    switch (checksum->algorithm) {
    case CHECKSUM_SHA256:
        crypto_hash_sha256_update((crypto_hash_sha256_state *)(void *)checksum->state, data, length);
        break;
    case CHECKSUM_SHA512:
        crypto_hash_sha512_update((crypto_hash_sha512_state *)(void *)checksum->state, data, length);
        break;
    case CHECKSUM_BLAKE2B:
        crypto_generichash_update((crypto_generichash_state *)(void *)checksum->state, data, length);
        break;
    }
}

size_t checksum_end(struct checksum *checksum, unsigned char digest[CHECKSUM_BYTES_MAX])
{
    switch (checksum->algorithm) {
    case CHECKSUM_SHA256:
        crypto_hash_sha256_final((crypto_hash_sha256_state *)(void *)checksum->state, digest);
        return crypto_hash_sha256_BYTES;
    case CHECKSUM_SHA512:
        crypto_hash_sha512_final((crypto_hash_sha512_state *)(void *)checksum->state, digest);
        return crypto_hash_sha512_BYTES;
    default:
        crypto_generichash_final((crypto_generichash_state *)(void *)checksum->state, digest,
                                 crypto_generichash_BYTES_MAX);
        return crypto_generichash_BYTES_MAX;
    }
}
