/* A connection as Python sees it: asyncio's transport, and what is told to its protocol. */

#include "native.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static PyObject *call(Connection *connection, const char *name, PyObject *argument) {
    PyObject *method = PyObject_GetAttrString(connection->protocol, name);
    PyObject *result = NULL;
    if (method != NULL)
        result = argument ? PyObject_CallOneArg(method, argument) : PyObject_CallNoArgs(method);
    Py_XDECREF(method);
    if (result == NULL) {
        engine_broken(connection->engine);
        connection_end(connection, 0);
    }
    return result;
}

static void tell(Connection *connection, const char *name, PyObject *argument) {
    if (connection->protocol != NULL)
        Py_XDECREF(call(connection, name, argument));
}

void transport_data(Connection *connection, const char *data, size_t size) {
    connection->offered = false;
    PyObject *bytes = PyBytes_FromStringAndSize(data, (Py_ssize_t)size);
    if (bytes == NULL) {
        engine_broken(connection->engine);
        connection_end(connection, 0);
        return;
    }
    tell(connection, "data_received", bytes);
    Py_DECREF(bytes);
}

void transport_eof(Connection *connection) {
    PyObject *keeps = connection->protocol ? call(connection, "eof_received", NULL) : NULL;
    if (keeps == NULL || PyObject_IsTrue(keeps) != 1)
        connection_close(connection);
    Py_XDECREF(keeps);
}

void transport_full(Connection *connection, bool full) {
    connection->full = full;
    tell(connection, full ? "pause_writing" : "resume_writing", NULL);
}

static PyObject *error_of(const Connection *connection) {
    if (connection->error == 0)
        Py_RETURN_NONE;
    return PyObject_CallFunction(PyExc_OSError, "is", connection->error, strerror(connection->error));
}

void transport_lost(Connection *connection) {
    PyObject *error = error_of(connection);
    if (error == NULL) {
        engine_broken(connection->engine);
        return;
    }
    tell(connection, "connection_lost", error);
    Py_DECREF(error);
    Py_CLEAR(connection->protocol);
}

/* Methods. */

static void watch_fullness(Connection *connection) {
    if (connection->role == ROLE_PROTOCOL && !connection->full && connection->out_size > HIGH_WATER)
        transport_full(connection, true);
}

static PyObject *write_one(Connection *self, PyObject *data) {
    Py_buffer view;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    if (!self->closing && !self->eof_wanted && view.len) {
        struct iovec piece = {view.buf, (size_t)view.len};
        if (connection_send(self, &piece, 1))
            watch_fullness(self);
    }
    PyBuffer_Release(&view);
    Py_RETURN_NONE;
}

enum { AT_ONCE = 32 };

/* The pieces from `first` on; false with an exception when one of them is not bytes. */
static bool write_some(Connection *self, PyObject *pieces, Py_ssize_t first, Py_ssize_t end) {
    struct iovec vector[AT_ONCE];
    for (Py_ssize_t index = first; index < end; index++) {
        char *data;
        Py_ssize_t size;
        if (PyBytes_AsStringAndSize(PySequence_Fast_GET_ITEM(pieces, index), &data, &size) < 0)
            return false;
        vector[index - first] = (struct iovec){data, (size_t)size};
    }
    if (!self->closing && !self->eof_wanted && end > first)
        connection_send(self, vector, (int)(end - first));
    return true;
}

static PyObject *write_lines(Connection *self, PyObject *iterable) {
    PyObject *pieces = PySequence_Fast(iterable, "a list of bytes is wanted");
    if (pieces == NULL)
        return NULL;
    Py_ssize_t count = PySequence_Fast_GET_SIZE(pieces);
    bool good = true;
    for (Py_ssize_t index = 0; good && index < count; index += AT_ONCE)
        good = write_some(self, pieces, index, index + AT_ONCE < count ? index + AT_ONCE : count);
    Py_DECREF(pieces);
    if (!good)
        return NULL;
    if (self->fd >= 0)
        watch_fullness(self);
    Py_RETURN_NONE;
}

