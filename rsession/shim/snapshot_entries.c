/* Bindings and environments as entries. No R code is evaluated: promises stay promises, active bindings the functions behind them. */
#define _GNU_SOURCE
#include "snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void snapshot_await(struct pending pending)
{
    if (snapshot_reserve(&snapshot.pending, &snapshot.pending_room, snapshot.pending_count, sizeof *snapshot.pending)) {
        snapshot.pending[snapshot.pending_count++] = pending;
    }
}

/* Number of the environment's entry in the new catalogue; a new one is walked later. */
uint32_t snapshot_environment(SEXP environment, bool is_root)
{
    char id[ID_SIZE];
    uint64_t address = (uint64_t)(uintptr_t)environment;
    uint32_t entry = number_map_get(&snapshot.addresses, address);
    if (entry != NO_NUMBER) {
        return entry;
    }
    uint32_t restored = number_map_get(&workspace.restored_addresses, address);
    if (restored != NO_NUMBER && !workspace.restored[restored].is_dead) {
        memcpy(id, workspace.restored[restored].id, ID_SIZE);
    } else {
        snprintf(id, sizeof id, "%016llx-%llx", (unsigned long long)workspace.nonce, (unsigned long long)address);
    }
    entry = catalog_add_entry(&snapshot.next, ENTRY_ENVIRONMENT, id, strlen(id));
    snapshot.no_memory = snapshot.no_memory || entry == UINT32_MAX || !number_map_set(&snapshot.addresses, address, entry);
    snapshot_await((struct pending){.environment = environment, .entry = entry, .is_root = is_root});
    return entry;
}

uint32_t snapshot_carried_entry(uint32_t old)
{
    const struct entry *entry = &snapshot.old->entries[old];
    const char *id = snapshot.old->text + entry->text;
    uint32_t number = number_map_get(&snapshot.carried, old);
    if (number != NO_NUMBER) {
        return number;
    }
    uint32_t restored = number_map_get(&workspace.restored_ids, id_key(id, entry->text_size));
    if (restored != NO_NUMBER && workspace.restored[restored].is_filled) {
        number = snapshot_environment(workspace.restored[restored].environment, false);
    } else {
        number = catalog_add_entry(&snapshot.next, entry->kind, id, entry->text_size);
        snapshot_await((struct pending){.old = old, .entry = number});
    }
    snapshot.no_memory = snapshot.no_memory || !number_map_set(&snapshot.carried, old, number);
    return number;
}

void snapshot_meet(uint32_t entry)
{
    if (snapshot_reserve(&snapshot.met, &snapshot.met_room, snapshot.met_count, sizeof *snapshot.met)) {
        snapshot.met[snapshot.met_count++] = entry;
    }
}

static void note_pointer(SEXP x)
{
    void *address = wr.R_ExternalPtrAddr(x);
    if (address == (void *)*wr.R_NilValue) {
        snapshot.harmless = wr.R_ExternalPtrProtected(x);
    } else if (address != NULL && address != workspace.class_key && x != snapshot.harmless) {
        snapshot.entry_flags |= FLAG_POINTER;
    }
}

/* Called for every environment, external pointer and weak reference that is about to be written. */
SEXP snapshot_name_environment(SEXP x, SEXP unused)
{
    if (wr.TYPEOF(x) != R_ENVIRONMENT) {
        if (wr.TYPEOF(x) == R_POINTER) {
            note_pointer(x);
        } else {
            snapshot.entry_flags |= FLAG_POINTER;
        }
        return *wr.R_NilValue;
    }
    uint32_t entry = snapshot_environment(x, false);
    snapshot_meet(entry);
    const struct entry *record = &snapshot.next.entries[entry];
    SEXP name = wr.Rf_protect(wr.Rf_allocVector(R_STRINGS, 1));
    wr.SET_STRING_ELT(name, 0, wr.Rf_mkCharLenCE(snapshot.next.text + record->text, (int)record->text_size, 0));
    wr.Rf_unprotect(1);
    return name;
}

