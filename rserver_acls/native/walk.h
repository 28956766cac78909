/* The walk of tree.walk_in_python, compiled. */

#ifndef RSERVER_ACLS_WALK_H
#define RSERVER_ACLS_WALK_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* walk(top, device, depth, known, visits); see _native.pyi. */
PyObject *walk_below(PyObject *module, PyObject *arguments);

#endif
