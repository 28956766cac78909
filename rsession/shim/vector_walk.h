/* Finds the large vectors that a value or a session holds, without evaluating anything. */
#ifndef RSESSION_VECTOR_WALK_H
#define RSESSION_VECTOR_WALK_H

#include "workspace_r.h"

#define LARGE_BYTES ((size_t)1 << 20)

struct large_vector {
    uintptr_t start;
    size_t size;
    bool is_wrapped; /* the data of an ALTREP object, which may be read or copied at any time */
};

struct vector_walk {
    struct large_vector *vectors;
    size_t count, room;
    SEXP *stack;
    size_t depth, stack_room;
    SEXP environments; /* list, protected by the walk of a session */
    ptrdiff_t environment_count, next_environment;
    double end; /* seconds of CLOCK_MONOTONIC */
    unsigned steps;
    bool is_over;
    bool is_cut_off; /* there may be more than was found */
};

/* Those of one value, without what its environments hold. Allocates nothing of R's. */
void vector_walk_value(struct vector_walk *walk, SEXP value, double seconds);

/* Those of the global environment, of a list of environments and of all that they refer to. */
void vector_walk_session(struct vector_walk *walk, SEXP attached, double seconds);

void vector_walk_free(struct vector_walk *walk);

/* Size in bytes of one element of an atomic vector other than character; 0: no such type. */
size_t element_size(int type);

/* Data of such a vector. */
const char *vector_data(SEXP x, int type);

#endif
