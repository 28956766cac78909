/* The session's Python module: R runs in the thread that calls run(), everything else is for the reactor's thread. */
#define PY_SSIZE_T_CLEAN
#define _GNU_SOURCE
#include <Python.h>

#include <fcntl.h>
#include <unistd.h>

#include "shim/asking.h"
#include "shim/engine.h"
#include "shim/queue.h"
#include "shim/r_api.h"
#include "shim/template_python.h"
#include "shim/thread_locale.h"

static PyObject *os_error(void)
{
    return PyErr_SetFromErrno(PyExc_OSError);
}

/* Puts a pipe in the place of a standard descriptor; returns its reading end, -1 after an error. */
static int capture(int standard)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return -1;
    }
    if (dup2(ends[1], standard) < 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) {
        return -1;
    }
    close(ends[1]);
    return ends[0];
}

static bool replace_standard_descriptors(void)
{
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    start.original_error = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
    if (nothing < 0 || start.original_error < 0 || dup2(nothing, STDIN_FILENO) < 0) {
        return false;
    }
    close(nothing);
    exchange.child_output[0] = capture(STDOUT_FILENO);
    exchange.child_output[1] = capture(STDERR_FILENO);
    return exchange.child_output[0] >= 0 && exchange.child_output[1] >= 0;
}

static PyObject *shim_open(PyObject *module, PyObject *unused)
{
    if (!exchange_open() || !replace_standard_descriptors()) {
        return os_error();
    }
    return Py_BuildValue("(iiii)", exchange.to_reactor, exchange.child_output[0], exchange.child_output[1], start.original_error);
}

char **copy_texts(PyObject *sequence, int *count)
{
    PyObject *fast = PySequence_Fast(sequence, "a sequence of bytes is needed");
    if (fast == NULL) {
        return NULL;
    }
    Py_ssize_t length = PySequence_Fast_GET_SIZE(fast);
    char **texts = PyMem_RawCalloc((size_t)length + 1, sizeof *texts);
    for (Py_ssize_t i = 0; texts != NULL && i < length; i++) {
        const char *text = PyBytes_AsString(PySequence_Fast_GET_ITEM(fast, i));
        if (text == NULL || (texts[i] = strdup(text)) == NULL) {
            Py_DECREF(fast);
            return NULL;
        }
    }
    Py_DECREF(fast);
    *count = (int)length;
    return texts;
}

static PyObject *shim_preload(PyObject *module, PyObject *argument)
{
    const char *library = PyBytes_AsString(argument);
    if (library == NULL) {
        return NULL;
    }
    const char *complaint;
    Py_BEGIN_ALLOW_THREADS
    complaint = r_api_load(library);
    Py_END_ALLOW_THREADS
    return PyBool_FromLong(complaint == NULL);
}

static PyObject *shim_keep_own_locale(PyObject *module, PyObject *unused)
{
    return keep_own_locale() ? Py_NewRef(Py_None) : PyErr_NoMemory();
}

static PyObject *shim_run(PyObject *module, PyObject *arguments)
{
    const char *library;
    PyObject *argv, *sources;
    if (!PyArg_ParseTuple(arguments, "yOOi:run", &library, &argv, &sources, &start.listener)) {
        return NULL;
    }
    start.argv = copy_texts(argv, &start.argc);
    start.source_paths = start.argv ? copy_texts(sources, &start.sources) : NULL;
    if (start.source_paths == NULL) {
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    }
    const char *complaint;
    Py_BEGIN_ALLOW_THREADS
    complaint = r_api_load(library);
    if (complaint == NULL) {
        engine_run();
    }
    Py_END_ALLOW_THREADS
    PyErr_SetString(PyExc_OSError, complaint);
    return NULL;
}

