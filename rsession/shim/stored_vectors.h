/* Large vectors inside environments that are still in the store: ALTREP vectors that read their bytes when these are wanted. For
 * everybody else, R's own serialisation included, they are ordinary vectors. */
#ifndef RSESSION_STORED_VECTORS_H
#define RSESSION_STORED_VECTORS_H

#include "workspace_r.h"

/* False when this R cannot have such vectors: all are then stored inside their environments. */
bool stored_vectors_start(void);

/* One that stands for the entry of that id, with the attributes of `model`; NULL when there are none of this type. */
SEXP stored_vector_make(const char *id, SEXP model);

/* The vector behind one that was read; NULL when `x` is none or was not read yet. */
SEXP stored_vector_data(SEXP x);

/* Whether R holds one of this id that was not read yet. */
bool stored_vector_is_awaited(const char *id, size_t size);

/* While the bytes of the store are read they make such vectors; at any other time they are refused. */
void stored_vectors_reading(bool is_reading);

/* In the writer: unread ones are written as their ids, each of which `name` hears. */
void stored_vectors_writing(void (*name)(const char *id, size_t size));

/* Reads some for at most `seconds`; adds to `bytes`; how many are left. */
ptrdiff_t stored_vectors_load(double seconds, double *bytes);

#endif
