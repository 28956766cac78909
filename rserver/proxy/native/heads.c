/* Heads for Python: what http_head.py would make of them, or None where it has the word. */

#include "native.h"

static PyObject *text(Span span) { return PyUnicode_DecodeLatin1(span.at, (Py_ssize_t)span.size, NULL); }

static PyObject *lower_text(Span span) {
    char small[128], *lower = span.size <= sizeof small ? small : PyMem_Malloc(span.size);
    if (lower == NULL)
        return PyErr_NoMemory();
    memcpy(lower, span.at, span.size);
    lower_bytes(lower, span.size);
    PyObject *found = text((Span){lower, span.size});
    if (lower != small)
        PyMem_Free(lower);
    return found;
}

static bool add(PyObject *fields, PyObject *headers, const Field *field, size_t index) {
    PyObject *name = lower_text(field->name), *value = name ? text(field->value) : NULL;
    PyObject *pair = value ? PyTuple_Pack(2, name, value) : NULL;
    bool good = pair != NULL && PyDict_SetItem(headers, name, value) == 0;
    if (good)
        PyList_SET_ITEM(fields, (Py_ssize_t)index, Py_NewRef(pair));
    Py_XDECREF(pair);
    Py_XDECREF(name);
    Py_XDECREF(value);
    return good;
}

/* "NNNN": fields, headers, length, chunked; None when fields come twice, NULL with an exception. */
static PyObject *described(const Head *head) {
    PyObject *fields = PyList_New((Py_ssize_t)head->count), *headers = PyDict_New(), *found = NULL;
    bool good = fields != NULL && headers != NULL;
    for (size_t index = 0; good && index < head->count; index++)
        good = add(fields, headers, &head->fields[index], index);
    if (good && (size_t)PyDict_GET_SIZE(headers) < head->count)
        found = Py_NewRef(Py_None);
    else if (good && head->length >= 0)
        found = Py_BuildValue("OOLO", fields, headers, (long long)head->length, Py_False);
    else if (good)
        found = Py_BuildValue("OOOO", fields, headers, Py_None, head->chunked ? Py_True : Py_False);
    Py_XDECREF(fields);
    Py_XDECREF(headers);
    return found;
}

PyObject *heads_scan_request(PyObject *self, PyObject *block) {
    char *data;
    Py_ssize_t size;
    Request request;
    if (PyBytes_AsStringAndSize(block, &data, &size) < 0)
        return NULL;
    if (scan_request(data, (size_t)size, &request) != SCAN_DONE || request.head.size != (size_t)size)
        Py_RETURN_NONE;
    PyObject *head = described(&request.head), *method = text(request.method), *target = text(request.target), *found = NULL;
    if (head == Py_None)
        found = Py_NewRef(head);
    else if (head != NULL && method != NULL && target != NULL)
        found = Py_BuildValue("iOOOOOO", request.head.version, head, method, target, request.head.close ? Py_True : Py_False,
                              request.upgrade ? Py_True : Py_False, request.expects ? Py_True : Py_False);
    Py_XDECREF(head);
    Py_XDECREF(method);
    Py_XDECREF(target);
    return found;
}

PyObject *heads_scan_answer(PyObject *self, PyObject *block) {
    char *data;
    Py_ssize_t size;
    Answer answer;
    if (PyBytes_AsStringAndSize(block, &data, &size) < 0)
        return NULL;
    if (scan_answer(data, (size_t)size, &answer) != SCAN_DONE || answer.head.size != (size_t)size)
        Py_RETURN_NONE;
    PyObject *head = described(&answer.head), *reason = text(answer.reason), *found = NULL;
    if (head == Py_None)
        found = Py_NewRef(head);
    else if (head != NULL && reason != NULL)
        found = Py_BuildValue("iOiOO", answer.head.version, head, answer.status, reason,
                              answer.head.close ? Py_True : Py_False);
    Py_XDECREF(head);
    Py_XDECREF(reason);
    return found;
}
