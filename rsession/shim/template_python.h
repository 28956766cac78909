/* The template's side of the Python module. */
#ifndef RSESSION_TEMPLATE_PYTHON_H
#define RSESSION_TEMPLATE_PYTHON_H

#ifndef PY_SSIZE_T_CLEAN
#define PY_SSIZE_T_CLEAN
#endif
#include <Python.h>

/* _shim.c: copies a sequence of bytes objects, the copies live as long as the process; NULL with an exception set. */
char **copy_texts(PyObject *sequence, int *count);

PyObject *shim_rehearse(PyObject *module, PyObject *unused);
PyObject *shim_run_template(PyObject *module, PyObject *arguments);

#endif
