/* The store of R's objects: what one process keeps of it between snapshots. See docs/explanation/suspend-and-resume.md. */
#ifndef RSESSION_WORKSPACE_H
#define RSESSION_WORKSPACE_H

#include "catalog.h"
#include "number_map.h"
#include "workspace_r.h"

#define ID_SIZE 40

enum container_part { PART_PARENT, PART_ATTRIBUTES, PART_LOOK, PART_NAMES, PART_VALUES, PART_FLAGS, CONTAINER_PARTS };
enum environment_look { LOOK_LOCKED = 1, LOOK_S4 = 2 };

/* An environment that was made from its entry; those still named by entries that are not loaded must stay the same object. */
struct restored {
    SEXP environment;
    char id[ID_SIZE];
    bool is_filled, is_queued;
    bool is_dead; /* its load failed: the next one makes another */
};

struct workspace {
    bool is_open;
    char folder[3072];
    struct catalog catalog;
    struct number_map environments; /* id → entry, also of vectors that are set apart */
    struct restored *restored;
    size_t restored_count, restored_room;
    struct number_map restored_ids, restored_addresses;
    uint32_t *tickets; /* ticket → entry; NO_NUMBER: gone */
    uint32_t ticket_count;
    uint64_t nonce;
    void *class_key; /* address that external pointers in class definitions hold, and that means nothing */
    SEXP loader; /* the function that promises of unloaded objects call */
};

extern struct workspace workspace;

/* One string with the class "rs_refusal". */
SEXP workspace_refusal(const char *text);

/* What `catalog` holds is the store now; false when memory is short. */
bool workspace_take_catalog(struct catalog *catalog);

uint64_t id_key(const char *id, size_t size);
bool workspace_index(void);

/* The ticket of an unloaded object's promise, or NO_NUMBER. */
uint32_t ticket_of(SEXP value);

struct snapshot_wish {
    SEXP facts;    /* named list */
    SEXP attached; /* list of environments */
    int progress;  /* descriptor, or -1 */
    bool compresses, is_background;
    double limit; /* bytes, 0: none */
    const char *r_version;
};

/* In the forked child: writes everything and ends the process. */
void snapshot_write(const struct snapshot_wish *wish);

/* In the forked child: stores chunks that a later snapshot will name, beside what is stored, and ends the process. */
void snapshot_write_stage(const struct snapshot_wish *wish);

/* Raises an R error naming the object when it cannot be read. */
SEXP workspace_load(uint32_t entry);
/* The vector of that id; raises an R error. */
SEXP workspace_load_vector(const char *id);
void workspace_adopt(SEXP environment, uint32_t entry);
void workspace_forget_restored(void);

#endif
