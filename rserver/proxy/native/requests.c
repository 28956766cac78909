/* Requests that Python need not see: plain ones, of a caller and for a session that it decided on a moment ago.

   What its decision rests on is the key of a verdict, byte for byte: the peer's address, the session, whether the
   method is a safe one, and every field that says who asks, from where, or by which way. */

#include "native.h"

#include <string.h>

enum { SESSION_ID_SIZE = 21 };

typedef struct {
    char *at, *end;
    bool whole;
} Writer;

static void put(Writer *writer, const char *data, size_t size) {
    if ((size_t)(writer->end - writer->at) < size) {
        writer->whole = false;
        return;
    }
    memcpy(writer->at, data, size);
    writer->at += size;
}

static void put_span(Writer *writer, Span span) { put(writer, span.at, span.size); }

static void put_bytes(Writer *writer, PyObject *bytes) {
    put(writer, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes));
}

static void put_lower(Writer *writer, Span span) {
    char *start = writer->at;
    put_span(writer, span);
    lower_bytes(start, (size_t)(writer->at - start));
}

/* "/s/<id>/rest" in two, without the root path; false for any other path, and for one that is left to Python. */
static bool split(const Engine *engine, Span target, Span *session, Span *rest) {
    Span root = {PyBytes_AS_STRING(engine->root_path), (size_t)PyBytes_GET_SIZE(engine->root_path)};
    const char *at = target.at, *end = target.at + target.size;
    if (root.size && target.size > root.size && memcmp(at, root.at, root.size) == 0 && at[root.size] == '/')
        at += root.size;
    if (end - at < 4 + SESSION_ID_SIZE || memcmp(at, "/s/", 3) != 0 || at[3 + SESSION_ID_SIZE] != '/')
        return false;
    *session = (Span){at + 3, SESSION_ID_SIZE};
    at += 3 + SESSION_ID_SIZE;
    /* An empty query is none. */
    if (end[-1] == '?' && memchr(at, '?', (size_t)(end - at)) == end - 1)
        end--;
    *rest = (Span){at, (size_t)(end - at)};
    return true;
}

/* Where the path ends; NULL when there is anything in it that could need a second look. */
static const char *plain_path(Span rest) {
    const char *end = rest.at + rest.size, *at = rest.at;
    for (; at < end && *at != '?'; at++)
        if (*at == '\\' || *at == '%' || *at == ';' || (*at == '/' && end - at > 1 && at[1] == '.'))
            return NULL;
    return at;
}

/* `refused` holds whole paths, and with an asterisk at the end beginnings of paths, that Python answers. */
static bool is_refused(const Engine *engine, Span path) {
    for (Py_ssize_t index = 0; index < PyTuple_GET_SIZE(engine->refused); index++) {
        PyObject *bytes = PyTuple_GET_ITEM(engine->refused, index);
        const char *text = PyBytes_AS_STRING(bytes);
        size_t size = (size_t)PyBytes_GET_SIZE(bytes);
        bool beginning = size && text[size - 1] == '*';
        size -= beginning;
        if ((beginning ? path.size >= size : path.size == size) && memcmp(path.at, text, size) == 0)
            return true;
    }
    return false;
}

static bool is_plain(const Request *request, size_t size) {
    const Head *head = &request->head;
    size_t body = head->length > 0 ? (size_t)head->length : 0;
    if (head->version != 1 || head->close || head->names || head->upgrades || head->chunked || request->expects)
        return false;
    return size - head->size == body;
}

static bool is_safe(Span method) {
    return (method.size == 3 && memcmp(method.at, "GET", 3) == 0) || (method.size == 4 && memcmp(method.at, "HEAD", 4) == 0);
}

/* Whatever dispatch.py and the gate look at before a request is carried to a session must be named here. */
static bool decides(FieldId id, bool safe) {
    switch (id) {
    case FIELD_ORIGIN:
    case FIELD_REFERER:
        return !safe;
    case FIELD_HOST:
    case FIELD_COOKIE:
    case FIELD_CSRF_TOKEN:
    case FIELD_FORWARDED:
    case FIELD_FORWARDED_HOST:
    case FIELD_FORWARDED_PROTO:
    case FIELD_STUDIO_REQUEST:
    case FIELD_STUDIO_ROOT_PATH:
    case FIELD_REAL_IP:
    case FIELD_AUTHORIZATION:
    case FIELD_OURS:
        return true;
    default:
        return false;
    }
}

static size_t write_key(Connection *front, const Request *request, Span session) {
    Engine *engine = front->engine;
    Writer writer = {engine->key, engine->key + KEY_LIMIT, true};
    bool safe = is_safe(request->method);
    put(&writer, safe ? "r" : "w", 1);
    put_span(&writer, session);
    put(&writer, (const char *)&front->peer_size, 1);
    put(&writer, front->peer, front->peer_size);
    for (size_t index = 0; index < request->head.count; index++) {
        const Field *field = &request->head.fields[index];
        if (!decides(field->id, safe))
            continue;
        put(&writer, "\n", 1);
        put_lower(&writer, field->name);
        put(&writer, ":", 1);
        put_span(&writer, field->value);
    }
    return writer.whole ? (size_t)(writer.at - engine->key) : 0;
}

