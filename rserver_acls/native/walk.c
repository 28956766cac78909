#include "walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "object.h"

enum {
    OPEN = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
    ENTRIES_ROOM = 16 * 1024,
    MOST_ENTRIES = ENTRIES_ROOM / 24, /* the least that an entry takes */
    COUNTED_AT_ONCE = 1000
};

/* What the kernel told of a folder at once. */
typedef struct {
    const struct dirent64 *sorted[MOST_ENTRIES];
    char bytes[ENTRIES_ROOM];
} Entries;

/* An open folder on the way down. */
typedef struct {
    int fd;
    size_t path; /* length of the path of the entries without their names */
    Entries *entries;
    size_t next, count; /* in entries->sorted */
} Level;

typedef struct {
    dev_t device;
    PyObject *known, *visits;
    Level *levels;
    size_t height, depth; /* of levels in use, and of all */
    char *path;           /* of the current entry, ended by 0 */
    size_t path_room;
    Key key;
    Memo files, folders;
    long changed, unchanged;
    bool is_idle;       /* the last file needed nothing, so the next one may */
    const Level *here; /* whose folder is the working directory, or NULL */
} Walk;

/* What a step may end with besides 0. */
enum { FAILED = -1, ENTERED = 1 };

static PyObject *path_of(const Walk *walk) {
    return PyUnicode_DecodeFSDefault(walk->path);
}

/* Call visits.<method>(fd, path); NULL and an exception. */
static PyObject *visit(const Walk *walk, const char *method, int fd) {
    PyObject *path = path_of(walk);
    if (path == NULL)
        return NULL;
    return PyObject_CallMethod(walk->visits, method, "iN", fd, path);
}

static int done(PyObject *result) {
    Py_XDECREF(result);
    return result == NULL ? FAILED : 0;
}

static int not_opened(const Walk *walk, int number) {
    PyObject *path = path_of(walk);
    if (path == NULL)
        return FAILED;
    return done(PyObject_CallMethod(walk->visits, "not_opened", "Ni", path, number));
}

static int tell_counts(Walk *walk) {
    const long changed = walk->changed, unchanged = walk->unchanged;
    walk->changed = walk->unchanged = 0;
    return done(PyObject_CallMethod(walk->visits, "counted", "ll", changed, unchanged));
}

static int count(Walk *walk, bool is_idle) {
    if (is_idle)
        walk->unchanged++;
    else
        walk->changed++;
    return walk->changed + walk->unchanged < COUNTED_AT_ONCE ? 0 : tell_counts(walk);
}

/* A file with several names may lie elsewhere too: that is for Python to judge. */
static bool may_be_known(const Walk *walk, const struct stat *status) {
    if (status->st_dev != walk->device)
        return false;
    return S_ISDIR(status->st_mode) || (S_ISREG(status->st_mode) && status->st_nlink == 1);
}

/* 1: the open object was like others, and is now as they are; 0: it must be visited. */
static int settle(Walk *walk, int fd, Memo *memo) {
    struct stat status;
    if (fstat(fd, &status) < 0 || !may_be_known(walk, &status))
        return 0;
    key_of_open(&walk->key, fd, &status);
    const int found = memo_find(memo, walk->known, &walk->key);
    if (found <= 0)
        return found;
    if (!decision_apply(&memo->decision, fd))
        return 0;
    const bool is_idle = decision_is_idle(&memo->decision);
    if (memo == &walk->files)
        walk->is_idle = is_idle;
    return count(walk, is_idle) < 0 ? FAILED : 1;
}

