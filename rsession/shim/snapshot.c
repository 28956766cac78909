/* The child's half of a snapshot, from the look at the room to the manifest. */
#define _GNU_SOURCE
#include "snapshot.h"
#include "stored_vectors.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define SPARE_BYTES ((double)(8 << 20)) /* for the manifest and what others write meanwhile */

static double measure_bindings(SEXP environment)
{
    double bytes = 0;
    SEXP names = wr.Rf_protect(wr.R_lsInternal3(environment, 1, 0));
    for (ptrdiff_t i = 0; i < wr.Rf_xlength(names); i++) {
        SEXP symbol = wr.Rf_installTrChar(wr.STRING_ELT(names, i));
        if (!wr.R_BindingIsActive(symbol, environment)) {
            SEXP value = wr.Rf_findVarInFrame(environment, symbol);
            uint32_t ticket = ticket_of(value);
            bytes += ticket == NO_NUMBER ? snapshot_measure(value, 0, false) : (double)snapshot.old->entries[workspace.tickets[ticket]].bytes;
        }
    }
    wr.Rf_unprotect(1);
    return bytes;
}

static double stored_bytes(const struct catalog *catalog)
{
    double bytes = 0;
    for (uint64_t i = 0; i < catalog->heading.chunks; i++) {
        bytes += catalog->chunks[i].raw;
    }
    return bytes;
}

/* Refuses before the first byte when it is plain that the objects will not fit. */
static void check_room(const struct snapshot_wish *wish)
{
    char text[160];
    struct statvfs disk;
    if (wish->limit > 0 && snapshot.total > wish->limit) {
        snprintf(text, sizeof text, "{\"end\":\"limit\",\"needed\":%.0f,\"limit\":%.0f}\n", snapshot.total, wish->limit);
        snapshot_finish(text, NOT_WRITTEN);
    }
    double missing = snapshot.total - stored_bytes(snapshot.old);
    if (!wish->compresses && missing > 0 && statvfs(workspace.folder, &disk) == 0) {
        double free_bytes = (double)disk.f_bavail * (double)disk.f_frsize;
        if (missing + SPARE_BYTES > free_bytes) {
            snprintf(text, sizeof text, "{\"end\":\"full\",\"errno\":%d,\"needed\":%.0f,\"free\":%.0f}\n", ENOSPC, missing, free_bytes);
            snapshot_finish(text, NOT_WRITTEN);
        }
    }
}

static void write_facts(const struct snapshot_wish *wish)
{
    SEXP names = wr.Rf_getAttrib(wish->facts, *wr.R_NamesSymbol);
    for (ptrdiff_t i = 0; i < wr.Rf_xlength(wish->facts); i++) {
        const char *name = wr.R_CHAR(wr.STRING_ELT(names, i));
        uint32_t entry = catalog_add_entry(&snapshot.next, ENTRY_FACT, name, strlen(name));
        snapshot_write_value(entry, wr.VECTOR_ELT(wish->facts, i));
    }
}

static void write_roots(const struct snapshot_wish *wish)
{
    ptrdiff_t count = wr.Rf_xlength(wish->attached);
    for (ptrdiff_t i = 0; i < count; i++) {
        snapshot_environment(wr.VECTOR_ELT(wish->attached, i), true);
    }
    write_facts(wish);
    for (ptrdiff_t i = 0; i < count; i++) {
        SEXP environment = wr.VECTOR_ELT(wish->attached, i);
        snapshot_write_bindings(environment, snapshot_environment(environment, true));
    }
    snapshot_write_bindings(*wr.R_GlobalEnv, GLOBAL_OWNER);
    snapshot_write_pending();
    snapshot_carry_awaited();
    snapshot_write_pending();
}

/* A binding whose environments hold external pointers is one that cannot be kept whole either. */
static void spread_pointer_flags(void)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (uint64_t i = 0; i < snapshot.next.heading.entries; i++) {
            struct entry *entry = &snapshot.next.entries[i];
            const uint32_t *refs = snapshot.next.refs + entry->refs + entry->chunks;
            for (uint32_t k = 0; k < entry->environments && !(entry->flags & FLAG_POINTER); k++) {
                if (snapshot.next.entries[refs[k]].flags & FLAG_POINTER) {
                    entry->flags |= FLAG_POINTER;
                    changed = true;
                }
            }
        }
    }
}

static void set_heading(const struct snapshot_wish *wish)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    snapshot.next.heading.generation = snapshot.old->heading.generation + 1;
    snapshot.next.heading.created = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
    snapshot.next.heading.visited = snapshot_visited();
    snapshot.next.heading.unread = snapshot.writer.trusted;
    snapshot.next.heading.written = snapshot.writer.written;
    snprintf(snapshot.next.heading.r_version, sizeof snapshot.next.heading.r_version, "%s", wish->r_version);
}

void snapshot_check_room(const struct snapshot_wish *wish)
{
    snapshot.total = measure_bindings(*wr.R_GlobalEnv);
    for (ptrdiff_t i = 0; i < wr.Rf_xlength(wish->attached); i++) {
        snapshot.total += measure_bindings(wr.VECTOR_ELT(wish->attached, i));
    }
    check_room(wish);
}

void snapshot_succeed(void)
{
    char text[192];
    snprintf(text, sizeof text, "{\"end\":\"ok\",\"bytes\":%llu,\"written\":%llu,\"unread\":%llu}\n", (unsigned long long)snapshot_visited(),
             (unsigned long long)snapshot.writer.written, (unsigned long long)snapshot.writer.trusted);
    snapshot_finish(text, 0);
}

static void write_everything(void *data)
{
    const struct snapshot_wish *wish = data;
    snapshot_check_room(wish);
    snapshot_take_head();
    write_roots(wish);
    int failure = chunk_writer_close(&snapshot.writer);
    if (failure == 0) {
        set_heading(wish);
        spread_pointer_flags();
        failure = catalog_write(&snapshot.next, workspace.folder);
    }
    if (failure != 0) {
        snapshot_give_up(failure);
    }
    snapshot_succeed();
}

void snapshot_run(const struct snapshot_wish *wish, void (*write)(void *wish))
{
    snapshot.old = &workspace.catalog;
    snapshot.progress = wish->progress;
    snapshot.buffer = malloc(CHUNK_BYTES);
    catalog_sweep(snapshot.old, workspace.folder);
    if (snapshot.buffer == NULL || !chunk_writer_open(&snapshot.writer, workspace.folder, &snapshot.next, snapshot.old, wish->compresses)) {
        snapshot_finish("{\"end\":\"error\",\"errno\":12}\n", NOT_WRITTEN);
    }
    stored_vectors_writing(snapshot_name_vector);
    wr.R_ToplevelExec(write, (void *)wish);
    chunk_writer_remove_packs(&snapshot.writer);
    snapshot_finish("{\"end\":\"error\",\"errno\":0}\n", NOT_WRITTEN);
}

void snapshot_write(const struct snapshot_wish *wish)
{
    snapshot_run(wish, write_everything);
}
