/* The module rserver_acls._native: it runs in the walled-in process, and only there. */

#include "native/walk.h"

static PyMethodDef methods[] = {
    {"walk", walk_below, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "rserver_acls._native",
    .m_size = -1,
    .m_methods = methods,
};

PyMODINIT_FUNC PyInit__native(void) {
    return PyModule_Create(&definition);
}
