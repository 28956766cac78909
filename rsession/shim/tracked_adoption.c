/* Vectors that were read from the store: what is known of them needs no hashing. */
#define _GNU_SOURCE
#include "tracked_table.h"
#include "write_tracking.h"

#include <stdlib.h>
#include <string.h>

#define VALUE_SECONDS 0.01

/* The last piece that went there: an earlier one may have been overwritten. */
static const struct read_piece *piece_at(const struct read_piece *pieces, size_t count, uintptr_t place, size_t raw)
{
    while (count > 0 && pieces[count - 1].place != place) {
        count--;
    }
    return count > 0 && pieces[count - 1].raw == raw ? &pieces[count - 1] : NULL;
}

static void take_pieces(struct tracked *vector, const struct read_piece *pieces, size_t count)
{
    size_t chunks = tracked_chunk_count(vector->size);
    for (size_t i = 0; i < chunks; i++) {
        const struct read_piece *piece = piece_at(pieces, count, vector->start + i * CHUNK_BYTES, tracked_chunk_size(vector, i));
        if (piece != NULL) {
            vector->chunks[i] = (struct tracked_chunk){.hash = piece->hash, .state = CHUNK_KNOWN};
        }
    }
    *tracked_edges(vector) = (struct tracked_chunk){.hash = tracked_hash_of_edges(vector), .state = CHUNK_KNOWN};
}

/* What was known of bytes at the same place is worth nothing once they are protected anew. */
static void forget_overlapping(struct large_vector found)
{
    size_t first = tracked_place(found.start), end = first;
    while (end < tracked_table.count && tracked_table.vectors[end].start < found.start + found.size) {
        end++;
    }
    tracked_forget(first, end);
}

static void enter(struct tracked vector)
{
    size_t first = tracked_place(vector.start);
    if (tracked_table.count + 1 > tracked_table.room) {
        size_t room = tracked_table.room * 2 + 64;
        struct tracked *bigger = realloc(tracked_table.vectors, room * sizeof *bigger);
        if (bigger == NULL) {
            free(vector.chunks);
            return;
        }
        tracked_table.vectors = bigger;
        tracked_table.room = room;
    }
    memmove(tracked_table.vectors + first + 1, tracked_table.vectors + first, (tracked_table.count - first) * sizeof *tracked_table.vectors);
    tracked_table.vectors[first] = vector;
    tracked_table.count++;
}

static void adopt_one(struct large_vector found, const struct read_piece *pieces, size_t count)
{
    struct tracked vector = {.start = found.start, .size = found.size, .is_own = true};
    forget_overlapping(found);
    vector.chunks = calloc(tracked_chunk_count(found.size) + 1, sizeof *vector.chunks);
    if (vector.chunks == NULL || !write_tracking_protect(tracked_first_inner(&vector), tracked_end_inner(&vector))) {
        free(vector.chunks);
        vector.chunks = NULL;
    }
    if (vector.chunks != NULL) {
        take_pieces(&vector, pieces, count);
        enter(vector);
    }
}

void tracked_adopt(SEXP value, const struct read_piece *pieces, size_t count)
{
    struct vector_walk walk;
    if (count == 0 || !tracked_is_on() || tracked_table.count >= MOST_VECTORS) {
        return;
    }
    vector_walk_value(&walk, value, VALUE_SECONDS);
    tracked_select(&walk);
    for (size_t i = 0; i < walk.count && tracked_table.count < MOST_VECTORS; i++) {
        adopt_one(walk.vectors[i], pieces, count);
    }
    vector_walk_free(&walk);
}