static struct line *make_line(const char *text, size_t size)
{
    struct line *line = malloc(sizeof *line + size);
    if (line == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    *line = (struct line){.size = size};
    memcpy(line->text, text, size);
    return line;
}

/* With the lock held. */
static void queue_line(struct line *line)
{
    line->number = ++exchange.last_line_number;
    *(exchange.first_line ? &exchange.last_line->next : &exchange.first_line) = line;
    exchange.last_line = line;
    exchange.lines++;
    exchange.line_bytes += line->size;
}

static PyObject *shim_submit(PyObject *module, PyObject *arguments)
{
    const char *text;
    Py_ssize_t size;
    struct line *line;
    if (!PyArg_ParseTuple(arguments, "y#:submit", &text, &size) || (line = make_line(text, (size_t)size)) == NULL) {
        return NULL;
    }
    exchange_lock();
    queue_line(line);
    long long number = line->number;
    exchange_unlock();
    ring(exchange.to_r);
    return PyLong_FromLongLong(number);
}

static void free_lines(struct line *line)
{
    for (struct line *next; line != NULL; line = next) {
        next = line->next;
        free(line);
    }
}

/* In the order of the list; NULL with an exception set. */
static struct line *make_lines(PyObject *list)
{
    struct line *first = NULL, **link = &first;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        char *text;
        Py_ssize_t size;
        if (PyBytes_AsStringAndSize(PyList_GET_ITEM(list, i), &text, &size) != 0 ||
            (*link = make_line(text, (size_t)size)) == NULL) {
            free_lines(first);
            return NULL;
        }
        link = &(*link)->next;
    }
    return first;
}

static PyObject *shim_submit_batch(PyObject *module, PyObject *list)
{
    if (!PyList_Check(list) || PyList_GET_SIZE(list) == 0) {
        PyErr_SetString(PyExc_TypeError, "a list of at least one line is needed");
        return NULL;
    }
    struct line *next, *line = make_lines(list);
    if (line == NULL) {
        return NULL;
    }
    exchange_lock();
    long long batch = ++exchange.last_batch;
    for (; line != NULL; line = next) {
        next = line->next;
        line->next = NULL;
        line->batch = batch;
        queue_line(line);
    }
    long long number = exchange.last_line_number;
    exchange_unlock();
    ring(exchange.to_r);
    return Py_BuildValue("(LL)", batch, number);
}

static PyObject *shim_clear_input(PyObject *module, PyObject *unused)
{
    exchange_lock();
    discard_lines();
    exchange_unlock();
    Py_RETURN_NONE;
}

static PyObject *shim_input_backlog(PyObject *module, PyObject *unused)
{
    exchange_lock();
    size_t lines = exchange.lines, bytes = exchange.line_bytes;
    exchange_unlock();
    return Py_BuildValue("(nn)", (Py_ssize_t)lines, (Py_ssize_t)bytes);
}

static bool copy_argument(struct job *job, PyObject *argument)
{
    char *text;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(argument, &text, &size) != 0) {
        return false;
    }
    char *copy = malloc((size_t)size + 1);
    if (copy == NULL) {
        PyErr_NoMemory();
        return false;
    }
    memcpy(copy, text, (size_t)size + 1);
    job->texts[job->arguments] = copy;
    job->sizes[job->arguments++] = (size_t)size;
    return true;
}

