/* Answers to requests that we carried, to the byte what session_proxy.py makes of them. */

#include "native.h"

#include <string.h>

enum { INTERIM_LIMIT = 16 };

enum { FRAMING_ROOM = 64 };

static void room_used(Engine *engine, size_t size) { engine->out_used += size; }

static void put(Engine *engine, const char *data, size_t size) {
    memcpy(engine->out + engine->out_used, data, size);
    room_used(engine, size);
}

static bool is_blank(char character) { return character == ' ' || character == '\t'; }

static bool is_own_cookie(const Engine *engine, Span value) {
    const char *sign = memchr(value.at, '=', value.size), *at = value.at, *end = sign ? sign : value.at + value.size;
    while (at < end && is_blank(*at))
        at++;
    while (at < end && is_blank(end[-1]))
        end--;
    for (Py_ssize_t index = 0; index < PyTuple_GET_SIZE(engine->own_cookies); index++)
        if (span_equals((Span){at, (size_t)(end - at)}, PyBytes_AS_STRING(PyTuple_GET_ITEM(engine->own_cookies, index))))
            return true;
    return false;
}

static bool goes_down(const Engine *engine, const Head *head, const Field *field) {
    switch (field->id) {
    case FIELD_CONNECTION:
    case FIELD_HOP_BY_HOP:
    case FIELD_TRANSFER_ENCODING:
    case FIELD_UPGRADE:
    case FIELD_CONTENT_LENGTH:
        return false;
    case FIELD_SET_COOKIE:
        return !is_own_cookie(engine, field->value);
    default:
        return !head_names(head, field->name);
    }
}

/* A rewritten line is never longer than the one that came, but for a blank behind the colon. */
static void put_field(Engine *engine, const Field *field) {
    char *start = engine->out + engine->out_used;
    put(engine, field->name.at, field->name.size);
    lower_bytes(start, field->name.size);
    put(engine, ": ", 2);
    put(engine, field->value.at, field->value.size);
    put(engine, "\r\n", 2);
}

static BodyKind body_kind(const Exchange *exchange, const Answer *answer) {
    if (exchange->is_head || answer->status == 204 || answer->status == 304)
        return BODY_NONE;
    if (answer->head.chunked)
        return BODY_CHUNKED;
    if (answer->head.length < 0)
        return BODY_UNTIL_CLOSE;
    return answer->head.length ? BODY_LENGTH : BODY_NONE;
}

static void put_framing(Engine *engine, const Exchange *exchange, bool close) {
    const Answer *answer = &engine->answer;
    if (exchange->kind == BODY_CHUNKED || exchange->kind == BODY_UNTIL_CLOSE)
        put(engine, "transfer-encoding: chunked\r\n", 28);
    else if (answer->head.length >= 0 && answer->status != 204) {
        put(engine, "content-length: ", 16);
        room_used(engine, write_decimal(engine->out + engine->out_used, (uint64_t)answer->head.length));
        put(engine, "\r\n", 2);
    }
    if (close)
        put(engine, "connection: close\r\n", 19);
}

static void put_head(Engine *engine, Exchange *exchange, bool close) {
    const Answer *answer = &engine->answer;
    put(engine, "HTTP/1.1 ", 9);
    room_used(engine, write_decimal(engine->out + engine->out_used, (uint64_t)answer->status));
    put(engine, " ", 1);
    put(engine, answer->reason.at, answer->reason.size);
    put(engine, "\r\n", 2);
    for (size_t index = 0; index < answer->head.count; index++)
        if (goes_down(engine, &answer->head, &answer->head.fields[index]))
            put_field(engine, &answer->head.fields[index]);
    put_framing(engine, exchange, close);
    put(engine, "\r\n", 2);
}

