#include "codec.h"

#include "alloc.h"
#include "layout.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#include <zstd_errors.h>

/* zstd's memory comes from the caller's allocator, which wants sizes back:
 * each piece begins with its own. */
#define PIECE_HEAD _Alignof(max_align_t)
_Static_assert(PIECE_HEAD >= sizeof(size_t), "a size fits before a piece of memory");

static void *piece_alloc(void *allocator, size_t size)
{
    if (size > SIZE_MAX - PIECE_HEAD)
        return NULL;
    unsigned char *piece = memfs_alloc(allocator, size + PIECE_HEAD);
    if (!piece)
        return NULL;
    memcpy(piece, &size, sizeof size);
    return piece + PIECE_HEAD;
}

static void piece_free(void *allocator, void *address)
{
    if (!address)
        return;
    unsigned char *piece = (unsigned char *)address - PIECE_HEAD;
    size_t size;
    memcpy(&size, piece, sizeof size);
    memfs_free(allocator, piece, size + PIECE_HEAD);
}

/* ---- Encoding --------------------------------------------------------------------- */

#define ROWS_FROM ((size_t)1 << 14)

struct memfs_encoder {
    struct memfs_allocator allocator;
    ZSTD_CCtx *context;
};

/* The level's parameters, but matches may be as far apart as a block is long: that costs
 * no more time, and blocks are long to be smaller. */
static ZSTD_compressionParameters parameters(int level, size_t length)
{
    ZSTD_compressionParameters given = ZSTD_getCParams(level, length, 0);
    while (given.windowLog < MEMFS_WINDOW_SHIFT && (size_t)1 << given.windowLog < length)
        given.windowLog++;
    return given;
}

size_t memfs_encoder_bytes(int level, size_t length)
{
    return sizeof(struct memfs_encoder) + ZSTD_estimateCCtxSize_usingCParams(parameters(level, length));
}

int memfs_encoder_create(const struct memfs_allocator *allocator, int level, size_t length_most,
                         struct memfs_encoder **out)
{
    if (level < 1 || level > 19)
        return -EINVAL;
    struct memfs_encoder *encoder = memfs_alloc_zeroed(allocator, sizeof *encoder);
    if (!encoder)
        return -ENOMEM;
    encoder->allocator = *allocator;
    encoder->context = ZSTD_createCCtx_advanced((ZSTD_customMem){piece_alloc, piece_free, &encoder->allocator});
    const int window = (int)parameters(level, length_most).windowLog;
    if (!encoder->context || ZSTD_isError(ZSTD_CCtx_setParameter(encoder->context, ZSTD_c_compressionLevel, level)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(encoder->context, ZSTD_c_windowLog, window))) {
        memfs_encoder_destroy(encoder);
        return -ENOMEM;
    }
    *out = encoder;
    return 0;
}

void memfs_encoder_destroy(struct memfs_encoder *encoder)
{
    if (!encoder)
        return;
    ZSTD_freeCCtx(encoder->context);
    const struct memfs_allocator allocator = encoder->allocator;
    memfs_free(&allocator, encoder, sizeof *encoder);
}

/* zstd has two ways to look for matches, and chooses by whether it was compiled for vector instructions: the bytes
 * must not depend on that. It chooses as it would with them. */
static int choose_finder(struct memfs_encoder *encoder, size_t length)
{
    const int rows = length > ROWS_FROM ? ZSTD_ps_enable : ZSTD_ps_disable;
    /* Where the last call failed for lack of room, it is still at work. */
    if (ZSTD_isError(ZSTD_CCtx_reset(encoder->context, ZSTD_reset_session_only)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(encoder->context, ZSTD_c_useRowMatchFinder, rows)))
        return -EIO;
    return 0;
}

int memfs_encode(struct memfs_encoder *encoder, const void *raw, size_t length, void *scratch, const void **stored,
                 size_t *stored_length, uint8_t *codec)
{
    const int error = choose_finder(encoder, length);
    if (error)
        return error;
    /* With one byte less than raw as room, zstd fails where it gains nothing. */
    const size_t result = ZSTD_compress2(encoder->context, scratch, length - 1, raw, length);
    if (!ZSTD_isError(result)) {
        *stored = scratch;
        *stored_length = result;
        *codec = MEMFS_CODEC_ZSTD;
        return 0;
    }
    if (ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation)
        return -ENOMEM;
    if (ZSTD_getErrorCode(result) != ZSTD_error_dstSize_tooSmall)
        return -EIO;
    *stored = raw;
    *stored_length = length;
    *codec = MEMFS_CODEC_RAW;
    return 0;
}

