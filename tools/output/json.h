/*
 * One JSON object a line, on a stream. Keys are ASCII. Bytes that may be anything are a
 * string where they are valid UTF-8, else base64 (RFC 4648) under the key with "_base64"
 * behind.
 */
#ifndef MEMFS_TOOLS_JSON_H
#define MEMFS_TOOLS_JSON_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* One at a time. That writing to standard output failed is noticed there (output.h). */
struct json {
    FILE *stream;
    int error;   /* errno of the first write that failed; 0: none */
    int filled;  /* a member stands there already */
    int in_page; /* set it: within HTML, where no string may end the element it stands in */
};

struct json json_begin(FILE *stream);
void json_end(struct json *json); /* and the end of the line */

void json_bytes(struct json *json, const char *key, const char *bytes, size_t length);
void json_text(struct json *json, const char *key, const char *text); /* the same */
void json_unsigned(struct json *json, const char *key, uint64_t value);
void json_seconds(struct json *json, const char *key, double seconds); /* with three decimals */
void json_bool(struct json *json, const char *key, int value);
/* Nanoseconds since 1970, as "2024-07-01T12:00:00.123456789Z" (RFC 3339). */
void json_time(struct json *json, const char *key, int64_t time);
/* Mode bits as "0755". */
void json_mode(struct json *json, const char *key, uint32_t mode);

/* An object, or with array an array, as a member; its own members follow. key is NULL within an array. */
void json_open(struct json *json, const char *key, int array);
void json_close(struct json *json, int array);

#endif
