/* The compiled carrier of the proxy: connections of one event loop, and what is done with them without Python.

   Everything runs on the loop's thread, under the interpreter's lock. An epoll set of our own is one readable
   descriptor to the loop; Engine.run answers it. To Python a connection is a transport as asyncio defines it, and
   whatever is not done here goes to its protocol. */

#ifndef RSERVER_PROXY_NATIVE_H
#define RSERVER_PROXY_NATIVE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "chunk_scan.h"
#include "http_scan.h"

enum {
    READ_SIZE = 128 * 1024,
    /* A rewritten head, or one read with all of its framing. */
    OUT_SIZE = READ_SIZE + 4 * HEAD_LIMIT,
    HIGH_WATER = 64 * 1024,
    LOW_WATER = 16 * 1024,
    KEY_LIMIT = 8 * 1024,
    EVENTS = 256
};

typedef struct Engine Engine;
typedef struct Connection Connection;
typedef struct Backend Backend;
typedef struct Verdict Verdict;
typedef struct Exchange Exchange;

/* Who handles what a connection reads. */
typedef enum {
    ROLE_PROTOCOL, /* its protocol, in Python */
    ROLE_CARRIED,  /* a client that awaits the answer to a request that we carry; `other` answers */
    ROLE_ANSWERS,  /* a session's connection at such a request; `other` asked */
    ROLE_SPARE,    /* a session's connection between two */
    ROLE_JOINED    /* one of two whose bytes go to each other */
} Role;

struct Connection {
    PyObject_HEAD
    Engine *engine;
    Connection *next, *previous; /* among the open ones, then among the ended ones */
    Connection *newer, *older;   /* among the spare ones of a backend */
    PyObject *protocol;
    PyObject *ended; /* joined: to be called when it ends */
    Connection *other;
    Exchange *exchange; /* of ROLE_ANSWERS, which owns it */
    Backend *backend;   /* of a session's connection */
    Verdict *verdict;   /* that the last request was carried by */
    PyObject *missed;   /* the key for which there was none */
    char *out;          /* bytes to be written */
    size_t out_start, out_size, out_room;
    long used; /* a spare one: since when, in seconds, monotonic */
    int fd;    /* -1: ended */
    int error; /* errno that ended it */
    uint32_t watched;
    uint8_t peer_size;
    char peer[16]; /* a client's address */
    Role role : 8;
    bool reading : 1, eof : 1, closing : 1, full : 1, eof_wanted : 1, eof_sent : 1, offered : 1, hidden : 1, carried : 1;
};

/* A socket of a session, and its spare connections, newest first. */
struct Backend {
    PyObject_HEAD
    PyObject *session, *user; /* the session's id and its owner; NULL until a verdict leads here */
    Connection *newest, *oldest;
    size_t spares;
    size_t busy;
    uid_t uid;
    bool announced, touched;
    struct sockaddr_un address;
    socklen_t address_size;
};

/* What Python decided about requests with a certain key, good for a moment. */
struct Verdict {
    PyObject_HEAD
    PyObject *key, *before, *after, *user;
    Backend *backend;
    long born;
    unsigned long generation;
    bool refreshing;
};

typedef enum { BODY_NONE, BODY_LENGTH, BODY_CHUNKED, BODY_UNTIL_CLOSE } BodyKind;

/* A request on its way, and what was seen of the answer. */
struct Exchange {
    Verdict *verdict;
    char *head; /* of the request, in case that Python must answer it */
    size_t head_size;
    char *early; /* a started head of the answer */
    size_t early_size;
    BodyKind kind;
    uint64_t left;
    unsigned interim; /* answers before the final one */
    bool is_head, answered, reusable;
    Chunks *chunks;
};

struct Engine {
    PyObject_HEAD
    PyObject *call_soon, *broken, *events, *ticks, *settle;
    PyObject *root_path, *refused, *own_cookies; /* bytes, tuples of bytes */
    PyObject *others; /* dict: what Python carries for each account */
    PyObject *verdicts, *backends;               /* dicts */
    Connection *open, *ended;
    int epoll;
    bool running, settling_planned, ticking;
    unsigned long generation, busy, spares;
    long now, verdict_seconds, idle_seconds, spare_limit, spare_total, user_limit, age;
    char in[READ_SIZE], out[OUT_SIZE], key[KEY_LIMIT];
    size_t out_used;
    Request request;
    Answer answer;
};

extern PyTypeObject Engine_type, Connection_type, Backend_type, Verdict_type;

/* connection.c: bytes in and out of one descriptor. */
Connection *connection_open(Engine *engine, int fd, Role role);
void connection_watch(Connection *connection);
void connection_event(Connection *connection, uint32_t events);
void connection_hold(Connection *connection, bool held);
bool connection_send(Connection *connection, struct iovec *pieces, int count); /* false: it was lost, and ended */
void connection_close(Connection *connection);                                /* when all is written */
void connection_send_eof(Connection *connection);
void connection_end(Connection *connection, int error); /* now, whatever its role */

/* transport.c: what Python is told of a connection. */
void transport_data(Connection *connection, const char *data, size_t size);
void transport_eof(Connection *connection);
void transport_full(Connection *connection, bool full);
void transport_lost(Connection *connection);

/* requests.c, answers.c: requests that Python need not see. */
bool request_carried(Connection *front, const char *data, size_t size);
void answer_data(Connection *back, const char *data, size_t size);
void answer_eof(Connection *back);
void answer_failed(Connection *back, const char *reason);
void exchange_free(Exchange *exchange);
void exchange_part(Connection *back); /* the two are bound no more, and both of Python's protocol */

/* backends.c: what is known of sessions and callers. */
Verdict *verdict_find(Connection *front, const char *key, size_t size);
bool verdict_learn(Connection *front, PyObject *before, PyObject *after, PyObject *path, long uid, PyObject *user,
                   PyObject *session);
Backend *backend_find(Engine *engine, PyObject *path, long uid); /* a new reference */
Connection *backend_take(Engine *engine, Backend *backend);
Connection *backend_take_spare(Backend *backend); /* NULL without one */
void backend_keep(Connection *back);
void backend_drop(Connection *back);
unsigned long user_busy(Engine *engine, PyObject *user); /* requests carried for an account now */
void backend_begins(Engine *engine, Backend *backend);
bool backends_tick(Engine *engine);

/* relay.c: two connections joined. */
void relay_join(Connection *client, Connection *session, PyObject *ended);
void relay_data(Connection *connection, const char *data, size_t size);
void relay_eof(Connection *connection);
void relay_part(Connection *connection); /* the first of the two is gone */

/* engine.c */
void engine_broken(Engine *engine); /* tell of the exception that is set */
void engine_wants_ticks(Engine *engine);
void engine_plan_settling(Engine *engine);
void engine_event(Engine *engine, const char *name, PyObject *session, const char *reason);

/* heads.c */
PyObject *heads_scan_request(PyObject *self, PyObject *block);
PyObject *heads_scan_answer(PyObject *self, PyObject *block);

#endif
