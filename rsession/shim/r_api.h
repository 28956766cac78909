/* The part of libR that the session uses, found with dlsym: no R headers, so one build serves every R. */
#ifndef RSESSION_R_API_H
#define RSESSION_R_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/select.h>

typedef struct r_object *SEXP;

/* The numbers of R's object types that are stable parts of its serialisation format. */
enum { SYMBOL = 1, CLOSURE = 3, STRING_CELL = 9, LOGICAL_VECTOR = 10, INTEGER_VECTOR = 13, REAL_VECTOR = 14, STRING_VECTOR = 16, LIST_VECTOR = 19, RAW_VECTOR = 24 };
enum { ENCODED_UTF8 = 1, ENCODED_BYTES = 3 };

#define R_FUNCTIONS(X) \
    X(int, Rf_initialize_R, (int, char **)) \
    X(void, setup_Rmainloop, (void)) \
    X(void, run_Rmainloop, (void)) \
    X(void *, addInputHandler, (void *, int, void (*)(void *), int)) \
    X(fd_set *, R_checkActivity, (int, int)) \
    X(void, R_runHandlers, (void *, fd_set *)) \
    X(void, R_CheckUserInterrupt, (void)) \
    X(void, R_CleanUp, (int, int, int)) \
    X(void, R_dot_Last, (void)) \
    X(const char *, R_ExpandFileName, (const char *)) \
    X(SEXP, Rf_eval, (SEXP, SEXP)) \
    X(SEXP, CAR, (SEXP)) \
    X(int, R_ToplevelExec, (void (*)(void *), void *)) \
    X(SEXP, R_tryEvalSilent, (SEXP, SEXP, int *)) \
    X(const char *, R_curErrorBuf, (void)) \
    X(SEXP, R_ParseVector, (SEXP, int, int *, SEXP)) \
    X(SEXP, R_MakeExternalPtrFn, (void *, SEXP, SEXP)) \
    X(void, R_PreserveObject, (SEXP)) \
    X(void, R_removeVarFromFrame, (SEXP, SEXP)) \
    X(SEXP, Rf_findVarInFrame, (SEXP, SEXP)) \
    X(int, R_BindingIsActive, (SEXP, SEXP)) \
    X(void, Rf_defineVar, (SEXP, SEXP, SEXP)) \
    X(SEXP, Rf_install, (const char *)) \
    X(SEXP, Rf_GetOption1, (SEXP)) \
    X(SEXP, Rf_protect, (SEXP)) \
    X(void, Rf_unprotect, (int)) \
    X(SEXP, Rf_allocVector, (unsigned int, ptrdiff_t)) \
    X(SEXP, Rf_mkString, (const char *)) \
    X(SEXP, Rf_mkCharLenCE, (const char *, int, int)) \
    X(SEXP, Rf_ScalarString, (SEXP)) \
    X(SEXP, Rf_cons, (SEXP, SEXP)) \
    X(SEXP, Rf_lcons, (SEXP, SEXP)) \
    X(SEXP, Rf_getAttrib, (SEXP, SEXP)) \
    X(int, Rf_inherits, (SEXP, const char *)) \
    X(int, Rf_getCharCE, (SEXP)) \
    X(const char *, Rf_translateCharUTF8, (SEXP)) \
    X(const char *, R_CHAR, (SEXP)) \
    X(SEXP, PRINTNAME, (SEXP)) \
    X(int, TYPEOF, (SEXP)) \
    X(ptrdiff_t, Rf_xlength, (SEXP)) \
    X(int *, INTEGER, (SEXP)) \
    X(int *, LOGICAL, (SEXP)) \
    X(double *, REAL, (SEXP)) \
    X(unsigned char *, RAW, (SEXP)) \
    X(SEXP, STRING_ELT, (SEXP, ptrdiff_t)) \
    X(SEXP, VECTOR_ELT, (SEXP, ptrdiff_t)) \
    X(void, SET_STRING_ELT, (SEXP, ptrdiff_t, SEXP)) \
    X(void *, vmaxget, (void)) \
    X(void, vmaxset, (const void *)) \
    X(void, Rf_error, (const char *, ...))