/* What is written so far, and a piece behind it, to the client. False: the client is gone, and the exchange with it. */
static bool send_out(Connection *back, Span piece) {
    Engine *engine = back->engine;
    Connection *front = back->other;
    struct iovec pieces[] = {{engine->out, engine->out_used}, {(char *)piece.at, piece.size}};
    engine->out_used = 0;
    if (pieces[0].iov_len + pieces[1].iov_len == 0)
        return true;
    bool first = pieces[0].iov_len != 0;
    return connection_send(front, first ? pieces : pieces + 1, first && piece.size ? 2 : 1);
}

static void finish(Connection *back, bool clean) {
    Connection *front = back->other;
    Exchange *exchange = back->exchange;
    clean = clean && exchange->reusable && back->out_size == 0;
    exchange_part(back);
    front->carried = true;
    if (clean) {
        backend_keep(back);
        if (!back->reading)
            connection_hold(back, false);
    } else {
        connection_end(back, 0);
    }
    if (front->closing)
        connection_close(front);
    else if (!front->reading)
        connection_hold(front, false);
}

/* The client is slower than the session. */
static void balance(Connection *back) {
    if (back->other->out_size)
        connection_hold(back, true);
}

static void take_length(Connection *back, const char *at, const char *end) {
    Exchange *exchange = back->exchange;
    size_t size = (size_t)(end - at);
    if (size > exchange->left)
        size = (size_t)exchange->left;
    exchange->left -= size;
    if (!send_out(back, (Span){at, size}))
        return;
    if (exchange->left == 0)
        finish(back, at + size == end);
    else
        balance(back);
}

static bool put_chunk(Connection *back, Span payload) {
    Engine *engine = back->engine;
    if (engine->out_used + payload.size + FRAMING_ROOM > OUT_SIZE && !send_out(back, (Span){NULL, 0}))
        return false;
    room_used(engine, (size_t)sprintf(engine->out + engine->out_used, "%zx\r\n", payload.size));
    put(engine, payload.at, payload.size);
    put(engine, "\r\n", 2);
    return true;
}

static void take_chunked(Connection *back, const char *at, const char *end) {
    Exchange *exchange = back->exchange;
    Span payload;
    for (;;) {
        ChunkEvent event = chunks_next(exchange->chunks, &at, end, &payload);
        if (event == CHUNK_PAYLOAD) {
            if (!put_chunk(back, payload))
                return;
            continue;
        }
        if (event == CHUNK_BAD) {
            answer_failed(back, "malformed answer: chunks");
            return;
        }
        bool complete = event == CHUNK_COMPLETE;
        if (!send_out(back, complete ? (Span){"0\r\n\r\n", 5} : (Span){NULL, 0}))
            return;
        if (complete)
            finish(back, at == end);
        else
            balance(back);
        return;
    }
}

static void take_body(Connection *back, const char *at, const char *end) {
    switch (back->exchange->kind) {
    case BODY_NONE:
        if (send_out(back, (Span){NULL, 0}))
            finish(back, at == end);
        break;
    case BODY_LENGTH:
        take_length(back, at, end);
        break;
    case BODY_CHUNKED:
        take_chunked(back, at, end);
        break;
    case BODY_UNTIL_CLOSE:
        if ((at == end || put_chunk(back, (Span){at, (size_t)(end - at)})) && send_out(back, (Span){NULL, 0}))
            balance(back);
    }
}

static bool start(Connection *back) {
    Engine *engine = back->engine;
    Exchange *exchange = back->exchange;
    exchange->answered = true;
    exchange->kind = body_kind(exchange, &engine->answer);
    exchange->left = exchange->kind == BODY_LENGTH ? (uint64_t)engine->answer.head.length : 0;
    exchange->reusable = engine->answer.head.version == 1 && !engine->answer.head.close;
    if (exchange->kind == BODY_CHUNKED) {
        if ((exchange->chunks = PyMem_Malloc(sizeof *exchange->chunks)) == NULL)
            return false;
        chunks_begin(exchange->chunks);
    }
    put_head(engine, exchange, back->other->closing);
    return true;
}

