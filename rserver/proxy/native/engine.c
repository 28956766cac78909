/* The epoll set, who is accepted, and what Python asks of all connections together. */

#include "native.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void engine_broken(Engine *engine) {
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    if (trace != NULL)
        PyException_SetTraceback(value, trace);
    PyObject *told = value ? PyObject_CallOneArg(engine->broken, value) : NULL;
    if (told == NULL && PyErr_Occurred())
        PyErr_WriteUnraisable(engine->broken);
    Py_XDECREF(told);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(trace);
}

void engine_event(Engine *engine, const char *name, PyObject *session, const char *reason) {
    PyObject *told = reason ? PyObject_CallMethod(engine->events, name, "Os", session, reason)
                            : PyObject_CallMethod(engine->events, name, "O", session);
    if (told == NULL)
        engine_broken(engine);
    Py_XDECREF(told);
}

static void call(Engine *engine, PyObject *function, PyObject *argument) {
    PyObject *done = argument ? PyObject_CallOneArg(function, argument) : PyObject_CallNoArgs(function);
    if (done == NULL)
        engine_broken(engine);
    Py_XDECREF(done);
}

void engine_wants_ticks(Engine *engine) {
    if (engine->ticking)
        return;
    engine->ticking = true;
    call(engine, engine->ticks, NULL);
}

void engine_plan_settling(Engine *engine) {
    if (engine->running || engine->settling_planned || engine->settle == NULL)
        return;
    engine->settling_planned = true;
    call(engine, engine->call_soon, engine->settle);
}

/* Protocols hear of an end when nothing of theirs is running. */
static void settle(Engine *engine) {
    engine->settling_planned = false;
    while (engine->ended != NULL) {
        Connection *connection = engine->ended;
        engine->ended = connection->next;
        connection->next = NULL;
        transport_lost(connection);
        if (connection->ended != NULL) {
            call(engine, connection->ended, NULL);
            Py_CLEAR(connection->ended);
        }
        Py_CLEAR(connection->verdict);
        Py_DECREF(connection);
    }
}

static void look_at_clock(Engine *engine) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    engine->now = now.tv_sec;
}

static void note_peer(Connection *connection) {
    struct sockaddr_storage peer;
    const struct sockaddr_storage *address = &peer;
    socklen_t size = sizeof peer;
    const void *bytes = NULL;
    if (getpeername(connection->fd, (struct sockaddr *)&peer, &size) < 0)
        return;
    if (address->ss_family == AF_INET) {
        bytes = &((const struct sockaddr_in *)address)->sin_addr;
        connection->peer_size = sizeof(struct in_addr);
    } else if (address->ss_family == AF_INET6) {
        bytes = &((const struct sockaddr_in6 *)address)->sin6_addr;
        connection->peer_size = sizeof(struct in6_addr);
    }
    if (bytes != NULL)
        memcpy(connection->peer, bytes, connection->peer_size);
}

/* The engine. */

static PyObject *attach(Engine *self, PyObject *args) {
    int fd;
    PyObject *protocol;
    if (!PyArg_ParseTuple(args, "iO", &fd, &protocol))
        return NULL;
    look_at_clock(self);
    Connection *connection = connection_open(self, fd, ROLE_PROTOCOL);
    if (connection == NULL)
        return NULL;
    note_peer(connection);
    connection->protocol = Py_NewRef(protocol);
    PyObject *made = PyObject_CallMethod(protocol, "connection_made", "O", connection);
    if (made == NULL) {
        connection_end(connection, 0);
        Py_DECREF(connection);
        return NULL;
    }
    Py_DECREF(made);
    return (PyObject *)connection;
}

/* keep(connection, path, uid) */
static PyObject *keep(Engine *self, PyObject *args) {
    Connection *back;
    PyObject *path;
    long uid;
    if (!PyArg_ParseTuple(args, "O!O&l", &Connection_type, &back, PyUnicode_FSConverter, &path, &uid))
        return NULL;
    Backend *backend = backend_find(self, path, uid);
    Py_DECREF(path);
    if (backend == NULL)
        return NULL;
    Py_CLEAR(back->protocol);
    Py_XSETREF(back->backend, backend);
    if (back->fd >= 0 && back->role == ROLE_PROTOCOL) {
        backend_keep(back);
        connection_hold(back, false);
    }
    Py_RETURN_NONE;
}

