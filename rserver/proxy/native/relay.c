/* After 101: bytes both ways, uninterpreted, each side as fast as the other reads. */

#include "native.h"

static void join(Connection *connection, Connection *other) {
    connection->role = ROLE_JOINED;
    connection->other = other;
    connection->offered = false;
    Py_CLEAR(connection->protocol);
    Py_CLEAR(connection->verdict);
    Py_CLEAR(connection->missed);
}

void relay_join(Connection *client, Connection *session, PyObject *ended) {
    join(client, session);
    join(session, client);
    client->ended = Py_NewRef(ended);
    connection_hold(client, session->out_size != 0);
    connection_hold(session, client->out_size != 0);
}

void relay_data(Connection *connection, const char *data, size_t size) {
    struct iovec piece = {(char *)data, size};
    Connection *other = connection->other;
    if (connection_send(other, &piece, 1) && other->out_size)
        connection_hold(connection, true);
}

void relay_eof(Connection *connection) {
    Connection *other = connection->other;
    connection_watch(connection);
    if (other->eof)
        connection_close(connection);
    else
        connection_send_eof(other);
}

void relay_part(Connection *connection) {
    Connection *other = connection->other;
    connection->other = other->other = NULL;
    other->role = ROLE_PROTOCOL;
    if (connection->ended == NULL) {
        connection->ended = other->ended;
        other->ended = NULL;
    }
}