static PyObject *write_eof(Connection *self, PyObject *none) {
    if (self->fd >= 0)
        connection_send_eof(self);
    Py_RETURN_NONE;
}

static PyObject *can_write_eof(Connection *self, PyObject *none) { Py_RETURN_TRUE; }

static PyObject *close_later(Connection *self, PyObject *none) {
    if (self->fd >= 0 && !self->closing)
        connection_close(self);
    Py_RETURN_NONE;
}

static PyObject *abort_now(Connection *self, PyObject *none) {
    connection_end(self, 0);
    Py_RETURN_NONE;
}

static PyObject *is_closing(Connection *self, PyObject *none) { return PyBool_FromLong(self->closing); }

static PyObject *is_reading(Connection *self, PyObject *none) {
    return PyBool_FromLong(self->reading && !self->closing && !self->eof);
}

static PyObject *pause_reading(Connection *self, PyObject *none) {
    if (!self->closing)
        connection_hold(self, true);
    Py_RETURN_NONE;
}

static PyObject *resume_reading(Connection *self, PyObject *none) {
    if (!self->closing)
        connection_hold(self, false);
    Py_RETURN_NONE;
}

static PyObject *write_buffer_size(Connection *self, PyObject *none) { return PyLong_FromSize_t(self->out_size); }

static PyObject *set_protocol(Connection *self, PyObject *protocol) {
    Py_XSETREF(self->protocol, Py_NewRef(protocol));
    Py_RETURN_NONE;
}

static PyObject *get_protocol(Connection *self, PyObject *none) {
    return Py_NewRef(self->protocol ? self->protocol : Py_None);
}

static PyObject *peer_name(Connection *self) {
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    char text[INET6_ADDRSTRLEN];
    if (self->fd < 0 || getpeername(self->fd, (struct sockaddr *)&address, &size) < 0)
        Py_RETURN_NONE;
    if (address.ss_family == AF_INET) {
        struct sockaddr_in *four = (struct sockaddr_in *)&address;
        inet_ntop(AF_INET, &four->sin_addr, text, sizeof text);
        return Py_BuildValue("si", text, ntohs(four->sin_port));
    }
    if (address.ss_family == AF_INET6) {
        struct sockaddr_in6 *six = (struct sockaddr_in6 *)&address;
        inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof text);
        return Py_BuildValue("siII", text, ntohs(six->sin6_port), ntohl(six->sin6_flowinfo), six->sin6_scope_id);
    }
    Py_RETURN_NONE;
}