/* take(path, uid, protocol) */
static PyObject *take(Engine *self, PyObject *args) {
    PyObject *path, *protocol;
    long uid;
    if (!PyArg_ParseTuple(args, "O&lO", PyUnicode_FSConverter, &path, &uid, &protocol))
        return NULL;
    Backend *backend = backend_find(self, path, uid);
    Py_DECREF(path);
    if (backend == NULL)
        return NULL;
    Connection *back = backend_take_spare(backend);
    Py_DECREF(backend);
    if (back == NULL)
        Py_RETURN_FALSE;
    back->protocol = Py_NewRef(protocol);
    PyObject *made = PyObject_CallMethod(protocol, "connection_made", "O", back);
    if (made == NULL)
        return NULL;
    Py_DECREF(made);
    Py_RETURN_TRUE;
}

static PyObject *count_busy(Engine *self, PyObject *user) {
    if (!PyUnicode_Check(user)) {
        PyErr_SetString(PyExc_TypeError, "a user name is wanted");
        return NULL;
    }
    return PyLong_FromUnsignedLong(user_busy(self, user));
}

static PyObject *join(Engine *self, PyObject *args) {
    Connection *client, *session;
    PyObject *ended;
    if (!PyArg_ParseTuple(args, "O!O!O", &Connection_type, &client, &Connection_type, &session, &ended))
        return NULL;
    if (client->role != ROLE_PROTOCOL || session->role != ROLE_PROTOCOL || client->closing || session->closing) {
        PyErr_SetString(PyExc_ValueError, "only open connections can be joined");
        return NULL;
    }
    relay_join(client, session, ended);
    Py_RETURN_NONE;
}

static PyObject *run(Engine *self, PyObject *none) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(self->epoll, events, EVENTS, 0);
    self->running = true;
    look_at_clock(self);
    /* Whoever ends meanwhile is kept until settled, and so is what the events name. */
    for (int index = 0; index < count; index++) {
        Connection *connection = events[index].data.ptr;
        if (connection->fd >= 0)
            connection_event(connection, events[index].events);
    }
    settle(self);
    self->running = false;
    Py_RETURN_NONE;
}

static PyObject *settle_now(Engine *self, PyObject *none) {
    settle(self);
    Py_RETURN_NONE;
}

static PyObject *tick(Engine *self, PyObject *none) {
    look_at_clock(self);
    bool more = backends_tick(self);
    self->ticking = more;
    return PyBool_FromLong(more);
}

static PyObject *forget(Engine *self, PyObject *none) {
    self->generation++;
    PyDict_Clear(self->verdicts);
    Py_RETURN_NONE;
}

static bool is_of(const Verdict *verdict, PyObject *user, PyObject *session) {
    if (user != Py_None)
        return PyUnicode_Compare(verdict->user, user) == 0;
    return session == Py_None || PyUnicode_Compare(verdict->backend->session, session) == 0;
}

/* abandon(user, session): break off what is carried for one of them, of all with None; how many there were. */
static PyObject *abandon(Engine *self, PyObject *args) {
    PyObject *user, *session;
    long count = 0;
    if (!PyArg_ParseTuple(args, "OO", &user, &session))
        return NULL;
    for (Connection *connection = self->open, *next; connection != NULL; connection = next) {
        next = connection->next;
        if (connection->role != ROLE_ANSWERS || !is_of(connection->exchange->verdict, user, session))
            continue;
        Connection *front = connection->other;
        if (next == front)
            next = front->next;
        connection_end(front, 0);
        count++;
    }
    return PyLong_FromLong(count);
}

static PyObject *fileno_of(Engine *self, PyObject *none) { return PyLong_FromLong(self->epoll); }

static bool are_bytes(PyObject *tuple) {
    for (Py_ssize_t index = 0; index < PyTuple_GET_SIZE(tuple); index++)
        if (!PyBytes_Check(PyTuple_GET_ITEM(tuple, index)))
            return false;
    return true;
}

