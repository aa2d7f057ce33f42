/*
 * Names as they are shown: JSON and escapes. The first byte says whether within a page.
 *
 * Properties: whatever the bytes, what is written is one line of printable text, valid
 * UTF-8, and reading it again gives these bytes.
 */
#include "fuzz.h"
#include "output/escape.h"
#include "output/json.h"

#include <locale.h>
#include <string.h>

#define BYTES_MOST 300u
#define TEXT_ROOM (6 * BYTES_MOST + 64)

static char written[TEXT_ROOM];

/* ---- Reading ------------------------------------------------------------------------- */

static unsigned hex(char c)
{
    FUZZ_REQUIRE((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'), "'%c' is no digit", c);
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* \uXXXX, or two of them that are a pair of surrogates (RFC 8259, 7). */
static const char *read_number(const char *at, uint32_t *c)
{
    FUZZ_REQUIRE(at[0] == '\\' && at[1] == 'u', "not the second of a pair");
    *c = hex(at[2]) << 12 | hex(at[3]) << 8 | hex(at[4]) << 4 | hex(at[5]);
    return at + 6;
}

static size_t put_utf8(uint32_t c, uint8_t *out)
{
    const size_t more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t heads[] = {0, 0xC0, 0xE0, 0xF0};
    out[0] = (uint8_t)(heads[more] | c >> (6 * more));
    for (size_t i = 1; i <= more; i++)
        out[i] = (uint8_t)(0x80 | (c >> (6 * (more - i)) & 0x3F));
    return more + 1;
}

static const char *read_character(const char *at, uint8_t *out, size_t *size)
{
    uint32_t c, low;
    at = read_number(at, &c);
    if (c >= 0xD800 && c < 0xE000) {
        at = read_number(at, &low);
        FUZZ_REQUIRE(c < 0xDC00 && low >= 0xDC00 && low < 0xE000, "no pair");
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    }
    *size += put_utf8(c, out + *size);
    return at;
}

/* A JSON string, from behind its '"'; returns behind the last one. */
static const char *read_string(const char *at, uint8_t *out, size_t *size)
{
    for (*size = 0; *at != '"';) {
        FUZZ_REQUIRE((uint8_t)*at >= 0x20 && *at != 0x7f, "a control character, %02x", (uint8_t)*at);
        FUZZ_REQUIRE((uint8_t)*at != 0xC2 || (uint8_t)at[1] >= 0xA0, "a control character of two bytes");
        if (*at != '\\') {
            out[(*size)++] = (uint8_t)*at++;
        } else if (at[1] == 'u') {
            at = read_character(at, out, size);
        } else {
            FUZZ_REQUIRE(at[1] == '"' || at[1] == '\\', "\\%c", at[1]);
            out[(*size)++] = (uint8_t)at[1];
            at += 2;
        }
    }
    return at + 1;
}

static const char *read_base64(const char *at, uint8_t *out, size_t *size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (*size = 0; *at != '"'; at += 4) {
        uint32_t bits = 0;
        size_t padding = 0;
        for (int i = 0; i < 4; i++) {
            const char *digit = at[i] == '=' ? NULL : strchr(digits, at[i]);
            FUZZ_REQUIRE(at[i] == '=' || (digit && at[i]), "'%c' is no digit", at[i]);
            padding += !digit;
            bits = bits << 6 | (digit ? (uint32_t)(digit - digits) : 0);
        }
        for (size_t i = 0; i < 3 - padding; i++)
            out[(*size)++] = (uint8_t)(bits >> (16 - 8 * i));
    }
    return at + 1;
}

static const char *read_escaped(const char *at, uint8_t *out, size_t *size)
{
    for (*size = 0; *at; ++*size) {
        FUZZ_REQUIRE((uint8_t)*at >= 0x20 && *at != 0x7f, "a control character, %02x", (uint8_t)*at);
        if (*at != '\\') {
            out[*size] = (uint8_t)*at++;
        } else if (at[1] == 'n' || at[1] == 't' || at[1] == '\\') {
            out[*size] = at[1] == 'n' ? '\n' : at[1] == 't' ? '\t' : '\\';
            at += 2;
        } else {
            out[*size] = (uint8_t)((at[1] - '0') << 6 | (at[2] - '0') << 3 | (at[3] - '0'));
            at += 4;
        }
    }
    return at;
}

/* ---- Writing --------------------------------------------------------------------------- */

static FILE *stream(void)
{
    static FILE *opened;
    if (!opened) {
        (void)setlocale(LC_ALL, "C.UTF-8");
        opened = fmemopen(written, sizeof written, "w");
        FUZZ_REQUIRE(opened, "no stream");
    }
    rewind(opened);
    return opened;
}

/* What has been written, with a NUL. */
static size_t finish(FILE *out)
{
    fputc(0, out);
    FUZZ_REQUIRE(fflush(out) == 0 && !ferror(out), "not written");
    return (size_t)ftell(out) - 1;
}

static void require_same(const uint8_t *data, size_t size, const uint8_t *read, size_t read_size, const char *what)
{
    FUZZ_REQUIRE(read_size == size && memcmp(read, data, size) == 0, "%s: %zu bytes became %zu", what, size, read_size);
}

static void try_json(const uint8_t *data, size_t size, int in_page)
{
    static uint8_t read[BYTES_MOST + 4];
    size_t read_size = 0;
    FILE *out = stream();
    struct json json = json_begin(out);
    json.in_page = in_page;
    json_bytes(&json, "k", (const char *)data, size);
    json_end(&json);
    finish(out);
    const char *at = written, *end;
    if (strncmp(at, "{\"k\":\"", 6) == 0) {
        end = read_string(at + 6, read, &read_size);
        FUZZ_REQUIRE(!in_page || !strchr(written, '<'), "'<' within a page");
    } else {
        FUZZ_REQUIRE(strncmp(at, "{\"k_base64\":\"", 13) == 0, "%s", written);
        end = read_base64(at + 13, read, &read_size);
    }
    FUZZ_REQUIRE(strcmp(end, "}\n") == 0, "it ends with %s", end);
    require_same(data, size, read, read_size, "JSON");
}

static void try_escape(const uint8_t *data, size_t size)
{
    static uint8_t read[BYTES_MOST + 4];
    size_t read_size = 0;
    FILE *out = stream();
    escape_put(out, (const char *)data, size);
    const size_t length = finish(out);
    FUZZ_REQUIRE(read_escaped(written, read, &read_size) == written + length, "a NUL within");
    FUZZ_REQUIRE(mbstowcs(NULL, written, 0) != (size_t)-1, "not valid in this locale");
    FUZZ_REQUIRE(escape_width((const char *)data, size) <= 2 * length, "wider than long");
    require_same(data, size, read, read_size, "escapes");
}

const enum fuzz_kind fuzz_kind = FUZZ_BYTES;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > BYTES_MOST)
        return 0;
    try_json(data + 1, size - 1, data[0] & 1);
    try_escape(data + 1, size - 1);
    return 0;
}
