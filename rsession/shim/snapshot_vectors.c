/* Large vectors inside environments are set apart as entries of their own, so that each can be read when it is wanted. All this is
 * done to the child's copy of the objects. */
#define _GNU_SOURCE
#include "snapshot.h"
#include "stored_vectors.h"
#include "vector_walk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define APART_BYTES ((size_t)256 << 10)
#define DEEPEST 60

static struct number_map entries_by_address, entries_by_id;

/* The entry of a vector; its bytes are written later. */
static uint32_t entry_of(SEXP data, const char *id)
{
    uint64_t address = (uint64_t)(uintptr_t)data;
    uint32_t entry = number_map_get(&entries_by_address, address);
    if (entry == NO_NUMBER) {
        entry = catalog_add_entry(&snapshot.next, ENTRY_VECTOR, id, strlen(id));
        if (entry == UINT32_MAX || !number_map_set(&entries_by_address, address, entry) ||
            !number_map_set(&entries_by_id, id_key(id, strlen(id)), entry)) {
            snapshot_give_up(ENOMEM);
        }
        wr.R_PreserveObject(data); /* no other vector may come to its address while the child lives */
        snapshot_await((struct pending){.vector = data, .entry = entry});
    }
    return entry;
}

static SEXP stand_in(SEXP x, SEXP data)
{
    char id[ID_SIZE];
    int type = wr.TYPEOF(data);
    if ((size_t)wr.Rf_xlength(data) * element_size(type) < APART_BYTES) {
        return x;
    }
    snprintf(id, sizeof id, "v%016llx-%llx", (unsigned long long)workspace.nonce, (unsigned long long)(uintptr_t)data);
    SEXP made = stored_vector_make(id, x);
    if (made == NULL) {
        return x;
    }
    wr.Rf_protect(made);
    entry_of(data, id);
    wr.Rf_unprotect(1);
    return made;
}

SEXP snapshot_set_apart(SEXP x, int depth)
{
    int type = wr.TYPEOF(x);
    if (element_size(type) != 0) {
        SEXP data = wr.ALTREP(x) ? stored_vector_data(x) : x;
        return data != NULL ? stand_in(x, data) : x;
    }
    if ((type == R_LIST || type == R_EXPRESSIONS) && !wr.ALTREP(x) && depth < DEEPEST) {
        for (ptrdiff_t i = 0; i < wr.Rf_xlength(x); i++) {
            SEXP before = wr.VECTOR_ELT(x, i), after = snapshot_set_apart(before, depth + 1);
            if (after != before) {
                wr.SET_VECTOR_ELT(x, i, after);
            }
        }
    }
    return x;
}

/* A vector is about to be written as its id. */
void snapshot_name_vector(const char *id, size_t size)
{
    uint32_t entry = number_map_get(&entries_by_id, id_key(id, size));
    if (entry == NO_NUMBER) {
        uint32_t old = number_map_get(&workspace.environments, id_key(id, size));
        if (old == NO_NUMBER) {
            snapshot_give_up(EIO); /* nothing may be written that could not be read back */
        }
        entry = snapshot_carried_entry(old);
    }
    snapshot_meet(entry);
}

/* What R holds somewhere outside of all that is written stays in the store too. */
void snapshot_carry_awaited(void)
{
    const struct catalog *old = snapshot.old;
    for (uint32_t i = 0; i < old->heading.entries; i++) {
        const struct entry *entry = &old->entries[i];
        if (entry->kind == ENTRY_VECTOR && stored_vector_is_awaited(old->text + entry->text, entry->text_size)) {
            snapshot_carried_entry(i);
        }
    }
}
