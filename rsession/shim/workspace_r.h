/* What the workspace store uses of libR, found with dlsym in a table of its own: an R that lacks one of these still runs, without
 * the store. */
#ifndef RSESSION_WORKSPACE_R_H
#define RSESSION_WORKSPACE_R_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct SEXPREC *SEXP;

enum {
    R_NOTHING = 0, R_SYMBOL = 1, R_PAIRS = 2, R_CLOSURE = 3, R_ENVIRONMENT = 4, R_PROMISE = 5, R_CALL = 6, R_CHARACTERS = 9,
    R_LOGICALS = 10, R_INTEGERS = 13, R_REALS = 14, R_COMPLEXES = 15, R_STRINGS = 16, R_DOTS = 17, R_LIST = 19, R_EXPRESSIONS = 20, R_POINTER = 22, R_WEAK = 23, R_RAWS = 24
};

enum { R_NATIVE_BINARY = 2, R_SERIALISATION_VERSION = 3 };

/* R's own stream structures (Rinternals.h); `spare` leaves room for fields that a later R may add at the end. */
struct out_stream {
    void *data;
    int type, version;
    void (*out_char)(struct out_stream *, int);
    void (*out_bytes)(struct out_stream *, void *, int);
    SEXP (*hook)(SEXP, SEXP);
    SEXP hook_data;
    char spare[64];
};

struct in_stream {
    void *data;
    int type;
    int (*in_char)(struct in_stream *);
    void (*in_bytes)(struct in_stream *, void *, int);
    SEXP (*hook)(SEXP, SEXP);
    SEXP hook_data;
    char native_encoding[64];
    void *from_native, *to_utf8;
    char spare[64];
};

