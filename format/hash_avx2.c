/*
 * The functions of hash.c that take long, once more, for x86-64 processors that have
 * AVX2: they are more than twice as fast there.
 */
#ifdef __x86_64__

#include <immintrin.h>

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC target("avx2")
#endif

#define XXH_VECTOR 2 /* XXH_AVX2, which is not defined yet */
#define HASH_OF(function) function##_avx2
#include "hash.c"

#ifdef __clang__
#pragma clang attribute pop
#endif

#else
typedef int memfs_no_avx2; /* a file must not be empty */
#endif