static PyObject *set_option(Connection *self, PyObject *args) {
    int level, name, number;
    PyObject *value;
    if (!PyArg_ParseTuple(args, "iiO", &level, &name, &value))
        return NULL;
    const void *data = &number;
    socklen_t size = sizeof number;
    if (PyBytes_Check(value)) {
        data = PyBytes_AS_STRING(value);
        size = (socklen_t)PyBytes_GET_SIZE(value);
    } else if ((number = (int)PyLong_AsLong(value)) == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (setsockopt(self->fd, level, name, data, size) < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    Py_RETURN_NONE;
}

enum { LARGEST_OPTION = 1024 };

static PyObject *get_option(Connection *self, PyObject *args) {
    int level, name, number = 0, size = 0;
    char buffer[LARGEST_OPTION];
    if (!PyArg_ParseTuple(args, "ii|i", &level, &name, &size))
        return NULL;
    if (size < 0 || size > LARGEST_OPTION) {
        PyErr_SetString(PyExc_ValueError, "the size of an option is 0 to 1024 bytes");
        return NULL;
    }
    socklen_t length = size ? (socklen_t)size : (socklen_t)sizeof number;
    if (getsockopt(self->fd, level, name, size ? (void *)buffer : (void *)&number, &length) < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    return size ? PyBytes_FromStringAndSize(buffer, (Py_ssize_t)length) : PyLong_FromLong(number);
}

static PyObject *extra_info(Connection *self, PyObject *const *args, Py_ssize_t count) {
    if (count < 1 || !PyUnicode_Check(args[0])) {
        PyErr_SetString(PyExc_TypeError, "get_extra_info(name, default=None)");
        return NULL;
    }
    if (PyUnicode_CompareWithASCIIString(args[0], "peername") == 0)
        return peer_name(self);
    if (PyUnicode_CompareWithASCIIString(args[0], "socket") == 0)
        return Py_NewRef(self); /* options can be asked for and set, which is all that is wanted of it */
    return Py_NewRef(count > 1 ? args[1] : Py_None);
}

static PyObject *offer(Connection *self, PyObject *none) {
    self->offered = !self->closing && self->role == ROLE_PROTOCOL;
    Py_RETURN_NONE;
}

static PyObject *withdraw(Connection *self, PyObject *none) {
    Py_CLEAR(self->missed);
    Py_RETURN_NONE;
}

static PyObject *learn(Connection *self, PyObject *args) {
    PyObject *before, *after, *path, *user, *session;
    long uid;
    if (!PyArg_ParseTuple(args, "SSO&lUU", &before, &after, PyUnicode_FSConverter, &path, &uid, &user, &session))
        return NULL;
    bool good = self->missed == NULL || verdict_learn(self, before, after, path, uid, user, session);
    Py_DECREF(path);
    if (!good)
        return NULL;
    Py_CLEAR(self->missed);
    Py_RETURN_NONE;
}

static PyObject *get_wants_lesson(Connection *self, void *none) { return PyBool_FromLong(self->missed != NULL); }

static PyObject *has_carried(Connection *self, PyObject *none) {
    bool carried = self->carried;
    self->carried = false;
    return PyBool_FromLong(carried || self->role == ROLE_CARRIED);
}

static PyMethodDef methods[] = {
    {"write", (PyCFunction)write_one, METH_O, NULL},
    {"writelines", (PyCFunction)write_lines, METH_O, NULL},
    {"write_eof", (PyCFunction)write_eof, METH_NOARGS, NULL},
    {"can_write_eof", (PyCFunction)can_write_eof, METH_NOARGS, NULL},
    {"close", (PyCFunction)close_later, METH_NOARGS, NULL},
    {"abort", (PyCFunction)abort_now, METH_NOARGS, NULL},
    {"is_closing", (PyCFunction)is_closing, METH_NOARGS, NULL},
    {"is_reading", (PyCFunction)is_reading, METH_NOARGS, NULL},
    {"pause_reading", (PyCFunction)pause_reading, METH_NOARGS, NULL},
    {"resume_reading", (PyCFunction)resume_reading, METH_NOARGS, NULL},
    {"get_write_buffer_size", (PyCFunction)write_buffer_size, METH_NOARGS, NULL},
    {"set_protocol", (PyCFunction)set_protocol, METH_O, NULL},
    {"get_protocol", (PyCFunction)get_protocol, METH_NOARGS, NULL},
    {"get_extra_info", (PyCFunction)(void (*)(void))extra_info, METH_FASTCALL, NULL},
    {"setsockopt", (PyCFunction)set_option, METH_VARARGS, NULL},
    {"getsockopt", (PyCFunction)get_option, METH_VARARGS, NULL},
    {"has_carried", (PyCFunction)has_carried, METH_NOARGS, NULL},
    {"offer", (PyCFunction)offer, METH_NOARGS, NULL},
    {"withdraw", (PyCFunction)withdraw, METH_NOARGS, NULL},
    {"learn", (PyCFunction)learn, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef properties[] = {
    {"wants_lesson", (getter)get_wants_lesson, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static void deallocate(Connection *self) {
    if (self->fd >= 0)
        close(self->fd);
    PyMem_Free(self->out);
    if (self->exchange != NULL)
        exchange_free(self->exchange);
    Py_XDECREF(self->protocol);
    Py_XDECREF(self->ended);
    Py_XDECREF(self->verdict);
    Py_XDECREF(self->missed);
    Py_XDECREF(self->backend);
    Py_XDECREF(self->engine);
    PyObject_Free(self);
}

PyTypeObject Connection_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "rserver.proxy._native.Connection",
    .tp_basicsize = sizeof(Connection),
    .tp_dealloc = (destructor)deallocate,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_methods = methods,
    .tp_getset = properties,
};
