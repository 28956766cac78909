/* What is known of sessions and callers: sockets with their spare connections, and verdicts of Python. */

#include "native.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { VERDICTS = 4096, VERDICTS_KEPT_SECONDS = 30 };

/* Spare connections. */

static bool is_trusted(int fd, uid_t uid) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && (peer.uid == uid || peer.uid == 0);
}

/* NULL, without an exception, when the session cannot be reached at once: Python goes about that. */
static Connection *reach(Engine *engine, Backend *backend) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return NULL;
    if (connect(fd, (struct sockaddr *)&backend->address, backend->address_size) < 0 || !is_trusted(fd, backend->uid)) {
        close(fd);
        return NULL;
    }
    Connection *back = connection_open(engine, fd, ROLE_PROTOCOL);
    if (back == NULL) {
        PyErr_Clear();
        return NULL;
    }
    back->backend = backend;
    Py_INCREF(backend);
    /* The list of open connections keeps it. */
    Py_DECREF(back);
    return back;
}

Connection *backend_take_spare(Backend *backend) {
    Connection *back = backend->newest;
    if (back != NULL) {
        backend_drop(back);
        back->role = ROLE_PROTOCOL;
    }
    return back;
}

Connection *backend_take(Engine *engine, Backend *backend) {
    Connection *back = backend_take_spare(backend);
    return back ? back : reach(engine, backend);
}

void backend_keep(Connection *back) {
    Backend *backend = back->backend;
    Engine *engine = back->engine;
    if (backend->spares >= (size_t)engine->spare_limit || engine->spares >= (unsigned long)engine->spare_total) {
        connection_end(back, 0);
        return;
    }
    back->role = ROLE_SPARE;
    back->used = engine->now;
    back->older = backend->newest;
    back->newer = NULL;
    if (backend->newest != NULL)
        backend->newest->newer = back;
    else
        backend->oldest = back;
    backend->newest = back;
    backend->spares++;
    engine->spares++;
    engine_wants_ticks(engine);
}

void backend_drop(Connection *back) {
    Backend *backend = back->backend;
    if (back->newer != NULL)
        back->newer->older = back->older;
    else
        backend->newest = back->older;
    if (back->older != NULL)
        back->older->newer = back->newer;
    else
        backend->oldest = back->newer;
    back->newer = back->older = NULL;
    backend->spares--;
    back->engine->spares--;
}

/* A session counts as connected until a second has passed without a request. */
void backend_begins(Engine *engine, Backend *backend) {
    backend->busy++;
    backend->touched = true;
    if (backend->announced)
        return;
    backend->announced = true;
    engine_event(engine, "connected", backend->session, NULL);
    engine_wants_ticks(engine);
}

/* True while there is something to look after. */
static bool backend_tick(Engine *engine, Backend *backend) {
    while (backend->oldest != NULL && engine->now - backend->oldest->used >= engine->idle_seconds)
        connection_end(backend->oldest, 0);
    if (backend->announced && !backend->busy && !backend->touched) {
        backend->announced = false;
        engine_event(engine, "disconnected", backend->session, NULL);
    }
    backend->touched = false;
    return backend->announced || backend->spares;
}

bool backends_tick(Engine *engine) {
    if (++engine->age >= VERDICTS_KEPT_SECONDS) {
        engine->age = 0;
        PyDict_Clear(engine->verdicts);
    }
    PyObject *backends = PyDict_Items(engine->backends);
    if (backends == NULL) {
        engine_broken(engine);
        return true;
    }
    bool more = PyDict_GET_SIZE(engine->verdicts) != 0;
    for (Py_ssize_t index = 0; index < PyList_GET_SIZE(backends); index++) {
        PyObject *item = PyList_GET_ITEM(backends, index), *key = PyTuple_GET_ITEM(item, 0), *backend = PyTuple_GET_ITEM(item, 1);
        bool lives = backend_tick(engine, (Backend *)backend);
        more = more || lives;
        /* Ours are the dict's and the item's: verdicts no longer lead here. */
        if (!lives && Py_REFCNT(backend) == 2 && PyDict_DelItem(engine->backends, key) < 0)
            PyErr_Clear();
    }
    Py_DECREF(backends);
    return more;
}

static Backend *backend_make(PyObject *path, long uid) {
    Backend *backend = PyObject_New(Backend, &Backend_type);
    size_t size = (size_t)PyBytes_GET_SIZE(path);
    if (backend == NULL)
        return NULL;
    memset((char *)backend + sizeof(PyObject), 0, sizeof *backend - sizeof(PyObject));
    backend->uid = (uid_t)uid;
    if (size == 0 || size >= sizeof backend->address.sun_path) {
        PyErr_SetString(PyExc_ValueError, "the path of a session's socket is too long");
        Py_DECREF(backend);
        return NULL;
    }
    backend->address.sun_family = AF_UNIX;
    memcpy(backend->address.sun_path, PyBytes_AS_STRING(path), size);
    backend->address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size + 1);
    return backend;
}

