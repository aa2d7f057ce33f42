/*
 * A web server that serves a site straight from an image, of which nothing is unpacked:
 *
 *   cc web.c $(pkg-config --cflags --libs memfs libmicrohttpd) -o web
 *   memfs pack site && ./web site.mfs 8080
 *
 * Bytes come by views out of the image's cache. A file's ETag is the digest that the
 * image states, so that browsers fetch again only what has really changed. Links
 * and ".." are followed inside the image: no request leads out of it.
 */
#include <inttypes.h>
#include <memfs_image.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const char *mime_type(const char *path)
{
    static const char *const types[][2] = {{".html", "text/html; charset=utf-8"},
                                           {".css", "text/css"},
                                           {".js", "text/javascript"},
                                           {".txt", "text/plain; charset=utf-8"},
                                           {".svg", "image/svg+xml"},
                                           {".png", "image/png"},
                                           {".jpg", "image/jpeg"},
                                           {".json", "application/json"}};
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++) {
        if (strcasecmp(dot, types[i][0]) == 0)
            return types[i][1];
    }
    return "application/octet-stream";
}

/* The filesystem is never changed: its nodes stay, without being looked up and forgotten. */
struct body {
    memfs *fs;
    memfs_node node;
    uint64_t start;
};

static ssize_t read_body(void *context, uint64_t position, char *buffer, size_t room)
{
    struct body *body = context;
    struct memfs_view view;
    if (memfs_node_view(body->fs, body->node, body->start + position, room, &view) != 0)
        return MHD_CONTENT_READER_END_WITH_ERROR; /* the image is damaged here */
    size_t length = view.length;
    memcpy(buffer, view.data, length);
    memfs_view_release(body->fs, &view);
    return length > 0 ? (ssize_t)length : MHD_CONTENT_READER_END_OF_STREAM;
}

/* ---- Answers -------------------------------------------------------------------- */

struct request {
    struct MHD_Connection *connection;
    struct memfs_stat stat;
    char etag[64]; /* "": none */
};

static const char *header(const struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

/* name and value: of one more header. */
static enum MHD_Result send_response(struct request *request, unsigned status, struct MHD_Response *response,
                                     const char *name, const char *value)
{
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, name, value);
    if (request->etag[0] != '\0')
        MHD_add_response_header(response, "ETag", request->etag);
    enum MHD_Result result = MHD_queue_response(request->connection, status, response);
    MHD_destroy_response(response);
    return result;
}

/* Without the file. */
static enum MHD_Result send_status(struct request *request, unsigned status, const char *name, const char *value)
{
    static char text[] = "There is nothing else to see here.\n";
    size_t length = status == MHD_HTTP_NOT_MODIFIED ? 0 : sizeof text - 1;
    return send_response(request, status, MHD_create_response_from_buffer(length, text, MHD_RESPMEM_PERSISTENT), name,
                         value);
}

/* Of "bytes=FIRST-LAST", "bytes=FIRST-" or "bytes=-COUNT" what the file has: from *first up to before
 * *end. 0 if that is nothing; -1 if all is to be sent: nothing was asked for that is understood. */
static int parse_range(const struct request *request, uint64_t *first, uint64_t *end)
{
    uint64_t size = request->stat.size, last;
    const char *range = header(request, "Range"), *condition = header(request, "If-Range");
    char more;
    *first = 0;
    *end = size;
    if (!range || (condition && strcmp(condition, request->etag) != 0))
        return -1;
    if (sscanf(range, "bytes=-%" SCNu64 "%c", &last, &more) == 1) {
        *first = last < size ? size - last : 0;
        return last > 0 && size > 0;
    }
    int count = sscanf(range, "bytes=%" SCNu64 "-%" SCNu64 "%c", first, &last, &more);
    if (count == 2 && last >= *first)
        *end = last < size ? last + 1 : size;
    else if (count != 1 || range[strlen(range) - 1] != '-')
        return *first = 0, -1;
    return *first < *end;
}