#define R_VARIABLES(X) \
    X(int, R_running_as_main_program) \
    X(int, R_SignalHandlers) \
    X(int, R_Interactive) \
    X(void *, R_Outputfile) \
    X(void *, R_Consolefile) \
    X(void *, R_InputHandlers) \
    X(int, R_interrupts_pending) \
    X(int, R_interrupts_suspended) \
    X(int, R_wait_usec) \
    X(int, Rg_wait_usec) \
    X(uintptr_t, R_CStackLimit) \
    X(int, R_Visible) \
    X(char *, R_TempDir) \
    X(SEXP, R_NilValue) \
    X(SEXP, R_NaString) \
    X(SEXP, R_UnboundValue) \
    X(SEXP, R_GlobalEnv) \
    X(SEXP, R_BaseEnv) \
    X(SEXP, R_NamesSymbol) \
    X(SEXP, R_LevelsSymbol) \
    X(void (*)(int, int, int), ptr_R_CleanUp) \
    X(void (*)(const char *), ptr_R_Suicide) \
    X(void (*)(const char *), ptr_R_ShowMessage) \
    X(int (*)(const char *, unsigned char *, int, int), ptr_R_ReadConsole) \
    X(void (*)(const char *, int), ptr_R_WriteConsole) \
    X(void (*)(const char *, int, int), ptr_R_WriteConsoleEx) \
    X(void (*)(void), ptr_R_ResetConsole) \
    X(void (*)(void), ptr_R_FlushConsole) \
    X(void (*)(void), ptr_R_ClearerrConsole) \
    X(void (*)(int), ptr_R_Busy) \
    X(int (*)(int, const char **, const char **, const char *, int, const char *), ptr_R_ShowFiles) \
    X(SEXP (*)(SEXP, SEXP, SEXP, SEXP), ptr_R_loadhistory) \
    X(SEXP (*)(SEXP, SEXP, SEXP, SEXP), ptr_R_savehistory) \
    X(SEXP (*)(SEXP, SEXP, SEXP, SEXP), ptr_R_addhistory)

/* NULL in an R that has them not. */
#define R_OPTIONAL_FUNCTIONS(X) \
    X(void, SET_NOJIT, (SEXP)) \
    X(int, R_existsVarInFrame, (SEXP, SEXP)) \
    X(SEXP, Rf_findVarInFrame3, (SEXP, SEXP, int)) \
    X(void, R_reInitTempDir, (int))

/* Without any one of these R can be run, but not as a template of sessions. */
#define R_TEMPLATE_FUNCTIONS(X) \
    X(void, process_system_Renviron, (void)) \
    X(void, process_site_Renviron, (void)) \
    X(void, process_user_Renviron, (void)) \
    X(void, R_set_command_line_arguments, (int, char **)) \
    X(void, R_DefParams, (void *)) \
    X(void, R_common_command_line, (int *, char **, void *)) \
    X(void, R_SetParams, (void *)) \
    X(void, R_setStartTime, (void)) \
    X(void, R_gc, (void))

#define R_TEMPLATE_VARIABLES(X) \
    X(char *, R_HistoryFile) \
    X(int, R_HistorySize)

#define R_FUNCTION_MEMBER(type, name, parameters) type(*name) parameters;
#define R_VARIABLE_MEMBER(type, name) __typeof__(type) *name;

struct r_api {
    R_FUNCTIONS(R_FUNCTION_MEMBER)
    R_OPTIONAL_FUNCTIONS(R_FUNCTION_MEMBER)
    R_VARIABLES(R_VARIABLE_MEMBER)
    R_TEMPLATE_FUNCTIONS(R_FUNCTION_MEMBER)
    R_TEMPLATE_VARIABLES(R_VARIABLE_MEMBER)
};

extern struct r_api r;

/* Loads the library and fills `r`; returns NULL, or the text of the loader's complaint. */
const char *r_api_load(const char *path);

/* Finds what a template needs besides, once the library is loaded; false when this R lacks any of it. */
bool r_api_load_template(void);

#endif