/* 1: the file of that name needs nothing. Read by name, so it decides no change. */
static int peek(Walk *walk, const Level *level, const char *name) {
    struct stat status;
    if (walk->here != level && fchdir(level->fd) < 0)
        return 0;
    walk->here = level;
    if (fstatat(level->fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0 || !may_be_known(walk, &status))
        return 0;
    key_of_named(&walk->key, name, &status);
    const int found = memo_find(&walk->files, walk->known, &walk->key);
    if (found <= 0 || !decision_is_idle(&walk->files.decision))
        return found < 0 ? FAILED : 0;
    return count(walk, true) < 0 ? FAILED : 1;
}

static int do_file(Walk *walk, const Level *level, const char *name) {
    if (walk->is_idle) {
        const int idle = peek(walk, level, name);
        if (idle != 0)
            return idle < 0 ? FAILED : 0;
        walk->is_idle = false;
    }
    const int fd = openat(level->fd, name, OPEN);
    if (fd < 0)
        return not_opened(walk, errno);
    const int settled = settle(walk, fd, &walk->files);
    if (settled == 0)
        return done(visit(walk, "file", fd));
    close(fd);
    return settled < 0 ? FAILED : 0;
}

/* The folder that was opened and visited is walked next. */
static int enter(Walk *walk, int fd) {
    const size_t length = strlen(walk->path);
    if (walk->height == walk->depth) {
        close(fd);
        PyObject *path = path_of(walk);
        return path == NULL ? FAILED : done(PyObject_CallMethod(walk->visits, "too_deep", "N", path));
    }
    Level *level = &walk->levels[walk->height];
    *level = (Level){.fd = fd, .path = length == 0 ? 0 : length + 1, .entries = PyMem_Malloc(sizeof(Entries))};
    walk->height++;
    if (level->entries == NULL) {
        PyErr_NoMemory();
        return FAILED;
    }
    if (length > 0)
        memcpy(walk->path + length, "/", 2);
    return ENTERED;
}

static int do_folder(Walk *walk, const Level *level, const char *name) {
    const int fd = openat(level->fd, name, OPEN | O_DIRECTORY);
    if (fd < 0)
        return not_opened(walk, errno);
    const int settled = settle(walk, fd, &walk->folders);
    if (settled == 1)
        return enter(walk, fd);
    if (settled < 0) {
        close(fd);
        return FAILED;
    }
    PyObject *result = visit(walk, "folder", fd);
    const long next = result == NULL ? -1 : PyLong_AsLong(result);
    if (done(result) < 0 || PyErr_Occurred())
        return FAILED;
    return next < 0 ? 0 : enter(walk, (int)next);
}

/* Append the name of an entry, and room for a slash, to the path. */
static int set_name(Walk *walk, const Level *level, const char *name) {
    const size_t length = strlen(name), needed = level->path + length + 2;
    if (needed > walk->path_room) {
        char *larger = PyMem_Realloc(walk->path, 2 * needed);
        if (larger == NULL) {
            PyErr_NoMemory();
            return FAILED;
        }
        walk->path = larger;
        walk->path_room = 2 * needed;
    }
    memcpy(walk->path + level->path, name, length + 1);
    return 0;
}

/* Some file systems do not say in the folder what an entry is. */
static int type_of(const Level *level, const struct dirent64 *entry) {
    struct stat status;
    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type;
    if (fstatat(level->fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return FAILED;
    return IFTODT(status.st_mode);
}

static int do_entry(Walk *walk, const Level *level, const struct dirent64 *entry) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
        return 0;
    if (set_name(walk, level, entry->d_name) < 0)
        return FAILED;
    const int type = type_of(level, entry);
    if (type < 0)
        return not_opened(walk, errno);
    if (type == DT_REG)
        return do_file(walk, level, entry->d_name);
    return type == DT_DIR ? do_folder(walk, level, entry->d_name) : 0;
}

static int by_inode(const void *one, const void *other) {
    const struct dirent64 *const *a = one, *const *b = other;
    return ((*a)->d_ino > (*b)->d_ino) - ((*a)->d_ino < (*b)->d_ino);
}

/* In the order in which they lie on the disk, and mostly in memory. */
static void sort(Level *level, size_t size) {
    Entries *entries = level->entries;
    level->next = level->count = 0;
    for (size_t at = 0; at < size && level->count < MOST_ENTRIES; level->count++) {
        const struct dirent64 *entry = (const struct dirent64 *)(entries->bytes + at);
        entries->sorted[level->count] = entry;
        at += entry->d_reclen;
    }
    qsort(entries->sorted, level->count, sizeof *entries->sorted, by_inode);
}

/* 1: there are more entries; 0: that were all of this folder. */
static int fill(Level *level) {
    const ssize_t got = getdents64(level->fd, level->entries->bytes, ENTRIES_ROOM);
    if (got < 0 && errno != ENOENT) {
        PyErr_SetFromErrno(PyExc_OSError);
        return FAILED;
    }
    sort(level, got > 0 ? (size_t)got : 0); /* ENOENT: the folder was removed */
    return got > 0;
}

static void leave(Walk *walk) {
    const Level *level = &walk->levels[--walk->height];
    if (walk->height > 0)
        close(level->fd);
    PyMem_Free(level->entries);
    if (walk->here == level)
        walk->here = NULL;
}

/* The entries of the last level up to the next folder, which becomes a level; 0 when there is none any more. */
static int step(Walk *walk) {
    Level *level = &walk->levels[walk->height - 1];
    for (;;) {
        if (level->next == level->count) {
            const int filled = fill(level);
            if (filled <= 0)
                return filled;
        }
        const int result = do_entry(walk, level, level->entries->sorted[level->next++]);
        if (result != 0)
            return result;
    }
}

static int run(Walk *walk, int top) {
    int result = set_name(walk, &(Level){.path = 0}, "");
    if (result == 0)
        result = enter(walk, top);
    while (result != FAILED && walk->height > 0) {
        result = step(walk);
        if (result == 0)
            leave(walk);
    }
    return result == FAILED ? FAILED : tell_counts(walk);
}

PyObject *walk_below(PyObject *Py_UNUSED(module), PyObject *arguments) {
    int top;
    unsigned long long device;
    Py_ssize_t depth;
    PyObject *known, *visits;
    if (!PyArg_ParseTuple(arguments, "iKnO!O", &top, &device, &depth, &PyDict_Type, &known, &visits))
        return NULL;
    Walk *walk = PyMem_Calloc(1, sizeof *walk);
    if (walk == NULL)
        return PyErr_NoMemory();
    walk->device = (dev_t)device;
    walk->known = known;
    walk->visits = visits;
    walk->depth = depth > 0 ? (size_t)depth : 1;
    walk->levels = PyMem_Calloc(walk->depth, sizeof *walk->levels);
    const int result = walk->levels == NULL ? (PyErr_NoMemory(), FAILED) : run(walk, top);
    while (walk->height > 0)
        leave(walk);
    Py_CLEAR(walk->files.value);
    Py_CLEAR(walk->folders.value);
    PyMem_Free(walk->path);
    PyMem_Free(walk->levels);
    PyMem_Free(walk);
    if (result < 0)
        return NULL;
    Py_RETURN_NONE;
}
