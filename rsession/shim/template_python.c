/* Between R at its fork point, which holds no Python lock, and the Python code that forks there. */
#include "template_python.h"
#include "engine.h"
#include "queue.h"
#include "r_api.h"
#include "template.h"

#include <stdbool.h>
#include <unistd.h>

static PyObject *serve_in_python, *begin_in_python, *give_up_in_python;
static PyThreadState *outer; /* of run_template(), while R runs */

static void end_with_python_error(void)
{
    PyErr_Print();
    _exit(1);
}

/* The answer is the session's command line for R, the descriptor of its socket, and the one from which R reads its profile. */
static void serve(void)
{
    PyEval_RestoreThread(outer);
    PyObject *answer = PyObject_CallNoArgs(serve_in_python), *argv;
    if (answer == NULL || !PyArg_ParseTuple(answer, "Oii:serve", &argv, &start.listener, &template.profile)) {
        end_with_python_error();
    }
    start.argv = copy_texts(argv, &start.argc);
    if (start.argv == NULL) {
        end_with_python_error();
    }
    Py_DECREF(answer);
    outer = PyEval_SaveThread();
}

static void begin(void)
{
    PyEval_RestoreThread(outer);
    PyObject *answer = PyObject_CallNoArgs(begin_in_python);
    if (answer == NULL) {
        end_with_python_error();
    }
    Py_DECREF(answer);
    outer = PyEval_SaveThread();
}

static void give_up(const char *reason)
{
    PyEval_RestoreThread(outer);
    PyObject_CallFunction(give_up_in_python, "s", reason);
    end_with_python_error();
}

PyObject *shim_rehearse(PyObject *module, PyObject *unused)
{
    template_rehearse();
    Py_RETURN_NONE;
}

PyObject *shim_run_template(PyObject *module, PyObject *arguments)
{
    const char *library;
    PyObject *argv, *sources;
    if (!PyArg_ParseTuple(arguments, "yOOOOO:run_template", &library, &argv, &sources, &serve_in_python, &begin_in_python,
                          &give_up_in_python)) {
        return NULL;
    }
    Py_INCREF(serve_in_python);
    Py_INCREF(begin_in_python);
    Py_INCREF(give_up_in_python);
    start.argv = copy_texts(argv, &start.argc);
    start.source_paths = start.argv ? copy_texts(sources, &start.sources) : NULL;
    if (start.source_paths == NULL) {
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    }
    template.serve = serve;
    template.begin = begin;
    template.give_up = give_up;
    const char *complaint = exchange_open() ? NULL : "no event descriptors";
    outer = PyEval_SaveThread();
    complaint = complaint ? complaint : r_api_load(library);
    if (complaint == NULL) {
        template_run();
    }
    PyEval_RestoreThread(outer);
    PyErr_SetString(PyExc_OSError, complaint);
    return NULL;
}