static int take_arguments(Engine *self, PyObject *args, PyObject *names) {
    static char *keywords[] = {"call_soon",      "broken",          "events",       "ticks",       "root_path", "refused",
                               "own_cookies",    "verdict_seconds", "idle_seconds", "spare_limit", "spare_total", "user_limit",  "others", NULL};
    PyObject *call_soon, *broken, *events, *ticks, *root_path, *refused, *own_cookies, *others;
    if (!PyArg_ParseTupleAndKeywords(args, names, "OOOOSO!O!lllllO!", keywords, &call_soon, &broken, &events, &ticks, &root_path,
                                     &PyTuple_Type, &refused, &PyTuple_Type, &own_cookies, &self->verdict_seconds,
                                     &self->idle_seconds, &self->spare_limit, &self->spare_total, &self->user_limit,
                                     &PyDict_Type, &others))
        return -1;
    if (!are_bytes(refused) || !are_bytes(own_cookies)) {
        PyErr_SetString(PyExc_TypeError, "refused and own_cookies are tuples of bytes");
        return -1;
    }
    self->call_soon = Py_NewRef(call_soon);
    self->broken = Py_NewRef(broken);
    self->events = Py_NewRef(events);
    self->ticks = Py_NewRef(ticks);
    self->root_path = Py_NewRef(root_path);
    self->refused = Py_NewRef(refused);
    self->own_cookies = Py_NewRef(own_cookies);
    self->others = Py_NewRef(others);
    return 0;
}

static PyObject *make(PyTypeObject *type, PyObject *args, PyObject *names) {
    Engine *self = (Engine *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->epoll = -1;
    if (take_arguments(self, args, names) < 0 || (self->verdicts = PyDict_New()) == NULL ||
        (self->backends = PyDict_New()) == NULL ||
        (self->settle = PyObject_GetAttrString((PyObject *)self, "settle")) == NULL) {
        Py_DECREF(self);
        return NULL;
    }
    if ((self->epoll = epoll_create1(EPOLL_CLOEXEC)) < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        Py_DECREF(self);
        return NULL;
    }
    look_at_clock(self);
    return (PyObject *)self;
}

/* Ends whatever is left. After this it can be dropped: `settle` refers to the engine itself. */
static PyObject *close_engine(Engine *self, PyObject *none) {
    if (self->running) {
        PyErr_SetString(PyExc_RuntimeError, "the engine is running");
        return NULL;
    }
    while (self->open != NULL)
        connection_end(self->open, 0);
    settle(self);
    PyDict_Clear(self->verdicts);
    /* The first look forgets that sessions were used, the second says so. */
    backends_tick(self);
    backends_tick(self);
    Py_CLEAR(self->settle);
    if (self->epoll >= 0)
        close(self->epoll);
    self->epoll = -1;
    Py_RETURN_NONE;
}

static void deallocate(Engine *self) {
    if (self->epoll >= 0)
        close(self->epoll);
    Py_XDECREF(self->call_soon);
    Py_XDECREF(self->broken);
    Py_XDECREF(self->events);
    Py_XDECREF(self->ticks);
    Py_XDECREF(self->settle);
    Py_XDECREF(self->root_path);
    Py_XDECREF(self->refused);
    Py_XDECREF(self->own_cookies);
    Py_XDECREF(self->others);
    Py_XDECREF(self->verdicts);
    Py_XDECREF(self->backends);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyObject *get_busy(Engine *self, void *none) { return PyLong_FromUnsignedLong(self->busy); }

static PyObject *get_spares(Engine *self, void *none) { return PyLong_FromUnsignedLong(self->spares); }

static PyMethodDef methods[] = {
    {"fileno", (PyCFunction)fileno_of, METH_NOARGS, NULL},
    {"run", (PyCFunction)run, METH_NOARGS, NULL},
    {"settle", (PyCFunction)settle_now, METH_NOARGS, NULL},
    {"tick", (PyCFunction)tick, METH_NOARGS, NULL},
    {"attach", (PyCFunction)attach, METH_VARARGS, NULL},
    {"keep", (PyCFunction)keep, METH_VARARGS, NULL},
    {"take", (PyCFunction)take, METH_VARARGS, NULL},
    {"count_busy", (PyCFunction)count_busy, METH_O, NULL},
    {"join", (PyCFunction)join, METH_VARARGS, NULL},
    {"forget", (PyCFunction)forget, METH_NOARGS, NULL},
    {"abandon", (PyCFunction)abandon, METH_VARARGS, NULL},
    {"close", (PyCFunction)close_engine, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef properties[] = {
    {"busy", (getter)get_busy, NULL, NULL, NULL},
    {"spares", (getter)get_spares, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyTypeObject Engine_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "rserver.proxy._native.Engine",
    .tp_basicsize = sizeof(Engine),
    .tp_new = make,
    .tp_dealloc = (destructor)deallocate,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_methods = methods,
    .tp_getset = properties,
};