static void complete_entry(uint32_t number, uint64_t first_ref)
{
    struct entry *entry = &snapshot.next.entries[number];
    entry->refs = first_ref;
    entry->chunks = (uint32_t)(snapshot.next.heading.refs - first_ref);
    entry->environments = (uint32_t)snapshot.met_count;
    entry->bytes = snapshot.entry_bytes;
    entry->flags |= snapshot.entry_flags;
    for (size_t i = 0; i < snapshot.met_count; i++) {
        chunk_writer_refer(&snapshot.writer, snapshot.met[i]);
    }
}

static void begin_entry(void)
{
    snapshot.met_count = snapshot.range_count = 0;
    snapshot.entry_bytes = 0;
    snapshot.entry_flags = 0;
    if (snapshot.writer.failure != 0 || snapshot.no_memory) {
        snapshot_give_up(snapshot.writer.failure ? snapshot.writer.failure : ENOMEM);
    }
    snapshot_tell_progress();
}

void snapshot_write_value(uint32_t entry, SEXP value)
{
    begin_entry();
    uint64_t first_ref = snapshot.next.heading.refs;
    int type = wr.TYPEOF(value);
    if (snapshot_is_plain(value, type)) {
        snapshot_write_plain(value, type);
        complete_entry(entry, first_ref);
        return;
    }
    snapshot_measure(value, 0, true);
    if (!wr.R_ToplevelExec(snapshot_serialise, value)) {
        snapshot.buffered = 0;
        snapshot.run.start = snapshot.run.end = NULL;
        snapshot.met_count = 0;
        snapshot.entry_flags |= FLAG_FAILED;
        first_ref = snapshot.next.heading.refs;
    }
    complete_entry(entry, first_ref);
}

static void carry(uint32_t number, uint32_t old)
{
    begin_entry();
    const struct entry *before = &snapshot.old->entries[old];
    uint64_t first_ref = snapshot.next.heading.refs;
    for (uint32_t i = 0; i < before->chunks; i++) {
        chunk_writer_carry(&snapshot.writer, snapshot.old->refs[before->refs + i]);
    }
    for (uint32_t i = 0; i < before->environments; i++) {
        snapshot_meet(snapshot_carried_entry(snapshot.old->refs[before->refs + before->chunks + i]));
    }
    snapshot.entry_bytes = before->bytes;
    snapshot.entry_flags = before->flags & ~(uint32_t)FLAG_LOCKED;
    complete_entry(number, first_ref);
    snapshot.next.entries[number].type = before->type;
    snapshot.next.entries[number].length = before->length;
}

static uint32_t binding_entry(SEXP name, uint32_t owner)
{
    const char *text = wr.Rf_translateCharUTF8(name);
    uint32_t number = catalog_add_entry(&snapshot.next, ENTRY_BINDING, text, strlen(text));
    if (number == UINT32_MAX) {
        snapshot_give_up(ENOMEM);
    }
    snapshot.next.entries[number].owner = owner;
    return number;
}

static void write_binding(SEXP environment, SEXP name, uint32_t owner)
{
    SEXP symbol = wr.Rf_installTrChar(name);
    if (!wr.R_existsVarInFrame(environment, symbol)) {
        return;
    }
    uint32_t number = binding_entry(name, owner), flags = wr.R_BindingIsLocked(symbol, environment) ? FLAG_LOCKED : 0;
    bool is_active = wr.R_BindingIsActive(symbol, environment);
    SEXP value = is_active ? wr.R_ActiveBindingFunction(symbol, environment) : wr.Rf_findVarInFrame(environment, symbol);
    uint32_t ticket = is_active ? NO_NUMBER : ticket_of(value);
    if (ticket != NO_NUMBER) {
        carry(number, workspace.tickets[ticket]);
        snapshot.next.entries[number].ticket = ticket;
        snapshot.next.entries[number].flags |= flags | FLAG_CARRIED;
        return;
    }
    if (!is_active && wr.TYPEOF(value) == R_PROMISE) {
        bool is_forced = wr.PRVALUE(value) != *wr.R_UnboundValue;
        value = is_forced ? wr.PRVALUE(value) : value;
        flags |= is_forced ? 0 : FLAG_PROMISE;
    }
    flags |= is_active ? FLAG_ACTIVE : 0;
    flags |= wr.TYPEOF(value) == R_CLOSURE && wr.RDEBUG(value) ? FLAG_DEBUGGED : 0;
    snapshot_write_value(number, value);
    snapshot.next.entries[number].type = (uint8_t)wr.TYPEOF(value);
    snapshot.next.entries[number].length = (double)wr.Rf_xlength(value);
    snapshot.next.entries[number].flags |= flags;
}