/* ---- Decoding --------------------------------------------------------------------- */

struct memfs_decoder {
    struct memfs_allocator allocator;
    void *memory;
    size_t memory_bytes;
    ZSTD_DCtx *context; /* in that memory; NULL until there is a frame to be decoded */
};

int memfs_decoder_create(const struct memfs_allocator *allocator, struct memfs_decoder **out)
{
    struct memfs_decoder *decoder = memfs_alloc_zeroed(allocator, sizeof *decoder);
    if (!decoder)
        return -ENOMEM;
    decoder->allocator = *allocator;
    decoder->memory_bytes = ZSTD_estimateDCtxSize();
    decoder->memory = memfs_alloc(allocator, decoder->memory_bytes);
    if (!decoder->memory) {
        memfs_decoder_destroy(decoder);
        return -ENOMEM;
    }
    *out = decoder;
    return 0;
}

/* Making a context, zstd asks the processor what it can: in a virtual machine that takes as long as all the rest of
 * opening an image, and where checksums are wrong none is needed. */
static ZSTD_DCtx *context_of(struct memfs_decoder *decoder)
{
    if (!decoder->context)
        decoder->context = ZSTD_initStaticDCtx(decoder->memory, decoder->memory_bytes);
    return decoder->context;
}

void memfs_decoder_destroy(struct memfs_decoder *decoder)
{
    if (!decoder)
        return;
    const struct memfs_allocator allocator = decoder->allocator;
    memfs_free(&allocator, decoder->memory, decoder->memory_bytes);
    memfs_free(&allocator, decoder, sizeof *decoder);
}

/* One frame that fills the stored bytes and says what the ref says. */
static const char *check_frame(const void *stored, size_t stored_length, size_t raw_length)
{
    ZSTD_frameHeader header;
    if (ZSTD_getFrameHeader(&header, stored, stored_length) != 0 || header.frameType != ZSTD_frame)
        return "it is not a zstd frame";
    if (header.frameContentSize != raw_length)
        return "its zstd frame states another content size than its ref";
    if (header.dictID != 0)
        return "its zstd frame needs a dictionary";
    if (header.windowSize > MEMFS_WINDOW_MAX)
        return "its zstd frame needs a window beyond the limit";
    if (ZSTD_findFrameCompressedSize(stored, stored_length) != stored_length)
        return "its zstd frame does not fill it";
    return NULL;
}

/* Block by block of zstd's, straight to where the bytes belong: they are what the next
 * block refers to, so that no window is kept and nothing is copied. This is how whole frames are decoded as well:
 * ZSTD_decompressDCtx() is no faster, and takes blocks that are larger than they may be, so that what is damaged
 * would depend on how much of it is wanted. */
static int decode_frame(ZSTD_DCtx *context, const void *stored, size_t stored_length, size_t raw_length, uint8_t *out,
                        size_t wanted, const char **reason)
{
    const uint8_t *in = stored;
    size_t left = stored_length, got = 0, take;
    ZSTD_decompressBegin(context);
    /* A whole frame has an end, too, perhaps with a checksum. */
    while ((take = ZSTD_nextSrcSizeToDecompress(context)) > 0 && (got < wanted || wanted == raw_length)) {
        if (take > left)
            break;
        const size_t result = ZSTD_decompressContinue(context, out + got, raw_length - got, in, take);
        if (ZSTD_isError(result))
            break;
        in += take;
        left -= take;
        got += result;
    }
    if (got >= wanted && (take == 0 || wanted < raw_length))
        return 0;
    *reason = "zstd cannot decode it";
    return MEMFS_ECORRUPT;
}

int memfs_decode(struct memfs_decoder *decoder, uint8_t codec, const void *stored, size_t stored_length,
                 size_t raw_length, void *out, size_t wanted, const char **reason)
{
    *reason = NULL;
    if (codec == MEMFS_CODEC_RAW) {
        if (stored_length != raw_length) {
            *reason = "it is stored raw, but its stored and raw lengths differ";
            return MEMFS_ECORRUPT;
        }
        memcpy(out, stored, wanted);
        return 0;
    }
    *reason = codec == MEMFS_CODEC_ZSTD ? check_frame(stored, stored_length, raw_length) : "its codec is unknown";
    if (*reason)
        return MEMFS_ECORRUPT;
    ZSTD_DCtx *context = context_of(decoder);
    assert(context); /* its memory has the size that zstd asks for, and is aligned for any type */
    return decode_frame(context, stored, stored_length, raw_length, out, wanted, reason);
}
