#define _GNU_SOURCE
#include "tracked_table.h"

#include <stdlib.h>

static int by_size(const void *a, const void *b)
{
    const struct large_vector *first = a, *second = b;
    return first->size < second->size ? 1 : first->size > second->size ? -1 : 0;
}

static int by_start(const void *a, const void *b)
{
    const struct large_vector *first = a, *second = b;
    return first->start > second->start ? 1 : first->start < second->start ? -1 : 0;
}

void tracked_select(struct vector_walk *walk)
{
    size_t kept = 0;
    qsort(walk->vectors, walk->count, sizeof *walk->vectors, by_start);
    for (size_t i = 0; i < walk->count; i++) {
        struct large_vector *last = kept > 0 ? &walk->vectors[kept - 1] : NULL, vector = walk->vectors[i];
        if (last == NULL || last->start + last->size <= vector.start) {
            walk->vectors[kept++] = vector;
        } else {
            last->is_wrapped = last->is_wrapped || vector.is_wrapped || last->start != vector.start || last->size != vector.size;
            last->size = last->start + last->size > vector.start + vector.size ? last->size : vector.start + vector.size - last->start;
        }
    }
    walk->count = kept;
    kept = 0;
    for (size_t i = 0; i < walk->count; i++) {
        if (!walk->vectors[i].is_wrapped) {
            walk->vectors[kept++] = walk->vectors[i];
        }
    }
    walk->count = kept;
    if (walk->count > MOST_VECTORS) {
        qsort(walk->vectors, walk->count, sizeof *walk->vectors, by_size);
        walk->count = MOST_VECTORS;
        qsort(walk->vectors, walk->count, sizeof *walk->vectors, by_start);
    }
}
