/* One open file or folder: what it looks like, and what was decided for all that look so.

   Nothing here knows what an access control list means. Python decides for the first object of each look, by its
   key (attributes.key), and the same bytes are then given to the others. */

#ifndef RSERVER_ACLS_OBJECT_H
#define RSERVER_ACLS_OBJECT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>
#include <sys/stat.h>

enum { LIST_ROOM = 4096, KEY_ROOM = 16 + 2 * LIST_ROOM };

typedef struct {
    size_t length; /* 0: there is none */
    unsigned char bytes[KEY_ROOM];
} Key;

typedef struct {
    const char *bytes; /* NULL: this list stays as it is */
    Py_ssize_t length;
} List;

typedef struct {
    List access, preset; /* the new lists; preset: the default list of a folder */
    List old_access;
} Decision;

/* The last key that was looked up, with its decision: neighbours mostly look the same. */
typedef struct {
    Key key;
    PyObject *value; /* keeps the bytes of the decision */
    Decision decision;
} Memo;

/* The key of an open object; none when its lists cannot be read or are too long. */
void key_of_open(Key *key, int fd, const struct stat *status);

/* The same of a file in the working directory, which is not opened. */
void key_of_named(Key *key, const char *name, const struct stat *status);

/* 1: *memo has the decision for this key; 0: there is none; -1: a Python exception. */
int memo_find(Memo *memo, PyObject *known, const Key *key);

bool decision_is_idle(const Decision *decision);

/* Both new lists are set, or none and false. */
bool decision_apply(const Decision *decision, int fd);

#endif
