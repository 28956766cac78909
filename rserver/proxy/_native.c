/* The module rserver.proxy._native; see native/native.h. */

#include "native/native.h"

static PyMethodDef methods[] = {
    {"scan_request", heads_scan_request, METH_O, NULL},
    {"scan_answer", heads_scan_answer, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "rserver.proxy._native",
    .m_size = -1,
    .m_methods = methods,
};

PyMODINIT_FUNC PyInit__native(void) {
    PyTypeObject *types[] = {&Engine_type, &Connection_type, &Backend_type, &Verdict_type};
    for (size_t index = 0; index < sizeof types / sizeof *types; index++)
        if (PyType_Ready(types[index]) < 0)
            return NULL;
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL)
        return NULL;
    if (PyModule_AddObjectRef(module, "Engine", (PyObject *)&Engine_type) < 0 ||
        PyModule_AddObjectRef(module, "Connection", (PyObject *)&Connection_type) < 0)
        Py_CLEAR(module);
    return module;
}