/* Heads up to the final one; what follows it, NULL when there is no answer yet (or never will be). */
static const char *take_heads(Connection *back, const char *at, const char *end) {
    Answer *answer = &back->engine->answer;
    for (;;) {
        Scan scan = scan_answer(at, (size_t)(end - at), answer);
        if (scan == SCAN_OTHER || (scan == SCAN_PARTIAL && end - at > HEAD_LIMIT)) {
            answer_failed(back, "malformed answer: head");
            return NULL;
        }
        if (scan == SCAN_PARTIAL)
            return at;
        at += answer->head.size;
        if (answer->status == 101) {
            answer_failed(back, "the session switched to a protocol nobody asked for");
            return NULL;
        }
        if (answer->status >= 200) {
            if (start(back))
                return at;
            answer_failed(back, "out of memory");
            return NULL;
        }
        if (++back->exchange->interim > INTERIM_LIMIT) {
            answer_failed(back, "malformed answer: interim answers without end");
            return NULL;
        }
    }
}

/* Keeps what is there of a head. */
static void keep_early(Connection *back, const char *at, const char *end) {
    Exchange *exchange = back->exchange;
    size_t size = (size_t)(end - at);
    char *early = PyMem_Malloc(size ? size : 1);
    if (early == NULL) {
        answer_failed(back, "out of memory");
        return;
    }
    memcpy(early, at, size);
    PyMem_Free(exchange->early);
    exchange->early = early;
    exchange->early_size = size;
}

static void take_answer(Connection *back, const char *at, const char *end) {
    Exchange *exchange = back->exchange;
    if (!exchange->answered && (at = take_heads(back, at, end)) == NULL)
        return;
    if (exchange->answered)
        take_body(back, at, end);
    else
        keep_early(back, at, end);
}

void answer_data(Connection *back, const char *data, size_t size) {
    Exchange *exchange = back->exchange;
    back->engine->out_used = 0;
    if (exchange->early_size == 0) {
        take_answer(back, data, data + size);
        return;
    }
    size_t early = exchange->early_size;
    char *joined = PyMem_Malloc(early + size);
    if (joined == NULL) {
        answer_failed(back, "out of memory");
        return;
    }
    memcpy(joined, exchange->early, early);
    memcpy(joined + early, data, size);
    exchange->early_size = 0;
    take_answer(back, joined, joined + early + size);
    PyMem_Free(joined);
}

void answer_eof(Connection *back) {
    if (!back->exchange->answered || back->exchange->kind != BODY_UNTIL_CLOSE) {
        answer_failed(back, "the session closed the connection");
        return;
    }
    back->engine->out_used = 0;
    if (send_out(back, (Span){"0\r\n\r\n", 5}))
        finish(back, false);
}

/* Half an answer must not pass for a whole one; to a request that got none Python finds one. */
void answer_failed(Connection *back, const char *reason) {
    Connection *front = back->other;
    Exchange *exchange = back->exchange;
    bool answered = exchange->answered;
    PyObject *session = Py_NewRef(exchange->verdict->backend->session);
    PyObject *head = answered ? NULL : PyBytes_FromStringAndSize(exchange->head, (Py_ssize_t)exchange->head_size);
    exchange_part(back);
    connection_end(back, 0);
    front->offered = false;
    if (answered || head == NULL || front->protocol == NULL) {
        PyErr_Clear();
        engine_event(front->engine, "failed", session, reason);
        connection_end(front, 0);
    } else {
        front->closing = false;
        connection_hold(front, false);
        PyObject *done = PyObject_CallMethod(front->protocol, "answer_failed", "Os", head, reason);
        if (done == NULL) {
            engine_broken(front->engine);
            connection_end(front, 0);
        }
        Py_XDECREF(done);
    }
    Py_XDECREF(head);
    Py_DECREF(session);
}
