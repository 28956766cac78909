/* The table behind tracked_vectors.h: for its own files alone. */
#ifndef RSESSION_TRACKED_TABLE_H
#define RSESSION_TRACKED_TABLE_H

#include "tracked_vectors.h"
#include "vector_walk.h"

#define MOST_VECTORS 8192 /* each may split a mapping in three, of which a process has 65,530 */

struct tracked {
    uintptr_t start;
    size_t size;
    struct tracked_chunk *chunks; /* of CHUNK_BYTES from `start`; after them one for the bytes on pages that others use too */
    bool is_own;                  /* `chunks` is malloc's, not of the memory that is shared with the writer */
};

/* Sorted by `start`; no two overlap. */
struct tracked_table {
    struct tracked *vectors;
    size_t count, room;
};

extern struct tracked_table tracked_table;

bool tracked_is_on(void);

size_t tracked_chunk_count(size_t size);
size_t tracked_chunk_size(const struct tracked *vector, size_t number);
struct tracked_chunk *tracked_edges(const struct tracked *vector);

/* First and end of the pages that hold nothing but the vector's bytes. R's collector writes into the header before the vector, others
 * behind its end: those pages are never protected. */
uintptr_t tracked_first_inner(const struct tracked *vector);
uintptr_t tracked_end_inner(const struct tracked *vector);
struct hash tracked_hash_of_edges(const struct tracked *vector);

/* Number of the first vector that ends behind `address`. */
size_t tracked_place(uintptr_t address);

void tracked_forget(size_t first, size_t end);
void tracked_forget_all(void);

/* Leaves the largest of the vectors that were found, each once, in order; none whose bytes may be reached in another way. */
void tracked_select(struct vector_walk *walk);

/* A new table for the vectors that were found, with hashes where the writer can put them. */
bool tracked_replace(const struct vector_walk *walk);

#endif
