/* Looks at the bindings of an environment without evaluating anything: promises stay unforced, active bindings unrun, ALTREP
 * vectors unexpanded. Called from R through .Call. Its table of functions is its own: an R that lacks one of them still runs. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct SEXPREC *SEXP;

enum { PROMSXP = 5, LGLSXP = 10, INTSXP = 13, REALSXP = 14, STRSXP = 16, VECSXP = 19, RAWSXP = 24 };
enum { UNFORCED = -1, ACTIVE = -2, ABSENT = -3 };
enum { SAMPLED_ELEMENTS = 12, SAMPLED_ATTRIBUTES = 8 };

#define R_FUNCTIONS(X)                                                                                                         \
    X(SEXP, Rf_allocVector, (unsigned, ptrdiff_t))                                                                             \
    X(SEXP, Rf_findVarInFrame, (SEXP, SEXP))                                                                                   \
    X(SEXP, Rf_installTrChar, (SEXP))                                                                                          \
    X(SEXP, Rf_protect, (SEXP))                                                                                                \
    X(void, Rf_unprotect, (int))                                                                                               \
    X(ptrdiff_t, Rf_xlength, (SEXP))                                                                                           \
    X(int, R_BindingIsActive, (SEXP, SEXP))                                                                                    \
    X(int, TYPEOF, (SEXP))                                                                                                     \
    X(SEXP, ATTRIB, (SEXP))                                                                                                    \
    X(SEXP, CAR, (SEXP))                                                                                                       \
    X(SEXP, CDR, (SEXP))                                                                                                       \
    X(SEXP, PRVALUE, (SEXP))                                                                                                   \
    X(int *, INTEGER, (SEXP))                                                                                                  \
    X(double *, REAL, (SEXP))                                                                                                  \
    X(int, LOGICAL_ELT, (SEXP, ptrdiff_t))                                                                                     \
    X(int, INTEGER_ELT, (SEXP, ptrdiff_t))                                                                                     \
    X(double, REAL_ELT, (SEXP, ptrdiff_t))                                                                                     \
    X(SEXP, STRING_ELT, (SEXP, ptrdiff_t))                                                                                     \
    X(SEXP, VECTOR_ELT, (SEXP, ptrdiff_t))                                                                                     \
    X(unsigned char, RAW_ELT, (SEXP, ptrdiff_t))                                                                               \
    X(SEXP, SET_VECTOR_ELT, (SEXP, ptrdiff_t, SEXP))

static struct {
#define DECLARE(result, name, arguments) result(*name) arguments;
    R_FUNCTIONS(DECLARE)
#undef DECLARE
    int (*R_existsVarInFrame)(SEXP, SEXP); /* since R 4.2 */
    SEXP (*Rf_findVarInFrame3)(SEXP, SEXP, int);
    SEXP *nil, *unbound;
} r;

static int is_found(SEXP environment, SEXP symbol)
{
    return r.Rf_findVarInFrame3(environment, symbol, 0) != *r.unbound;
}

