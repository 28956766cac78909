#define _GNU_SOURCE
#include "vector_walk.h"

#include "number_map.h"
#include "stored_vectors.h"

#include <string.h>
#include <time.h>

#define STEPS_PER_LOOK 1024

static struct number_map visited; /* environments of the walk */

size_t element_size(int type)
{
    switch (type) {
    case R_LOGICALS:
    case R_INTEGERS:
        return 4;
    case R_REALS:
        return 8;
    case R_COMPLEXES:
        return 16;
    case R_RAWS:
        return 1;
    default:
        return 0;
    }
}

const char *vector_data(SEXP x, int type)
{
    switch (type) {
    case R_LOGICALS:
        return (const char *)wr.LOGICAL(x);
    case R_INTEGERS:
        return (const char *)wr.INTEGER(x);
    case R_REALS:
        return (const char *)wr.REAL(x);
    case R_COMPLEXES:
        return wr.COMPLEX(x);
    default:
        return (const char *)wr.RAW(x);
    }
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool is_over(struct vector_walk *walk)
{
    if (++walk->steps % STEPS_PER_LOOK == 0 && seconds_now() > walk->end) {
        walk->is_over = walk->is_cut_off = true;
    }
    return walk->is_over;
}

static bool make_room(struct vector_walk *walk, void *array, size_t *room, size_t used, size_t element)
{
    if (used < *room) {
        return true;
    }
    size_t wanted = *room ? *room * 2 : 256;
    void *bigger = realloc(*(void **)array, wanted * element);
    if (bigger == NULL) {
        walk->is_over = walk->is_cut_off = true;
        return false;
    }
    *(void **)array = bigger;
    *room = wanted;
    return true;
}

static void push(struct vector_walk *walk, SEXP x)
{
    if (x != NULL && make_room(walk, &walk->stack, &walk->stack_room, walk->depth, sizeof x)) {
        walk->stack[walk->depth++] = x;
    }
}

static void note_vector(struct vector_walk *walk, SEXP x, int type, bool is_wrapped)
{
    size_t size = (size_t)wr.Rf_xlength(x) * element_size(type);
    if (size >= LARGE_BYTES && make_room(walk, &walk->vectors, &walk->room, walk->count, sizeof *walk->vectors)) {
        walk->vectors[walk->count++] = (struct large_vector){(uintptr_t)vector_data(x, type), size, is_wrapped};
    }
}

/* What an ALTREP object holds; its class decides when that is read. */
static void note_wrapped(struct vector_walk *walk, SEXP x)
{
    SEXP data = stored_vector_data(x);
    if (data != NULL) {
        note_vector(walk, data, wr.TYPEOF(data), false);
        return;
    }
    SEXP parts[] = {wr.R_altrep_data1(x), wr.R_altrep_data2(x)};
    for (int i = 0; i < 2; i++) {
        if (parts[i] == NULL) {
            continue;
        }
        int type = wr.TYPEOF(parts[i]);
        if (element_size(type) != 0 && wr.ALTREP(parts[i])) {
            note_wrapped(walk, parts[i]);
        } else if (element_size(type) != 0) {
            note_vector(walk, parts[i], type, true);
        }
    }
}

static void meet_environment(struct vector_walk *walk, SEXP environment)
{
    uint64_t key = (uint64_t)(uintptr_t)environment;
    if (walk->environments == NULL || environment == *wr.R_EmptyEnv || environment == *wr.R_BaseEnv ||
        number_map_get(&visited, key) != NO_NUMBER || wr.R_IsPackageEnv(environment) || wr.R_IsNamespaceEnv(environment)) {
        return;
    }
    ptrdiff_t room = wr.Rf_xlength(walk->environments);
    if (walk->environment_count == room || !number_map_set(&visited, key, 0)) {
        walk->is_cut_off = true;
        return;
    }
    wr.SET_VECTOR_ELT(walk->environments, walk->environment_count++, environment);
}

static void push_parts(struct vector_walk *walk, SEXP x, int type)
{
    if (type == R_LIST || type == R_EXPRESSIONS) {
        for (ptrdiff_t i = 0; i < wr.Rf_xlength(x) && !is_over(walk); i++) {
            push(walk, wr.VECTOR_ELT(x, i));
        }
    } else if (type == R_PAIRS || type == R_CALL || type == R_DOTS) {
        push(walk, wr.CAR(x));
        push(walk, wr.CDR(x));
    } else if (type == R_CLOSURE) {
        push(walk, wr.closure_environment(x));
    } else if (type == R_PROMISE && wr.PRVALUE(x) != *wr.R_UnboundValue) {
        push(walk, wr.PRVALUE(x));
    }
}

static void visit(struct vector_walk *walk, SEXP x)
{
    int type = wr.TYPEOF(x);
    if (type == R_CHARACTERS || type == R_SYMBOL || type == R_NOTHING) {
        return;
    }
    if (wr.ATTRIB(x) != *wr.R_NilValue) {
        push(walk, wr.ATTRIB(x));
    }
    if (type == R_ENVIRONMENT) {
        meet_environment(walk, x);
    } else if (wr.ALTREP(x)) {
        note_wrapped(walk, x);
    } else if (element_size(type) != 0) {
        note_vector(walk, x, type, false);
    } else {
        push_parts(walk, x, type);
    }
}

static void drain(struct vector_walk *walk)
{
    while (walk->depth > 0 && !is_over(walk)) {
        visit(walk, walk->stack[--walk->depth]);
    }
    walk->depth = 0;
}

/* The stack is empty while the names are allocated: a finalizer may run then and drop what it held. */
static void visit_bindings(struct vector_walk *walk, SEXP environment)
{
    SEXP names = wr.Rf_protect(wr.R_lsInternal3(environment, 1, 0));
    for (ptrdiff_t i = 0; i < wr.Rf_xlength(names) && !is_over(walk); i++) {
        SEXP symbol = wr.Rf_installTrChar(wr.STRING_ELT(names, i));
        if (wr.R_existsVarInFrame(environment, symbol)) {
            bool is_active = wr.R_BindingIsActive(symbol, environment);
            push(walk, is_active ? wr.R_ActiveBindingFunction(symbol, environment) : wr.Rf_findVarInFrame(environment, symbol));
            drain(walk);
        }
    }
    wr.Rf_unprotect(1);
}

static void visit_environment(struct vector_walk *walk, SEXP environment)
{
    visit_bindings(walk, environment);
    if (environment != *wr.R_GlobalEnv) {
        push(walk, wr.parent(environment));
    }
    push(walk, wr.ATTRIB(environment));
    drain(walk);
}

void vector_walk_value(struct vector_walk *walk, SEXP value, double seconds)
{
    memset(walk, 0, sizeof *walk);
    walk->end = seconds_now() + seconds;
    push(walk, value);
    drain(walk);
}

void vector_walk_session(struct vector_walk *walk, SEXP attached, double seconds)
{
    enum { MOST_ENVIRONMENTS = 65536 };
    memset(walk, 0, sizeof *walk);
    number_map_free(&visited); /* an error of R may have ended the walk before */
    walk->end = seconds_now() + seconds;
    walk->environments = wr.Rf_protect(wr.Rf_allocVector(R_LIST, MOST_ENVIRONMENTS));
    meet_environment(walk, *wr.R_GlobalEnv);
    for (ptrdiff_t i = 0; i < wr.Rf_xlength(attached); i++) {
        meet_environment(walk, wr.VECTOR_ELT(attached, i));
    }
    while (walk->next_environment < walk->environment_count && !is_over(walk)) {
        visit_environment(walk, wr.VECTOR_ELT(walk->environments, walk->next_environment++));
    }
    number_map_free(&visited);
    wr.Rf_unprotect(1);
}

void vector_walk_free(struct vector_walk *walk)
{
    free(walk->vectors);
    free(walk->stack);
    memset(walk, 0, sizeof *walk);
}
