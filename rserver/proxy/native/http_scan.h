/* Strict reader of HTTP/1 heads in one pass: no memory is taken, nothing is changed, no Python.

   http_head.py is the definition. A request that is not plainly right is SCAN_OTHER: that one then decides and says
   what is wrong. An answer is accepted here exactly when it is accepted there. */

#ifndef RSERVER_PROXY_HTTP_SCAN_H
#define RSERVER_PROXY_HTTP_SCAN_H

#include "ascii.h"

enum { HEAD_LIMIT = 32 * 1024, FIELD_LIMIT = 100, TARGET_LIMIT = 8 * 1024, METHOD_LIMIT = 32 };

typedef struct {
    const char *at;
    size_t size;
} Span;

/* Fields that mean something to us. Those up to LAST_SINGLE may come once only. */
typedef enum {
    FIELD_AUTHORIZATION,
    FIELD_CONTENT_LENGTH,
    FIELD_CONTENT_TYPE,
    FIELD_EXPECT,
    FIELD_HOST,
    FIELD_ORIGIN,
    FIELD_TRANSFER_ENCODING,
    FIELD_UPGRADE,
    FIELD_WEBSOCKET_KEY,
    FIELD_WEBSOCKET_VERSION,
    FIELD_CSRF_TOKEN,
    FIELD_FORWARDED_HOST,
    FIELD_FORWARDED_PROTO,
    FIELD_STUDIO_REQUEST,
    FIELD_STUDIO_ROOT_PATH,
    LAST_SINGLE = FIELD_STUDIO_ROOT_PATH,
    FIELD_CONNECTION,
    FIELD_COOKIE,
    FIELD_REFERER,
    FIELD_SET_COOKIE,
    FIELD_FORWARDED,
    FIELD_REAL_IP,
    FIELD_HOP_BY_HOP,
    FIELD_OURS,       /* a name that only we may use: it says something to us, and goes no further */
    FIELD_PECULIAR,   /* a name that could read as another one behind a CGI-like interface: goes no further */
    FIELD_ORDINARY
} FieldId;

typedef struct {
    Span name, value; /* name as sent; value without blanks around it */
    FieldId id;
} Field;

typedef struct {
    int version;    /* the digit behind "HTTP/1." */
    int64_t length; /* Content-Length, -1 without one */
    bool chunked;
    bool close;    /* Connection says close */
    bool upgrades; /* Connection says upgrade */
    bool names;    /* Connection says anything else than keep-alive, close or upgrade */
    size_t size;   /* bytes of the head with its empty line */
    size_t count;
    Field fields[FIELD_LIMIT];
} Head;

typedef struct {
    Head head;
    Span method, target;
    bool upgrade; /* a handshake of a WebSocket */
    bool expects; /* 100-continue is awaited */
} Request;

typedef struct {
    Head head;
    int status;
    Span reason;
} Answer;

typedef enum { SCAN_DONE, SCAN_PARTIAL, SCAN_OTHER } Scan;

Scan scan_request(const char *data, size_t size, Request *request);
Scan scan_answer(const char *data, size_t size, Answer *answer);

/* Connection names this field as one for this hop only, and may do so. */
bool head_names(const Head *head, Span name);

/* Without regard to case; lower is in lower case. */
static inline bool span_equals(Span span, const char *lower) {
    return span.size == strlen(lower) && equals_lower(span.at, lower, span.size);
}

bool is_token_byte(char character);
bool is_text_byte(char character);

#endif
