#include "object.h"

#include <errno.h>
#include <string.h>
#include <sys/xattr.h>

#define ACCESS "system.posix_acl_access"
#define PRESET "system.posix_acl_default"

enum { ABSENT = -1 };

typedef struct {
    uint32_t mode, uid;
    int32_t access_length, preset_length;
} Head;

_Static_assert(sizeof(Head) == 16, "as attributes.key packs it");

/* Length of a list that was asked for, ABSENT when there is none, or less when it could not be had. */
static int32_t length_of(ssize_t result) {
    if (result >= 0)
        return (int32_t)result;
    return errno == ENODATA ? ABSENT : ABSENT - 1;
}

/* The lists lie in the key already, one behind the other. */
static void finish(Key *key, const struct stat *status, int32_t access_length, int32_t preset_length) {
    const Head head = {status->st_mode, status->st_uid, access_length, preset_length};
    key->length = 0;
    if (access_length < ABSENT || preset_length < ABSENT)
        return;
    memcpy(key->bytes, &head, sizeof head);
    key->length = sizeof head;
    key->length += access_length > 0 ? (size_t)access_length : 0;
    key->length += preset_length > 0 ? (size_t)preset_length : 0;
}

void key_of_open(Key *key, int fd, const struct stat *status) {
    unsigned char *lists = key->bytes + sizeof(Head);
    int32_t preset_length = ABSENT;
    const int32_t access_length = length_of(fgetxattr(fd, ACCESS, lists, LIST_ROOM));
    if (S_ISDIR(status->st_mode))
        preset_length = length_of(fgetxattr(fd, PRESET, lists + (access_length > 0 ? access_length : 0), LIST_ROOM));
    finish(key, status, access_length, preset_length);
}

void key_of_named(Key *key, const char *name, const struct stat *status) {
    finish(key, status, length_of(lgetxattr(name, ACCESS, key->bytes + sizeof(Head), LIST_ROOM)), ABSENT);
}

static int memo_store(Memo *memo, PyObject *value, const Key *key) {
    Decision *found = &memo->decision;
    int record;
    memo->key.length = 0;
    if (!PyArg_ParseTuple(value, "z#z#y#p;decision", &found->access.bytes, &found->access.length, &found->preset.bytes,
                          &found->preset.length, &found->old_access.bytes, &found->old_access.length, &record))
        return -1;
    Py_INCREF(value);
    Py_XSETREF(memo->value, value);
    memcpy(memo->key.bytes, key->bytes, key->length);
    memo->key.length = key->length;
    return 1;
}

int memo_find(Memo *memo, PyObject *known, const Key *key) {
    if (key->length == 0)
        return 0;
    if (key->length == memo->key.length && memcmp(key->bytes, memo->key.bytes, key->length) == 0)
        return 1;
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)key->bytes, (Py_ssize_t)key->length);
    if (bytes == NULL)
        return -1;
    PyObject *value = PyDict_GetItemWithError(known, bytes);
    Py_DECREF(bytes);
    if (value == NULL)
        return PyErr_Occurred() ? -1 : 0;
    return memo_store(memo, value, key);
}

bool decision_is_idle(const Decision *decision) {
    return decision->access.bytes == NULL && decision->preset.bytes == NULL;
}

static bool set(int fd, const char *name, const List *list) {
    return list->bytes == NULL || fsetxattr(fd, name, list->bytes, (size_t)list->length, 0) == 0;
}

bool decision_apply(const Decision *decision, int fd) {
    if (!set(fd, ACCESS, &decision->access))
        return false;
    if (set(fd, PRESET, &decision->preset))
        return true;
    if (decision->access.bytes != NULL)
        (void)set(fd, ACCESS, &decision->old_access);
    return false;
}