/* A new reference. */
Backend *backend_find(Engine *engine, PyObject *path, long uid) {
    PyObject *key = Py_BuildValue("Ol", path, uid);
    if (key == NULL)
        return NULL;
    Backend *backend = (Backend *)Py_XNewRef(PyDict_GetItemWithError(engine->backends, key));
    if (backend == NULL && !PyErr_Occurred() && (backend = backend_make(path, uid)) != NULL &&
        PyDict_SetItem(engine->backends, key, (PyObject *)backend) < 0)
        Py_CLEAR(backend);
    Py_DECREF(key);
    return backend;
}

unsigned long user_busy(Engine *engine, PyObject *user) {
    PyObject *key, *backend;
    Py_ssize_t position = 0;
    unsigned long count = 0;
    while (PyDict_Next(engine->backends, &position, &key, &backend)) {
        PyObject *owner = ((Backend *)backend)->user;
        if (owner != NULL && PyUnicode_Compare(owner, user) == 0)
            count += ((Backend *)backend)->busy;
    }
    return count;
}

static void name_session(Engine *engine, Backend *backend, PyObject *session, PyObject *user) {
    if (backend->announced && PyUnicode_Compare(backend->session, session) != 0) {
        backend->announced = false;
        engine_event(engine, "disconnected", backend->session, NULL);
    }
    Py_XSETREF(backend->session, Py_NewRef(session));
    Py_XSETREF(backend->user, Py_NewRef(user));
}

/* Verdicts. */

static bool holds(Engine *engine, Verdict *verdict) {
    long age = engine->now - verdict->born;
    if (verdict->generation != engine->generation || age > engine->verdict_seconds)
        return false;
    if (age < engine->verdict_seconds || verdict->refreshing)
        return true;
    /* One request fetches a new verdict, the others need not wait for it. */
    verdict->refreshing = true;
    return false;
}

static bool is_for(const Verdict *verdict, const char *key, size_t size) {
    return (size_t)PyBytes_GET_SIZE(verdict->key) == size && memcmp(PyBytes_AS_STRING(verdict->key), key, size) == 0;
}

/* A borrowed reference that lasts as long as the connection asks for nothing else. */
Verdict *verdict_find(Connection *front, const char *key, size_t size) {
    Engine *engine = front->engine;
    Verdict *known = front->verdict;
    if (known != NULL && is_for(known, key, size) && engine->now - known->born < engine->verdict_seconds &&
        known->generation == engine->generation)
        return known;
    PyObject *bytes = PyBytes_FromStringAndSize(key, (Py_ssize_t)size);
    if (bytes == NULL) {
        PyErr_Clear();
        return NULL;
    }
    Verdict *found = (Verdict *)PyDict_GetItemWithError(engine->verdicts, bytes);
    if (found != NULL && holds(engine, found)) {
        Py_INCREF(found);
        Py_XSETREF(front->verdict, found);
        Py_DECREF(bytes);
        return found;
    }
    PyErr_Clear();
    Py_XSETREF(front->missed, bytes);
    return NULL;
}

bool verdict_learn(Connection *front, PyObject *before, PyObject *after, PyObject *path, long uid, PyObject *user,
                   PyObject *session) {
    Engine *engine = front->engine;
    Backend *backend = backend_find(engine, path, uid);
    if (backend == NULL)
        return false;
    name_session(engine, backend, session, user);
    Verdict *verdict = PyObject_New(Verdict, &Verdict_type);
    if (verdict == NULL) {
        Py_DECREF(backend);
        return false;
    }
    verdict->key = Py_NewRef(front->missed);
    verdict->before = Py_NewRef(before);
    verdict->after = Py_NewRef(after);
    verdict->user = Py_NewRef(user);
    verdict->backend = backend;
    verdict->born = engine->now;
    verdict->generation = engine->generation;
    verdict->refreshing = false;
    if (PyDict_GET_SIZE(engine->verdicts) >= VERDICTS)
        PyDict_Clear(engine->verdicts);
    bool good = PyDict_SetItem(engine->verdicts, verdict->key, (PyObject *)verdict) == 0;
    Py_DECREF(verdict);
    engine_wants_ticks(engine);
    return good;
}

static void backend_deallocate(Backend *self) {
    Py_XDECREF(self->session);
    Py_XDECREF(self->user);
    PyObject_Free(self);
}

static void verdict_deallocate(Verdict *self) {
    Py_DECREF(self->key);
    Py_DECREF(self->before);
    Py_DECREF(self->after);
    Py_DECREF(self->user);
    Py_DECREF(self->backend);
    PyObject_Free(self);
}

PyTypeObject Backend_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "rserver.proxy._native.Backend",
    .tp_basicsize = sizeof(Backend),
    .tp_dealloc = (destructor)backend_deallocate,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
};

PyTypeObject Verdict_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "rserver.proxy._native.Verdict",
    .tp_basicsize = sizeof(Verdict),
    .tp_dealloc = (destructor)verdict_deallocate,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
};