static struct job *make_job(long long number, PyObject *list)
{
    size_t count = (size_t)PyList_GET_SIZE(list);
    struct job *job = calloc(1, sizeof *job);
    if (job == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    job->number = number;
    job->texts = calloc(count + 1, sizeof *job->texts);
    job->sizes = calloc(count + 1, sizeof *job->sizes);
    for (size_t i = 0; i < count; i++) {
        if (job->texts == NULL || job->sizes == NULL || !copy_argument(job, PyList_GET_ITEM(list, (Py_ssize_t)i))) {
            job_free(job);
            return PyErr_Occurred() ? NULL : (struct job *)PyErr_NoMemory();
        }
    }
    return job;
}

static PyObject *shim_post_job(PyObject *module, PyObject *arguments)
{
    long long number;
    PyObject *list;
    if (!PyArg_ParseTuple(arguments, "LO!:post_job", &number, &PyList_Type, &list)) {
        return NULL;
    }
    struct job *job = make_job(number, list);
    if (job == NULL) {
        return NULL;
    }
    exchange_lock();
    *(exchange.first_job ? &exchange.last_job->next : &exchange.first_job) = job;
    exchange.last_job = job;
    exchange_unlock();
    ring(exchange.to_r);
    Py_RETURN_NONE;
}

static PyObject *shim_cancel_job(PyObject *module, PyObject *argument)
{
    long long number = PyLong_AsLongLong(argument);
    struct job *found = NULL, *kept = NULL, *job;
    if (number == -1 && PyErr_Occurred()) {
        return NULL;
    }
    exchange_lock();
    for (struct job **link = &exchange.first_job; (job = *link) != NULL;) {
        if (job->number == number) {
            found = job;
            *link = job->next;
        } else {
            kept = job;
            link = &job->next;
        }
    }
    exchange.last_job = kept;
    exchange_unlock();
    if (found != NULL) {
        job_free(found);
    }
    return PyBool_FromLong(found != NULL);
}

static PyObject *shim_pending(PyObject *module, PyObject *unused)
{
    unring(exchange.to_reactor);
    exchange_lock();
    size_t backlog = exchange.backlog;
    bool urgent = exchange.urgent;
    exchange_unlock();
    return Py_BuildValue("(ni)", (Py_ssize_t)backlog, urgent);
}

/* Unlinks the first segments, at least one when there is any, at most about `limit` bytes. */
static struct segment *take_segments(size_t limit, size_t *left)
{
    size_t taken = 0;
    exchange_lock();
    struct segment *first = exchange.head, *last = NULL;
    for (struct segment *at = first; at != NULL && taken < limit; at = at->next) {
        taken += at->first_size + at->second_size;
        last = at;
    }
    if (last != NULL) {
        exchange.head = last->next;
        last->next = NULL;
    }
    if (exchange.head == NULL) {
        exchange.tail = NULL;
        exchange.signalled = exchange.urgent = false;
    }
    exchange.backlog -= taken;
    *left = exchange.head != NULL ? exchange.backlog + 1 : 0;
    pthread_cond_signal(&exchange.room);
    exchange_unlock();
    return first;
}

static PyObject *shim_drain(PyObject *module, PyObject *argument)
{
    size_t left, limit = PyLong_AsSize_t(argument);
    if (PyErr_Occurred()) {
        return NULL;
    }
    PyObject *list = PyList_New(0);
    struct segment *next, *segment = list ? take_segments(limit, &left) : NULL;
    for (; segment != NULL; segment = next) {
        next = segment->next;
        PyObject *item = Py_BuildValue("(iLy#y#)", segment->kind, segment->number, segment->first ? segment->first : "",
                                       (Py_ssize_t)segment->first_size, segment->second ? segment->second : "",
                                       (Py_ssize_t)segment->second_size);
        if (item == NULL || PyList_Append(list, item) != 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(item);
        segment_free(segment);
        if (list == NULL) {
            return NULL;
        }
    }
    return list ? Py_BuildValue("(Nn)", list, (Py_ssize_t)left) : NULL;
}

static PyObject *shim_take_child_output(PyObject *module, PyObject *unused)
{
    exchange_lock();
    bool room = take_child_output();
    exchange_unlock();
    return PyBool_FromLong(room);
}

static PyObject *shim_wake(PyObject *module, PyObject *unused)
{
    exchange_lock();
    pthread_cond_signal(&exchange.room);
    exchange_unlock();
    ring(exchange.to_r);
    Py_RETURN_NONE;
}

static PyObject *shim_interrupt_is_pending(PyObject *module, PyObject *unused)
{
    return PyBool_FromLong(interrupt_is_pending());
}

static PyObject *shim_request_end(PyObject *module, PyObject *save)
{
    request_end(PyObject_IsTrue(save) == 1);
    Py_RETURN_NONE;
}

static PyObject *shim_answer(PyObject *module, PyObject *arguments)
{
    long long number;
    const char *text;
    if (!PyArg_ParseTuple(arguments, "Ly:answer", &number, &text)) {
        return NULL;
    }
    char *copy = strdup(text);
    if (copy == NULL) {
        return PyErr_NoMemory();
    }
    take_answer(number, copy);
    Py_RETURN_NONE;
}

static PyObject *shim_suspend_signals(PyObject *module, PyObject *unused)
{
    int descriptor = suspend_signals();
    return descriptor < 0 ? os_error() : PyLong_FromLong(descriptor);
}

static PyObject *shim_note_temporary_folder(PyObject *module, PyObject *arguments)
{
    const char *name, *text;
    if (!PyArg_ParseTuple(arguments, "ss:note_temporary_folder", &name, &text)) {
        return NULL;
    }
    return temporary_folder_note(name, text) ? Py_NewRef(Py_None) : PyErr_NoMemory();
}

static PyObject *shim_temporary_folder(PyObject *module, PyObject *unused)
{
    /* R sets it once while it starts, and never again. */
    const char *path = r.R_TempDir ? *r.R_TempDir : NULL;
    if (path == NULL) {
        Py_RETURN_NONE;
    }
    return PyUnicode_DecodeFSDefault(path);
}

static PyObject *shim_acknowledge_quit(PyObject *module, PyObject *unused)
{
    exchange_lock();
    exchange.quit_seen = true;
    pthread_cond_signal(&exchange.acknowledged);
    exchange_unlock();
    /* The C library is taking the process down: this thread must touch nothing any more. */
    Py_BEGIN_ALLOW_THREADS
    for (;;) {
        pause();
    }
    Py_END_ALLOW_THREADS
    return NULL;
}

static PyMethodDef methods[] = {
    {"open", shim_open, METH_NOARGS, NULL},
    {"preload", shim_preload, METH_O, NULL},
    {"keep_own_locale", shim_keep_own_locale, METH_NOARGS, NULL},
    {"run", shim_run, METH_VARARGS, NULL},
    {"rehearse", shim_rehearse, METH_NOARGS, NULL},
    {"run_template", shim_run_template, METH_VARARGS, NULL},
    {"submit", shim_submit, METH_VARARGS, NULL},
    {"submit_batch", shim_submit_batch, METH_O, NULL},
    {"clear_input", shim_clear_input, METH_NOARGS, NULL},
    {"input_backlog", shim_input_backlog, METH_NOARGS, NULL},
    {"post_job", shim_post_job, METH_VARARGS, NULL},
    {"cancel_job", shim_cancel_job, METH_O, NULL},
    {"pending", shim_pending, METH_NOARGS, NULL},
    {"drain", shim_drain, METH_O, NULL},
    {"take_child_output", shim_take_child_output, METH_NOARGS, NULL},
    {"wake", shim_wake, METH_NOARGS, NULL},
    {"interrupt_is_pending", shim_interrupt_is_pending, METH_NOARGS, NULL},
    {"request_end", shim_request_end, METH_O, NULL},
    {"answer", shim_answer, METH_VARARGS, NULL},
    {"suspend_signals", shim_suspend_signals, METH_NOARGS, NULL},
    {"note_temporary_folder", shim_note_temporary_folder, METH_VARARGS, NULL},
    {"temporary_folder", shim_temporary_folder, METH_NOARGS, NULL},
    {"acknowledge_quit", shim_acknowledge_quit, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_shim", NULL, -1, methods};

PyMODINIT_FUNC PyInit__shim(void)
{
    return PyModule_Create(&definition);
}