static enum MHD_Result send_file(struct request *request, memfs *fs, const char *path)
{
    char range[96];
    uint64_t first, end;
    int partial = parse_range(request, &first, &end);
    snprintf(range, sizeof range, "bytes */%" PRIu64, request->stat.size);
    if (partial == 0)
        return send_status(request, MHD_HTTP_RANGE_NOT_SATISFIABLE, "Content-Range", range);
    struct body *body = malloc(sizeof *body);
    if (!body)
        return MHD_NO;
    *body = (struct body){fs, request->stat.node, first};
    struct MHD_Response *response = MHD_create_response_from_callback(end - first, 65536, read_body, body, free);
    if (!response)
        return free(body), MHD_NO;
    MHD_add_response_header(response, "Content-Type", mime_type(path));
    if (partial < 0)
        return send_response(request, MHD_HTTP_OK, response, "Accept-Ranges", "bytes");
    snprintf(range, sizeof range, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, first, end - 1, request->stat.size);
    return send_response(request, MHD_HTTP_PARTIAL_CONTENT, response, "Content-Range", range);
}

/* A directory's own address ends with a slash, without which the links of its index would lead astray. */
static enum MHD_Result send_slash(struct request *request, const char *url)
{
    char location[3 * MEMFS_NAME_MAX + 4] = "./";
    size_t length = 2;
    for (const char *c = strrchr(url, '/') + 1; *c != '\0' && length + 5 < sizeof location; c++)
        length += (size_t)sprintf(location + length, "%%%02X", (unsigned)(unsigned char)*c);
    strcpy(location + length, "/");
    return send_status(request, MHD_HTTP_MOVED_PERMANENTLY, "Location", location);
}

static enum MHD_Result handle(void *fs, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **state)
{
    struct request request = {.connection = connection, .etag = ""};
    char path[4096];
    uint64_t digest;
    (void)version, (void)upload, (void)upload_size, (void)state;
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return send_status(&request, MHD_HTTP_METHOD_NOT_ALLOWED, "Allow", "GET, HEAD");
    const char *index = url[strlen(url) - 1] == '/' ? "index.html" : "";
    if (snprintf(path, sizeof path, "%s%s", url, index) >= (int)sizeof path)
        return send_status(&request, MHD_HTTP_URI_TOO_LONG, "Cache-Control", "no-store");
    int error = memfs_stat(fs, NULL, path, &request.stat);
    uint32_t type = error == 0 ? request.stat.mode & MEMFS_IFMT : 0;
    if (type == MEMFS_IFDIR)
        return send_slash(&request, url);
    if (type != MEMFS_IFREG) {
        int damaged = error < 0 && memfs_errno(error) != -error;
        return send_status(&request, damaged ? MHD_HTTP_INTERNAL_SERVER_ERROR : MHD_HTTP_NOT_FOUND, "Cache-Control",
                           "no-store");
    }
    if (memfs_node_digest(fs, request.stat.node, &digest) == 0)
        snprintf(request.etag, sizeof request.etag, "\"%016" PRIx64 "-%" PRIx64 "\"", digest, request.stat.size);
    const char *known = header(&request, "If-None-Match");
    if (known && request.etag[0] != '\0' && (strcmp(known, "*") == 0 || strstr(known, request.etag)))
        return send_status(&request, MHD_HTTP_NOT_MODIFIED, "Accept-Ranges", "bytes");
    return send_file(&request, fs, path);
}

int main(int argc, char **argv)
{
    struct memfs_detail detail = {.text = ""};
    memfs_image *image = NULL;
    memfs *fs = NULL;
    if (argc != 2 && argc != 3)
        return fprintf(stderr, "Usage: web IMAGE [PORT]\n"), 2;
    if (memfs_image_open_path(argv[1], NULL, &image, &detail) != 0)
        return fprintf(stderr, "web: %s: %s\n", argv[1], detail.text), 1;
    struct memfs_options options = {.size = sizeof options, .backing = memfs_image_backing(image)};
    if (memfs_create(&options, &fs) != 0)
        return fprintf(stderr, "web: no memory\n"), 1;
    uint16_t port = (uint16_t)(argc > 2 ? atoi(argv[2]) : 0); /* 0: one that is free */
    struct MHD_Daemon *daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO, port, NULL, NULL,
                                                 handle, fs, MHD_OPTION_THREAD_POOL_SIZE, 4u, MHD_OPTION_END);
    if (!daemon)
        return fprintf(stderr, "web: cannot listen on port %d\n", port), 1;
    printf("http://localhost:%d/\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    for (;;)
        pause(); /* it serves until a signal ends it */
}
