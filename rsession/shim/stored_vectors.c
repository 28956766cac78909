#define _GNU_SOURCE
#include "stored_vectors.h"

#include "vector_walk.h"
#include "workspace.h"

#include <dlfcn.h>
#include <string.h>
#include <time.h>

#define LONGEST 4503599627370496.0 /* elements that R can count */

/* R_ext/Altrep.h */
typedef struct {
    SEXP class;
} altrep_class;

enum { ID, LENGTH, PARTS };

static struct stored_class {
    int type;
    const char *maker, *name;
    altrep_class class;
    bool is_there;
} classes[] = {
    {.type = R_LOGICALS, .maker = "R_make_altlogical_class", .name = "rs_stored_logical"},
    {.type = R_INTEGERS, .maker = "R_make_altinteger_class", .name = "rs_stored_integer"},
    {.type = R_REALS, .maker = "R_make_altreal_class", .name = "rs_stored_real"},
    {.type = R_COMPLEXES, .maker = "R_make_altcomplex_class", .name = "rs_stored_complex"},
    {.type = R_RAWS, .maker = "R_make_altraw_class", .name = "rs_stored_raw"},
};

#define CLASSES (sizeof classes / sizeof *classes)

static SEXP (*new_altrep)(altrep_class, SEXP, SEXP);
static int (*inherits)(SEXP, altrep_class);
static void (*set_data2)(SEXP, SEXP);
static void (*copy_attributes)(SEXP, SEXP);

static struct number_map unread;  /* key of an id → how many vectors wait for it */
static SEXP waiting;              /* list of vectors to be read in the background */
static ptrdiff_t waiting_count;
static bool are_read;
static void (*name_written)(const char *id, size_t size);

static struct stored_class *class_of_type(int type)
{
    for (size_t i = 0; i < CLASSES; i++) {
        if (classes[i].type == type && classes[i].is_there) {
            return &classes[i];
        }
    }
    return NULL;
}

static bool is_stored(SEXP x)
{
    const struct stored_class *class = wr.ALTREP(x) ? class_of_type(wr.TYPEOF(x)) : NULL;
    return class != NULL && inherits(x, class->class);
}

SEXP stored_vector_data(SEXP x)
{
    SEXP data = is_stored(x) ? wr.R_altrep_data2(x) : *wr.R_NilValue;
    return data != *wr.R_NilValue ? data : NULL;
}

static const char *id_of(SEXP state, size_t *size)
{
    const char *id = wr.R_CHAR(wr.STRING_ELT(wr.VECTOR_ELT(state, ID), 0));
    *size = strlen(id);
    return id;
}

static uint32_t awaited(uint64_t key)
{
    uint32_t count = number_map_get(&unread, key);
    return count == NO_NUMBER ? 0 : count;
}

bool stored_vector_is_awaited(const char *id, size_t size)
{
    return awaited(id_key(id, size)) > 0;
}

static ptrdiff_t length_of(SEXP x)
{
    SEXP data = wr.R_altrep_data2(x);
    return data != *wr.R_NilValue ? wr.Rf_xlength(data) : (ptrdiff_t)wr.REAL(wr.VECTOR_ELT(wr.R_altrep_data1(x), LENGTH))[0];
}

/* A second reference would make R copy the vector when it is changed. */
static void stop_awaiting(SEXP x)
{
    for (ptrdiff_t i = 0; i < waiting_count; i++) {
        if (wr.VECTOR_ELT(waiting, i) == x) {
            wr.SET_VECTOR_ELT(waiting, i, *wr.R_NilValue);
        }
    }
}

/* The vector's bytes, out of the store at the first call. */
static void *bytes_of(SEXP x, int is_writeable)
{
    SEXP data = wr.R_altrep_data2(x);
    if (data == *wr.R_NilValue) {
        size_t size;
        const char *id = id_of(wr.R_altrep_data1(x), &size);
        uint64_t key = id_key(id, size);
        data = wr.Rf_protect(workspace_load_vector(id));
        if (wr.TYPEOF(data) != wr.TYPEOF(x) || wr.ALTREP(data) || wr.Rf_xlength(data) != length_of(x)) {
            wr.Rf_error("the object cannot be restored: a vector inside it is not the one that was stored");
        }
        set_data2(x, data);
        wr.Rf_unprotect(1);
        stop_awaiting(x);
        number_map_set(&unread, key, awaited(key) > 0 ? awaited(key) - 1 : 0);
    }
    return (void *)vector_data(data, wr.TYPEOF(data));
}

static const void *bytes_or_null(SEXP x)
{
    return wr.R_altrep_data2(x) == *wr.R_NilValue ? NULL : bytes_of(x, 0);
}

static SEXP state_of(SEXP x)
{
    size_t size;
    if (name_written == NULL || wr.R_altrep_data2(x) != *wr.R_NilValue) {
        return NULL;
    }
    SEXP state = wr.R_altrep_data1(x);
    const char *id = id_of(state, &size);
    name_written(id, size);
    return state;
}