static bool goes_up(FieldId id) {
    switch (id) {
    case FIELD_ORDINARY:
    case FIELD_CONTENT_TYPE:
    case FIELD_ORIGIN:
    case FIELD_REFERER:
    case FIELD_AUTHORIZATION:
    case FIELD_WEBSOCKET_KEY:
    case FIELD_WEBSOCKET_VERSION:
    case FIELD_SET_COOKIE:
        return true;
    default:
        return false;
    }
}

/* The head for the session, as forward.request_head would write it; 0 when there is no room. */
static size_t write_head(Engine *engine, const Request *request, Span rest, const Verdict *verdict) {
    Writer writer = {engine->out, engine->out + OUT_SIZE, true};
    put_span(&writer, request->method);
    put(&writer, " ", 1);
    put_span(&writer, rest);
    put(&writer, " HTTP/1.1\r\n", 11);
    put_bytes(&writer, verdict->before);
    for (size_t index = 0; index < request->head.count; index++) {
        const Field *field = &request->head.fields[index];
        if (!goes_up(field->id))
            continue;
        put_lower(&writer, field->name);
        put(&writer, ": ", 2);
        put_span(&writer, field->value);
        put(&writer, "\r\n", 2);
    }
    if (request->head.length >= 0) {
        char digits[DECIMAL_SIZE];
        put(&writer, "content-length: ", 16);
        put(&writer, digits, write_decimal(digits, (uint64_t)request->head.length));
        put(&writer, "\r\n", 2);
    }
    put_bytes(&writer, verdict->after);
    put(&writer, "\r\n", 2);
    return writer.whole ? (size_t)(writer.at - engine->out) : 0;
}

static Exchange *exchange_make(Verdict *verdict, const char *data, const Request *request) {
    Exchange *exchange = PyMem_Calloc(1, sizeof *exchange);
    if (exchange == NULL)
        return NULL;
    if ((exchange->head = PyMem_Malloc(request->head.size)) == NULL) {
        PyMem_Free(exchange);
        return NULL;
    }
    memcpy(exchange->head, data, request->head.size);
    exchange->head_size = request->head.size;
    exchange->verdict = verdict;
    Py_INCREF(verdict);
    exchange->is_head = request->method.size == 4 && memcmp(request->method.at, "HEAD", 4) == 0;
    return exchange;
}

void exchange_free(Exchange *exchange) {
    PyMem_Free(exchange->head);
    PyMem_Free(exchange->early);
    PyMem_Free(exchange->chunks);
    Py_DECREF(exchange->verdict);
    PyMem_Free(exchange);
}

void exchange_part(Connection *back) {
    Connection *front = back->other;
    exchange_free(back->exchange);
    back->exchange = NULL;
    back->backend->busy--;
    back->engine->busy--;
    back->other = front->other = NULL;
    back->role = front->role = ROLE_PROTOCOL;
}

/* A spare connection may turn out to have died: then another one. NULL: Python goes about it. */
static Connection *send_to(Engine *engine, Backend *backend, struct iovec *pieces, int count) {
    for (int attempt = 0; attempt < 3; attempt++) {
        Connection *back = backend_take(engine, backend);
        if (back == NULL || connection_send(back, pieces, count))
            return back;
    }
    return NULL;
}

/* Requests and WebSockets that Python carries for an account. */
static unsigned long user_others(Engine *engine, PyObject *user) {
    PyObject *count = PyDict_GetItem(engine->others, user);
    return count == NULL ? 0 : (unsigned long)PyLong_AsLong(count);
}

static bool may_begin(Engine *engine, const Verdict *verdict) {
    unsigned long limit = (unsigned long)engine->user_limit;
    if (limit == 0)
        return true;
    unsigned long others = user_others(engine, verdict->user);
    return engine->busy + others < limit || user_busy(engine, verdict->user) + others < limit;
}

static bool carry(Connection *front, const char *data, size_t size, Span rest, Verdict *verdict) {
    Engine *engine = front->engine;
    const Request *request = &engine->request;
    size_t head_size = write_head(engine, request, rest, verdict), sent = request->head.size;
    Exchange *exchange = head_size ? exchange_make(verdict, data, request) : NULL;
    if (exchange == NULL)
        return false;
    struct iovec pieces[] = {{engine->out, head_size}, {(char *)data + sent, size - sent}};
    Connection *back = send_to(engine, verdict->backend, pieces, size > sent ? 2 : 1);
    if (back == NULL) {
        exchange_free(exchange);
        return false;
    }
    back->exchange = exchange;
    back->role = ROLE_ANSWERS;
    front->role = ROLE_CARRIED;
    back->other = front;
    front->other = back;
    engine->busy++;
    backend_begins(engine, verdict->backend);
    return true;
}

bool request_carried(Connection *front, const char *data, size_t size) {
    Engine *engine = front->engine;
    Request *request = &engine->request;
    Span session, rest;
    Py_CLEAR(front->missed);
    if (scan_request(data, size, request) != SCAN_DONE || !is_plain(request, size) ||
        !split(engine, request->target, &session, &rest))
        return false;
    const char *end = plain_path(rest);
    if (end == NULL || is_refused(engine, (Span){rest.at, (size_t)(end - rest.at)}))
        return false;
    size_t key_size = write_key(front, request, session);
    Verdict *verdict = key_size ? verdict_find(front, engine->key, key_size) : NULL;
    return verdict != NULL && may_begin(engine, verdict) && carry(front, data, size, rest, verdict);
}
