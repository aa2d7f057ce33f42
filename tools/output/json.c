#include "output/json.h"

#include "output/escape.h"
#include "output/output.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

/* After each write, while errno is known: the stream tells only that one failed. */
static void check(struct json *json)
{
    if (json->error != 0 || !ferror(json->stream))
        return;
    json->error = errno != 0 ? errno : EIO;
    if (json->stream == stdout)
        output_failed();
}

struct json json_begin(FILE *stream)
{
    fputc('{', stream);
    return (struct json){.stream = stream};
}

void json_end(struct json *json)
{
    fputs("}\n", json->stream);
    check(json);
}

static void put_key(struct json *json, const char *key, const char *suffix)
{
    if (json->filled)
        fputc(',', json->stream);
    json->filled = 1;
    if (key)
        fprintf(json->stream, "\"%s%s\":", key, suffix);
    check(json);
}

/* Bytes of the UTF-8 sequence at the start, or 0 (RFC 3629: the shortest form, no
 * surrogates, up to U+10FFFF). */
static size_t sequence(const unsigned char *bytes, size_t length)
{
    const unsigned char first = bytes[0];
    size_t more = first < 0x80 ? 0 : first >= 0xC2 && first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
    if ((first >= 0x80 && first < 0xC2) || first > 0xF4 || more >= length)
        return 0;
    for (size_t i = 1; i <= more; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
    }
    if ((first == 0xE0 && bytes[1] < 0xA0) || (first == 0xED && bytes[1] > 0x9F) ||
        (first == 0xF0 && bytes[1] < 0x90) || (first == 0xF4 && bytes[1] > 0x8F))
        return 0;
    return 1 + more;
}

static int is_utf8(const char *bytes, size_t length)
{
    for (size_t at = 0; at < length;) {
        size_t used = sequence((const unsigned char *)bytes + at, length - at);
        if (used == 0)
            return 0;
        at += used;
    }
    return 1;
}

static uint32_t decode(const unsigned char *bytes, size_t length)
{
    uint32_t c = length == 1 ? bytes[0] : bytes[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++)
        c = c << 6 | (bytes[i] & 0x3Fu);
    return c;
}

static void put_escaped(FILE *stream, uint32_t c)
{
    if (c > 0xFFFF) /* a surrogate pair */
        fprintf(stream, "\\u%04x\\u%04x", 0xD800 + ((c - 0x10000) >> 10), 0xDC00 + (c & 0x3FF));
    else
        fprintf(stream, "\\u%04x", c);
}

/* What a terminal would obey, or not show, is escaped: people look at objects, too. */
static void put_string(struct json *json, const char *bytes, size_t length)
{
    FILE *stream = json->stream;
    fputc('"', stream);
    for (size_t at = 0; at < length;) {
        const unsigned char *here = (const unsigned char *)bytes + at;
        const size_t used = sequence(here, length - at);
        const uint32_t c = decode(here, used);
        if (c == '"' || c == '\\')
            fputc('\\', stream);
        if (c < 0x20 || (c >= 0x7F && c < 0xA0) || escape_deceives(c) || (json->in_page && c == '<'))
            put_escaped(stream, c);
        else
            fwrite(here, 1, used, stream);
        at += used;
    }
    fputc('"', stream);
}

static void put_base64(FILE *stream, const unsigned char *bytes, size_t length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    fputc('"', stream);
    for (size_t i = 0; i < length; i += 3) {
        const size_t left = length - i;
        const uint32_t three = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                               (left > 2 ? (uint32_t)bytes[i + 2] : 0);
        fputc(digits[three >> 18], stream);
        fputc(digits[three >> 12 & 63], stream);
        fputc(left > 1 ? digits[three >> 6 & 63] : '=', stream);
        fputc(left > 2 ? digits[three & 63] : '=', stream);
    }
    fputc('"', stream);
}

void json_bytes(struct json *json, const char *key, const char *bytes, size_t length)
{
    if (is_utf8(bytes, length)) {
        put_key(json, key, "");
        put_string(json, bytes, length);
    } else {
        put_key(json, key, "_base64");
        put_base64(json->stream, (const unsigned char *)bytes, length);
    }
    check(json);
}

void json_text(struct json *json, const char *key, const char *text)
{
    json_bytes(json, key, text, strlen(text));
}

void json_unsigned(struct json *json, const char *key, uint64_t value)
{
    put_key(json, key, "");
    fprintf(json->stream, "%" PRIu64, value);
    check(json);
}

void json_seconds(struct json *json, const char *key, double seconds)
{
    put_key(json, key, "");
    fprintf(json->stream, "%.3f", seconds);
    check(json);
}

void json_bool(struct json *json, const char *key, int value)
{
    put_key(json, key, "");
    fputs(value ? "true" : "false", json->stream);
}

void json_time(struct json *json, const char *key, int64_t time)
{
    const int64_t billion = 1000000000;
    const int64_t rest = (time % billion + billion) % billion;
    const time_t seconds = (time_t)(time / billion - (time % billion < 0)); /* time - rest may not fit */
    struct tm parts;
    char text[40] = "";
    if (gmtime_r(&seconds, &parts))
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    put_key(json, key, "");
    fprintf(json->stream, "\"%s.%09" PRId64 "Z\"", text, rest);
    check(json);
}

void json_mode(struct json *json, const char *key, uint32_t mode)
{
    put_key(json, key, "");
    fprintf(json->stream, "\"%04" PRIo32 "\"", mode & 07777u);
    check(json);
}

void json_open(struct json *json, const char *key, int array)
{
    put_key(json, key, "");
    fputc(array ? '[' : '{', json->stream);
    json->filled = 0;
    check(json);
}

void json_close(struct json *json, int array)
{
    fputc(array ? ']' : '}', json->stream);
    json->filled = 1;
    check(json);
}