static int find_r(void)
{
    if (r.unbound)
        return 1;
    int complete = 1;
#define FIND(result, name, arguments)                                                                                          \
    *(void **)&r.name = dlsym(RTLD_DEFAULT, #name);                                                                            \
    complete = complete && r.name;
    R_FUNCTIONS(FIND)
#undef FIND
    *(void **)&r.R_existsVarInFrame = dlsym(RTLD_DEFAULT, "R_existsVarInFrame");
    if (r.R_existsVarInFrame == NULL) {
        *(void **)&r.Rf_findVarInFrame3 = dlsym(RTLD_DEFAULT, "Rf_findVarInFrame3");
        r.R_existsVarInFrame = is_found;
        complete = complete && r.Rf_findVarInFrame3;
    }
    r.nil = dlsym(RTLD_DEFAULT, "R_NilValue");
    if (complete && r.nil)
        r.unbound = dlsym(RTLD_DEFAULT, "R_UnboundValue");
    return r.unbound != NULL;
}

static void mix(uint64_t *hash, const void *bytes, size_t n)
{
    for (const unsigned char *p = bytes; n--; p++)
        *hash = (*hash ^ *p) * 0x100000001b3u;
}

static void mix_word(uint64_t *hash, uint64_t word)
{
    *hash = (*hash ^ word) * 0x9e3779b97f4a7c15u;
    *hash ^= *hash >> 29;
}

static uint64_t element(SEXP x, int type, ptrdiff_t i)
{
    uint64_t word = 0;
    double number;
    switch (type) {
    case LGLSXP:
        return (uint64_t)r.LOGICAL_ELT(x, i);
    case INTSXP:
        return (uint64_t)r.INTEGER_ELT(x, i);
    case REALSXP:
        number = r.REAL_ELT(x, i);
        memcpy(&word, &number, sizeof word);
        return word;
    case STRSXP:
        return (uintptr_t)r.STRING_ELT(x, i);
    case VECSXP:
        return (uintptr_t)r.VECTOR_ELT(x, i);
    case RAWSXP:
        return r.RAW_ELT(x, i);
    default:
        return 0;
    }
}

/* The address alone is not enough: `x[2] <- 0` changes a vector in place, so the elements that a summary shows are mixed in. */
static double fingerprint(SEXP x, int type, ptrdiff_t length)
{
    uint64_t hash = 0xcbf29ce484222325u;
    uintptr_t address = (uintptr_t)x;
    mix(&hash, &address, sizeof address);
    mix_word(&hash, (uint64_t)type);
    mix_word(&hash, (uint64_t)length);
    for (ptrdiff_t i = 0; i < length && i < SAMPLED_ELEMENTS; i++)
        mix_word(&hash, element(x, type, i));
    SEXP attribute = r.ATTRIB(x);
    for (int i = 0; attribute != *r.nil && i < SAMPLED_ATTRIBUTES; i++, attribute = r.CDR(attribute))
        mix_word(&hash, (uintptr_t)r.CAR(attribute));
    return (double)(hash >> 12);
}

static void probe_one(SEXP environment, SEXP symbol, int *type, double *length, double *print)
{
    *length = *print = 0;
    *type = ABSENT;
    if (!r.R_existsVarInFrame(environment, symbol))
        return;
    *type = ACTIVE;
    if (r.R_BindingIsActive(symbol, environment))
        return;
    SEXP value = r.Rf_findVarInFrame(environment, symbol);
    if (r.TYPEOF(value) == PROMSXP && r.PRVALUE(value) == *r.unbound) {
        *type = UNFORCED;
        *print = fingerprint(value, PROMSXP, 0);
        return;
    }
    if (r.TYPEOF(value) == PROMSXP)
        value = r.PRVALUE(value);
    *type = r.TYPEOF(value);
    *length = (double)r.Rf_xlength(value);
    *print = fingerprint(value, *type, (ptrdiff_t)*length);
}

/* rs_probe(environment, names): list(type, length, fingerprint), one element per name; type is R's type number, -1 for a promise
 * not yet forced, -2 for an active binding, -3 when there is no such binding. NULL when this R lacks a needed function. */
SEXP rs_probe(SEXP environment, SEXP names)
{
    if (!find_r())
        return *(SEXP *)dlsym(RTLD_DEFAULT, "R_NilValue");
    ptrdiff_t n = r.Rf_xlength(names);
    SEXP answer = r.Rf_protect(r.Rf_allocVector(VECSXP, 3));
    SEXP types = r.SET_VECTOR_ELT(answer, 0, r.Rf_allocVector(INTSXP, n));
    SEXP lengths = r.SET_VECTOR_ELT(answer, 1, r.Rf_allocVector(REALSXP, n));
    SEXP prints = r.SET_VECTOR_ELT(answer, 2, r.Rf_allocVector(REALSXP, n));
    for (ptrdiff_t i = 0; i < n; i++) {
        SEXP symbol = r.Rf_installTrChar(r.STRING_ELT(names, i));
        probe_one(environment, symbol, &r.INTEGER(types)[i], &r.REAL(lengths)[i], &r.REAL(prints)[i]);
    }
    r.Rf_unprotect(1);
    return answer;
}
