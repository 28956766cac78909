/* The parts of a writer's work, all in the forked child: its state, the stream of bytes, the entries, the whole. */
#ifndef RSESSION_SNAPSHOT_H
#define RSESSION_SNAPSHOT_H

#include "chunk_writer.h"
#include "workspace.h"

#include <time.h>

#define NOT_WRITTEN 3 /* exit status */

struct range {
    const char *start, *end;
};

struct pending {
    SEXP environment, vector; /* both NULL: carried from the old entry */
    uint32_t old, entry;
    bool is_root;
};

struct snapshot {
    struct chunk_writer writer;
    struct catalog next;
    const struct catalog *old;
    int progress;
    struct timespec told;
    double total;
    struct range *ranges, run;
    size_t range_count, range_room;
    char *buffer;
    size_t buffered;
    char head[256]; /* of every stream, as R writes it */
    size_t head_size;
    uint64_t entry_bytes;
    uint32_t entry_flags;
    uint32_t *met; /* environments that the current entry names */
    size_t met_count, met_room;
    struct pending *pending;
    size_t pending_first, pending_count, pending_room;
    struct number_map addresses, carried;
    SEXP harmless; /* the inner pointer of a data.table's reference to itself */
    bool no_memory;
};

extern struct snapshot snapshot;

/* snapshot_stream.c */
void snapshot_tell_progress(void);
uint64_t snapshot_visited(void);
void snapshot_finish(const char *text, int status);
void snapshot_give_up(int number);
bool snapshot_reserve(void *array, size_t *room, size_t used, size_t element);
/* About how many bytes a value takes when serialised; `collects` notes the memory of its large vectors, which outlives the walk. */
double snapshot_measure(SEXP x, int depth, bool collects);
void snapshot_serialise(void *value);
void snapshot_take_head(void);
bool snapshot_is_plain(SEXP x, int type);
void snapshot_write_plain(SEXP x, int type);

/* snapshot.c */
/* Calls `write` with all that it needs; ends the process. */
void snapshot_run(const struct snapshot_wish *wish, void (*write)(void *wish));
/* Ends the process when it is plain that the objects will not fit. */
void snapshot_check_room(const struct snapshot_wish *wish);
void snapshot_succeed(void);

/* snapshot_entries.c */
SEXP snapshot_name_environment(SEXP x, SEXP unused);
/* Number of the environment's entry in the new catalogue; a new one is walked later. */
uint32_t snapshot_environment(SEXP environment, bool is_root);
void snapshot_write_value(uint32_t entry, SEXP value);
void snapshot_write_bindings(SEXP environment, uint32_t owner);
void snapshot_write_pending(void);
void snapshot_await(struct pending pending);
/* The current entry needs this one. */
void snapshot_meet(uint32_t entry);
/* Number of an old entry that is neither a binding nor a fact in the new catalogue. */
uint32_t snapshot_carried_entry(uint32_t old);

/* snapshot_vectors.c */
/* `x` with its large vectors replaced by ones that are read when they are wanted. Lists are changed. */
SEXP snapshot_set_apart(SEXP x, int depth);
void snapshot_name_vector(const char *id, size_t size);
void snapshot_carry_awaited(void);

#endif