static bool is_state(SEXP state)
{
    if (wr.TYPEOF(state) != R_LIST || wr.Rf_xlength(state) != PARTS) {
        return false;
    }
    SEXP id = wr.VECTOR_ELT(state, ID), length = wr.VECTOR_ELT(state, LENGTH);
    return wr.TYPEOF(id) == R_STRINGS && wr.Rf_xlength(id) == 1 && wr.TYPEOF(length) == R_REALS && wr.Rf_xlength(length) == 1 &&
           wr.REAL(length)[0] >= 0 && wr.REAL(length)[0] <= LONGEST;
}

/* Keeps those that will be read in the background. */
static void await(SEXP x)
{
    ptrdiff_t room = waiting != NULL ? wr.Rf_xlength(waiting) : 0;
    if (waiting_count == room) {
        SEXP bigger = wr.Rf_protect(wr.Rf_allocVector(R_LIST, room * 2 + 64));
        for (ptrdiff_t i = 0; i < waiting_count; i++) {
            wr.SET_VECTOR_ELT(bigger, i, wr.VECTOR_ELT(waiting, i));
        }
        wr.R_PreserveObject(bigger);
        if (waiting != NULL) {
            wr.R_ReleaseObject(waiting);
        }
        waiting = bigger;
        wr.Rf_unprotect(1);
    }
    wr.SET_VECTOR_ELT(waiting, waiting_count++, x);
}

static SEXP from_state(SEXP class, SEXP state)
{
    size_t size;
    if (!are_read || !is_state(state)) {
        wr.Rf_error("this vector is part of a session's stored objects and cannot be read outside of it");
    }
    const char *id = id_of(state, &size);
    SEXP x = wr.Rf_protect(new_altrep((altrep_class){class}, state, *wr.R_NilValue));
    uint64_t key = id_key(id, size);
    number_map_set(&unread, key, awaited(key) + 1);
    await(x);
    wr.Rf_unprotect(1);
    return x;
}

SEXP stored_vector_make(const char *id, SEXP model)
{
    const struct stored_class *class = class_of_type(wr.TYPEOF(model));
    if (class == NULL) {
        return NULL;
    }
    SEXP state = wr.Rf_protect(wr.Rf_allocVector(R_LIST, PARTS));
    wr.SET_VECTOR_ELT(state, ID, wr.Rf_mkString(id));
    wr.SET_VECTOR_ELT(state, LENGTH, wr.Rf_allocVector(R_REALS, 1));
    wr.REAL(wr.VECTOR_ELT(state, LENGTH))[0] = (double)wr.Rf_xlength(model);
    SEXP x = wr.Rf_protect(new_altrep(class->class, state, *wr.R_NilValue));
    copy_attributes(x, model);
    wr.Rf_unprotect(2);
    return x;
}

void stored_vectors_reading(bool is_reading)
{
    are_read = is_reading;
}

void stored_vectors_writing(void (*name)(const char *id, size_t size))
{
    name_written = name;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

ptrdiff_t stored_vectors_load(double seconds, double *bytes)
{
    double end = now() + seconds;
    while (waiting_count > 0 && now() < end) {
        SEXP x = wr.Rf_protect(wr.VECTOR_ELT(waiting, --waiting_count));
        wr.SET_VECTOR_ELT(waiting, waiting_count, *wr.R_NilValue);
        if (x != *wr.R_NilValue && wr.R_altrep_data2(x) == *wr.R_NilValue) {
            bytes_of(x, 0);
            *bytes += (double)length_of(x) * (double)element_size(wr.TYPEOF(x));
        }
        wr.Rf_unprotect(1);
    }
    return waiting_count;
}

struct method {
    const char *setter;
    void *function;
};

static bool make_class(struct stored_class *class)
{
    struct method methods[] = {{"R_set_altrep_Length_method", (void *)length_of},
                               {"R_set_altrep_Serialized_state_method", (void *)state_of},
                               {"R_set_altrep_Unserialize_method", (void *)from_state},
                               {"R_set_altvec_Dataptr_method", (void *)bytes_of},
                               {"R_set_altvec_Dataptr_or_null_method", (void *)bytes_or_null}};
    altrep_class (*make)(const char *, const char *, void *);
    *(void **)&make = dlsym(RTLD_DEFAULT, class->maker);
    if (make == NULL) {
        return false;
    }
    class->class = make(class->name, "rsession", NULL);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        void (*set)(altrep_class, void *);
        *(void **)&set = dlsym(RTLD_DEFAULT, methods[i].setter);
        if (set == NULL) {
            return false;
        }
        set(class->class, methods[i].function);
    }
    return true;
}

bool stored_vectors_start(void)
{
    static bool is_started;
    *(void **)&new_altrep = dlsym(RTLD_DEFAULT, "R_new_altrep");
    *(void **)&inherits = dlsym(RTLD_DEFAULT, "R_altrep_inherits");
    *(void **)&set_data2 = dlsym(RTLD_DEFAULT, "R_set_altrep_data2");
    *(void **)&copy_attributes = dlsym(RTLD_DEFAULT, "SHALLOW_DUPLICATE_ATTRIB");
    bool is_able = new_altrep != NULL && inherits != NULL && set_data2 != NULL && copy_attributes != NULL;
    for (size_t i = 0; is_able && !is_started && i < CLASSES; i++) {
        classes[i].is_there = make_class(&classes[i]);
    }
    is_started = true;
    return is_able;
}