#define WORKSPACE_R_FUNCTIONS(X) \
    X(void, R_InitOutPStream, (struct out_stream *, void *, int, int, void (*)(struct out_stream *, int), \
        void (*)(struct out_stream *, void *, int), SEXP (*)(SEXP, SEXP), SEXP)) \
    X(void, R_InitInPStream, (struct in_stream *, void *, int, int (*)(struct in_stream *), \
        void (*)(struct in_stream *, void *, int), SEXP (*)(SEXP, SEXP), SEXP)) \
    X(void, R_Serialize, (SEXP, struct out_stream *)) \
    X(SEXP, R_Unserialize, (struct in_stream *)) \
    X(int, R_ToplevelExec, (void (*)(void *), void *)) \
    X(SEXP, R_UnwindProtect, (SEXP (*)(void *), void *, void (*)(void *, int), void *, SEXP)) \
    X(SEXP, R_lsInternal3, (SEXP, int, int)) \
    X(SEXP, Rf_eval, (SEXP, SEXP)) \
    X(SEXP, Rf_lang2, (SEXP, SEXP)) \
    X(SEXP, Rf_lang3, (SEXP, SEXP, SEXP)) \
    X(SEXP, R_ActiveBindingFunction, (SEXP, SEXP)) \
    X(int, R_BindingIsActive, (SEXP, SEXP)) \
    X(int, R_BindingIsLocked, (SEXP, SEXP)) \
    X(int, R_EnvironmentIsLocked, (SEXP)) \
    X(int, R_IsPackageEnv, (SEXP)) \
    X(int, R_IsNamespaceEnv, (SEXP)) \
    X(void, R_MakeActiveBinding, (SEXP, SEXP, SEXP)) \
    X(void, R_LockBinding, (SEXP, SEXP)) \
    X(void, R_LockEnvironment, (SEXP, int)) \
    X(SEXP, Rf_findVarInFrame, (SEXP, SEXP)) \
    X(void, Rf_defineVar, (SEXP, SEXP, SEXP)) \
    X(void, R_PreserveObject, (SEXP)) \
    X(void, R_ReleaseObject, (SEXP)) \
    X(SEXP, Rf_protect, (SEXP)) \
    X(void, Rf_unprotect, (int)) \
    X(SEXP, Rf_install, (const char *)) \
    X(SEXP, Rf_installTrChar, (SEXP)) \
    X(SEXP, Rf_allocVector, (unsigned, ptrdiff_t)) \
    X(SEXP, Rf_mkCharLenCE, (const char *, int, int)) \
    X(SEXP, Rf_mkString, (const char *)) \
    X(SEXP, Rf_ScalarInteger, (int)) \
    X(SEXP, Rf_ScalarLogical, (int)) \
    X(SEXP, Rf_setAttrib, (SEXP, SEXP, SEXP)) \
    X(SEXP, Rf_getAttrib, (SEXP, SEXP)) \
    X(const char *, Rf_translateCharUTF8, (SEXP)) \
    X(int, Rf_asInteger, (SEXP)) \
    X(double, Rf_asReal, (SEXP)) \
    X(int, ALTREP, (SEXP)) \
    X(SEXP, R_altrep_data1, (SEXP)) \
    X(SEXP, R_altrep_data2, (SEXP)) \
    X(int, TYPEOF, (SEXP)) \
    X(int, OBJECT, (SEXP)) \
    X(int, IS_S4_OBJECT, (SEXP)) \
    X(void, SET_S4_OBJECT, (SEXP)) \
    X(int, RDEBUG, (SEXP)) \
    X(ptrdiff_t, Rf_xlength, (SEXP)) \
    X(SEXP, ATTRIB, (SEXP)) \
    X(SEXP, CAR, (SEXP)) \
    X(SEXP, CDR, (SEXP)) \
    X(SEXP, TAG, (SEXP)) \
    X(SEXP, PRINTNAME, (SEXP)) \
    X(SEXP, PRCODE, (SEXP)) \
    X(SEXP, PRVALUE, (SEXP)) \
    X(SEXP, R_ExternalPtrProtected, (SEXP)) \
    X(void *, R_ExternalPtrAddr, (SEXP)) \
    X(const char *, R_CHAR, (SEXP)) \
    X(int *, INTEGER, (SEXP)) \
    X(int *, LOGICAL, (SEXP)) \
    X(double *, REAL, (SEXP)) \
    X(void *, COMPLEX, (SEXP)) \
    X(unsigned char *, RAW, (SEXP)) \
    X(SEXP, STRING_ELT, (SEXP, ptrdiff_t)) \
    X(SEXP, VECTOR_ELT, (SEXP, ptrdiff_t)) \
    X(void, SET_STRING_ELT, (SEXP, ptrdiff_t, SEXP)) \
    X(SEXP, SET_VECTOR_ELT, (SEXP, ptrdiff_t, SEXP)) \
    X(char *, R_alloc, (size_t, int)) \
    X(void, Rf_error, (const char *, ...)) \
    X(void, R_CheckUserInterrupt, (void))

/* For these there is something of our own in an R that lacks them: the first came with R 4.1, the second with R 4.2. */
#define WORKSPACE_R_LATER_FUNCTIONS(X) \
    X(SEXP, R_NewEnv, (SEXP, int, int)) \
    X(int, R_existsVarInFrame, (SEXP, SEXP))

#define WORKSPACE_R_VALUES(X) \
    X(R_NilValue) X(R_UnboundValue) X(R_GlobalEnv) X(R_BaseEnv) X(R_EmptyEnv) X(R_NamesSymbol)

struct workspace_r {
#define DECLARE(result, name, arguments) result(*name) arguments;
    WORKSPACE_R_FUNCTIONS(DECLARE)
    WORKSPACE_R_LATER_FUNCTIONS(DECLARE)
#undef DECLARE
#define DECLARE(name) SEXP *name;
    WORKSPACE_R_VALUES(DECLARE)
#undef DECLARE
    SEXP (*parent)(SEXP); /* ENCLOS, which R 4.5 calls R_ParentEnv */
    SEXP (*closure_environment)(SEXP); /* CLOENV, there R_ClosureEnv */
};

extern struct workspace_r wr;

/* False when this R lacks something. */
bool workspace_r_find(void);

#endif
