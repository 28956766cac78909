/* Hashes chunks, stores those that the store has not, in packs, by threads of its own. For a forked snapshot: the memory that is
 * given stays as it is. */
#ifndef RSESSION_CHUNK_WRITER_H
#define RSESSION_CHUNK_WRITER_H

#include "catalog.h"
#include "tracked_vectors.h"

#include <pthread.h>

#define WRITER_THREADS 2
#define WRITER_TASKS 64
#define BUFFER_BYTES ((size_t)256 << 10) /* of a pack; room for one chunk follows */

struct pack_file {
    int file; /* -1: none */
    uint32_t pack;
    uint64_t size, synced;
    char *buffer;
    size_t buffered;
};

struct chunk_task {
    const void *data;
    size_t size;
    void *owned; /* freed afterwards, or NULL */
    uint64_t ref;
    struct tracked_chunk *tracked; /* learns the hash, or NULL */
};

struct chunk_writer {
    const char *folder;
    struct catalog *next;
    const struct catalog *old;
    bool compresses;
    pthread_mutex_t lock;
    pthread_cond_t work, rest;
    pthread_t threads[WRITER_THREADS];
    int thread_count;
    struct pack_file files[WRITER_THREADS + 1]; /* the last one is the caller's */
    struct chunk_task tasks[WRITER_TASKS];
    int first_task, task_count, running;
    bool ended;
    int failure; /* errno */
    uint64_t next_pack, hashed, written;
    uint64_t trusted; /* bytes; of the thread that adds chunks */
};

/* False when memory is short. `next` is empty. */
bool chunk_writer_open(struct chunk_writer *writer, const char *folder, struct catalog *next, const struct catalog *old, bool compresses);

/* Adds a chunk of at most CHUNK_BYTES to the references of `next`. */
void chunk_writer_add(struct chunk_writer *writer, const void *data, size_t size);

/* The same, of memory that is read later; if `tracked` is trusted, not at all. */
void chunk_writer_add_lasting(struct chunk_writer *writer, const void *data, size_t size, struct tracked_chunk *tracked);

/* Adds a chunk of `old`. */
void chunk_writer_carry(struct chunk_writer *writer, uint32_t old_chunk);

/* Adds any other reference, from the thread that adds chunks. */
void chunk_writer_refer(struct chunk_writer *writer, uint32_t number);

/* Appends to the caller's own pack; fills the place into `chunk`. */
bool chunk_writer_append(struct chunk_writer *writer, struct pack_file *pack, const char *data, size_t size, struct chunk *chunk);

/* Waits, moves chunks out of packs that are mostly garbage, brings everything to disk; 0 or an errno. */
int chunk_writer_close(struct chunk_writer *writer);

void chunk_writer_remove_packs(const struct chunk_writer *writer);

#endif
