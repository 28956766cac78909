/* The large vectors of the session and what is known of their bytes: which chunks were not written since they were hashed, and so
 * need not be read again. What is not certain is not trusted. */
#ifndef RSESSION_TRACKED_VECTORS_H
#define RSESSION_TRACKED_VECTORS_H

#include "catalog.h"
#include "workspace_r.h"

enum chunk_state {
    CHUNK_UNKNOWN, /* protected; the writer notes its hash */
    CHUNK_KNOWN,   /* the hash is that of the bytes at the moment when they were protected */
    CHUNK_TRUSTED, /* known, unwritten, and stored */
    CHUNK_LOOSE,   /* could not be protected */
    CHUNK_LATER    /* not part of this stage */
};

struct tracked_chunk {
    struct hash hash;
    uint32_t state, nothing;
};

/* A piece of a stored object as it was read: `raw` bytes of `hash` went to `place`. */
struct read_piece {
    uintptr_t place;
    size_t raw;
    struct hash hash;
};

/* Once per process. NULL: writes are tracked; or why not. */
const char *tracked_start(void);

/* In R's thread right before a fork: find and judge the vectors, protect what is not trusted, keep trusted pages out of the fork.
 * At most `stage` bytes are protected and forked; true when others are left for later. */
bool tracked_prepare(SEXP attached, const struct catalog *catalog, size_t stage);

/* In R's thread right after it, also when it failed. */
void tracked_forked(void);

/* In the child, before anything else. Dies when the memory is not as it must be. */
void tracked_enter_child(void);

/* In the child: what is known of the chunk with exactly these bytes, or NULL. */
struct tracked_chunk *tracked_find(const void *data, size_t size);

/* In the child: whether the bytes belong to such a vector, some of whose pages may be missing here. */
bool tracked_holds(const void *data, size_t size);

/* In the child: acts on each chunk that must be read now; returns the bytes of those that are trusted. */
uint64_t tracked_with_unknown(void (*act)(const void *data, size_t size, struct tracked_chunk *chunk));

/* In the child: the hash of a chunk that was read. */
void tracked_note(struct tracked_chunk *chunk, struct hash hash);

/* The value was just read from these pieces. */
void tracked_adopt(SEXP value, const struct read_piece *pieces, size_t count);

/* Trust nothing from now on: a writer crashed. */
void tracked_distrust(void);

/* How much of a snapshot is forked at once. */
size_t tracked_stage_bytes(void);

/* A test asks that trusted chunks are read and compared all the same. */
bool tracked_is_verified(void);

#endif