void snapshot_write_bindings(SEXP environment, uint32_t owner)
{
    SEXP names = wr.Rf_protect(wr.R_lsInternal3(environment, 1, 0));
    for (ptrdiff_t i = 0; i < wr.Rf_xlength(names); i++) {
        write_binding(environment, wr.STRING_ELT(names, i), owner);
    }
    wr.Rf_unprotect(1);
}

static SEXP attributes_of(SEXP x)
{
    ptrdiff_t count = 0, i = 0;
    for (SEXP at = wr.ATTRIB(x); at != *wr.R_NilValue; at = wr.CDR(at)) {
        count++;
    }
    SEXP list = wr.Rf_protect(wr.Rf_allocVector(R_LIST, 2 * count));
    for (SEXP at = wr.ATTRIB(x); at != *wr.R_NilValue; at = wr.CDR(at), i += 2) {
        wr.SET_VECTOR_ELT(list, i, wr.TAG(at));
        wr.SET_VECTOR_ELT(list, i + 1, wr.CAR(at));
    }
    wr.Rf_unprotect(1);
    return list;
}

static void fill_container(SEXP container, SEXP environment, SEXP names)
{
    ptrdiff_t count = wr.Rf_xlength(names);
    SEXP values = wr.SET_VECTOR_ELT(container, PART_VALUES, wr.Rf_allocVector(R_LIST, count));
    SEXP flags = wr.SET_VECTOR_ELT(container, PART_FLAGS, wr.Rf_allocVector(R_RAWS, count));
    for (ptrdiff_t i = 0; i < count; i++) {
        SEXP symbol = wr.Rf_installTrChar(wr.STRING_ELT(names, i));
        bool is_active = wr.R_BindingIsActive(symbol, environment);
        wr.RAW(flags)[i] = (unsigned char)((wr.R_BindingIsLocked(symbol, environment) ? FLAG_LOCKED : 0) | (is_active ? FLAG_ACTIVE : 0));
        SEXP value = is_active ? wr.R_ActiveBindingFunction(symbol, environment) : wr.Rf_findVarInFrame(environment, symbol);
        wr.SET_VECTOR_ELT(values, i, snapshot_set_apart(value, 0));
    }
    wr.SET_VECTOR_ELT(container, PART_NAMES, names);
}

static void write_environment(SEXP environment, uint32_t entry, bool is_root)
{
    SEXP container = wr.Rf_protect(wr.Rf_allocVector(R_LIST, CONTAINER_PARTS));
    int look = (wr.R_EnvironmentIsLocked(environment) ? LOOK_LOCKED : 0) | (wr.IS_S4_OBJECT(environment) ? LOOK_S4 : 0);
    wr.SET_VECTOR_ELT(container, PART_PARENT, is_root ? *wr.R_EmptyEnv : wr.parent(environment));
    wr.SET_VECTOR_ELT(container, PART_ATTRIBUTES, attributes_of(environment));
    wr.SET_VECTOR_ELT(container, PART_LOOK, wr.Rf_ScalarInteger(look));
    SEXP names = wr.Rf_protect(is_root ? wr.Rf_allocVector(R_STRINGS, 0) : wr.R_lsInternal3(environment, 1, 0));
    fill_container(container, environment, names);
    snapshot_write_value(entry, container);
    snapshot.next.entries[entry].flags |= is_root ? FLAG_ATTACHED : 0;
    wr.Rf_unprotect(2);
}

void snapshot_write_pending(void)
{
    while (snapshot.pending_first < snapshot.pending_count) {
        struct pending at = snapshot.pending[snapshot.pending_first++];
        if (at.vector != NULL) {
            snapshot_write_value(at.entry, at.vector);
        } else if (at.environment == NULL) {
            carry(at.entry, at.old);
        } else {
            write_environment(at.environment, at.entry, at.is_root);
        }
    }
}
