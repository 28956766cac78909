/* Bytes in and out of one descriptor. */

#include "native.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

Connection *connection_open(Engine *engine, int fd, Role role) {
    Connection *connection = PyObject_New(Connection, &Connection_type);
    if (connection == NULL) {
        close(fd);
        return NULL;
    }
    memset((char *)connection + sizeof(PyObject), 0, sizeof *connection - sizeof(PyObject));
    connection->engine = engine;
    Py_INCREF(engine);
    connection->fd = fd;
    connection->role = role;
    connection->reading = true;
    connection->watched = EPOLLIN | EPOLLRDHUP;
    struct epoll_event event = {.events = connection->watched, .data.ptr = connection};
    if (epoll_ctl(engine->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        close(fd);
        connection->fd = -1;
        Py_DECREF(connection);
        return NULL;
    }
    /* The list of open ones holds a reference. */
    Py_INCREF(connection);
    connection->next = engine->open;
    if (engine->open != NULL)
        engine->open->previous = connection;
    engine->open = connection;
    return connection;
}

static uint32_t wanted(const Connection *connection) {
    uint32_t events = connection->out_size ? EPOLLOUT : 0;
    if (connection->reading && !connection->eof)
        return events | EPOLLIN | EPOLLRDHUP;
    /* Somebody who awaits an answer may leave; of others that are held nothing is to be heard. */
    return connection->role == ROLE_CARRIED ? events | EPOLLRDHUP : events;
}

void connection_watch(Connection *connection) {
    uint32_t events = wanted(connection);
    if (connection->fd < 0 || (events == connection->watched && !connection->hidden))
        return;
    if (connection->hidden && events == 0)
        return;
    struct epoll_event event = {.events = events, .data.ptr = connection};
    epoll_ctl(connection->engine->epoll, connection->hidden ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, connection->fd, &event);
    connection->watched = events;
    connection->hidden = false;
}

void connection_hold(Connection *connection, bool held) {
    connection->reading = !held;
    connection_watch(connection);
}

/* A descriptor that hung up is reported whether one asks or not: it is taken out until somebody reads again. */
static void hide(Connection *connection) {
    epoll_ctl(connection->engine->epoll, EPOLL_CTL_DEL, connection->fd, NULL);
    connection->hidden = true;
}

static void unlist(Connection *connection) {
    Engine *engine = connection->engine;
    if (connection->previous != NULL)
        connection->previous->next = connection->next;
    else
        engine->open = connection->next;
    if (connection->next != NULL)
        connection->next->previous = connection->previous;
    connection->previous = NULL;
    connection->next = engine->ended;
    engine->ended = connection;
    engine_plan_settling(engine);
}

/* What becomes of the other one of two that are bound to each other. */
static void part(Connection *connection, int error) {
    Connection *other = connection->other;
    Role role = connection->role;
    if (role == ROLE_SPARE)
        backend_drop(connection);
    if (role == ROLE_CARRIED || role == ROLE_ANSWERS)
        exchange_part(role == ROLE_ANSWERS ? connection : other);
    connection->role = ROLE_PROTOCOL;
    if (role == ROLE_JOINED)
        relay_part(connection);
    if (other == NULL)
        return;
    if (role == ROLE_JOINED && error == 0)
        connection_close(other);
    else
        connection_end(other, error);
}

void connection_end(Connection *connection, int error) {
    if (connection->fd < 0)
        return;
    int fd = connection->fd;
    connection->fd = -1;
    connection->error = error;
    connection->closing = true;
    connection->offered = false;
    close(fd);
    PyMem_Free(connection->out);
    connection->out = NULL;
    connection->out_start = connection->out_size = connection->out_room = 0;
    unlist(connection);
    part(connection, error);
}

void connection_close(Connection *connection) {
    connection->closing = true;
    if (connection->role == ROLE_CARRIED)
        return;
    connection_hold(connection, true);
    if (connection->out_size == 0)
        connection_end(connection, 0);
}

void connection_send_eof(Connection *connection) {
    connection->eof_wanted = true;
    if (connection->out_size == 0 && !connection->eof_sent && connection->fd >= 0) {
        connection->eof_sent = true;
        shutdown(connection->fd, SHUT_WR);
    }
}

static void lost(Connection *connection, int error) {
    if (connection->role == ROLE_ANSWERS)
        answer_failed(connection, strerror(error));
    else
        connection_end(connection, error);
}

static bool make_room(Connection *connection, size_t size) {
    if (connection->out_start + connection->out_size + size <= connection->out_room)
        return true;
    size_t room = connection->out_size + size;
    char *out = PyMem_Malloc(room);
    if (out == NULL)
        return false;
    if (connection->out_size)
        memcpy(out, connection->out + connection->out_start, connection->out_size);
    PyMem_Free(connection->out);
    connection->out = out;
    connection->out_start = 0;
    connection->out_room = room;
    return true;
}

static bool queue(Connection *connection, const struct iovec *pieces, int count, size_t sent) {
    size_t size = 0;
    for (int index = 0; index < count; index++)
        size += pieces[index].iov_len;
    if (!make_room(connection, size - sent))
        return false;
    for (int index = 0; index < count; index++) {
        size_t skipped = sent < pieces[index].iov_len ? sent : pieces[index].iov_len, rest = pieces[index].iov_len - skipped;
        sent -= skipped;
        if (rest == 0)
            continue;
        memcpy(connection->out + connection->out_start + connection->out_size, (char *)pieces[index].iov_base + skipped, rest);
        connection->out_size += rest;
    }
    connection_watch(connection);
    return true;
}

bool connection_send(Connection *connection, struct iovec *pieces, int count) {
    size_t size = 0;
    for (int index = 0; index < count; index++)
        size += pieces[index].iov_len;
    if (connection->fd < 0)
        return false;
    ssize_t sent = 0;
    if (connection->out_size == 0) {
        struct msghdr message = {.msg_iov = pieces, .msg_iovlen = (size_t)count};
        sent = sendmsg(connection->fd, &message, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR) {
            lost(connection, errno);
            return false;
        }
        sent = sent < 0 ? 0 : sent;
    }
    if ((size_t)sent == size)
        return true;
    if (queue(connection, pieces, count, (size_t)sent))
        return true;
    lost(connection, ENOMEM);
    return false;
}

static void forget_out(Connection *connection) {
    PyMem_Free(connection->out);
    connection->out = NULL;
    connection->out_start = connection->out_room = 0;
}

static void drained(Connection *connection) {
    forget_out(connection);
    if (connection->eof_wanted)
        connection_send_eof(connection);
    Connection *other = connection->other;
    if (other != NULL && connection->role != ROLE_ANSWERS && !other->reading)
        connection_hold(other, false);
    if (connection->closing && connection->role != ROLE_CARRIED)
        connection_end(connection, 0);
}

static void flush(Connection *connection) {
    ssize_t sent = send(connection->fd, connection->out + connection->out_start, connection->out_size, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        lost(connection, errno);
        return;
    }
    if (sent > 0) {
        connection->out_start += (size_t)sent;
        connection->out_size -= (size_t)sent;
    }
    if (connection->full && connection->out_size <= LOW_WATER)
        transport_full(connection, false);
    if (connection->fd >= 0 && connection->out_size == 0)
        drained(connection);
    connection_watch(connection);
}

static void at_eof(Connection *connection) {
    connection->eof = true;
    switch (connection->role) {
    case ROLE_PROTOCOL:
        connection_watch(connection);
        transport_eof(connection);
        break;
    case ROLE_ANSWERS:
        answer_eof(connection);
        break;
    case ROLE_JOINED:
        relay_eof(connection);
        break;
    default:
        connection_end(connection, 0);
    }
}

static void received(Connection *connection, const char *data, size_t size) {
    switch (connection->role) {
    case ROLE_PROTOCOL:
        if (!connection->offered || !request_carried(connection, data, size))
            transport_data(connection, data, size);
        break;
    case ROLE_ANSWERS:
        answer_data(connection, data, size);
        break;
    case ROLE_JOINED:
        relay_data(connection, data, size);
        break;
    default:
        /* Nobody asked: the two sides disagree about where an answer ended. */
        connection_end(connection, 0);
    }
}

static void readable(Connection *connection) {
    ssize_t size = recv(connection->fd, connection->engine->in, READ_SIZE, 0);
    if (size > 0)
        received(connection, connection->engine->in, (size_t)size);
    else if (size == 0)
        at_eof(connection);
    else if (errno != EAGAIN && errno != EINTR)
        lost(connection, errno);
}

void connection_event(Connection *connection, uint32_t events) {
    bool gone = events & (EPOLLHUP | EPOLLERR);
    if ((events & EPOLLOUT) && connection->out_size)
        flush(connection);
    if (connection->fd < 0)
        return;
    if (connection->role == ROLE_CARRIED) {
        /* A client that half-closes while it is owed an answer has given up; one that asks ahead waits. */
        if (gone || (events & EPOLLRDHUP))
            connection_end(connection, 0);
        else if (events & EPOLLIN)
            connection_hold(connection, true);
    } else if (connection->reading && !connection->eof) {
        if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
            readable(connection);
    } else if (gone) {
        if (connection->out_size)
            flush(connection);
        else
            hide(connection);
    }
}
