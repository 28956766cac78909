/* Reading objects back, one at a time, with the environments they share. */
#define _GNU_SOURCE
#include "workspace.h"
#include "chunk_codec.h"
#include "stored_vectors.h"
#include "tracked_vectors.h"
#include "vector_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct workspace workspace;

struct reader {
    const struct entry *entry;
    uint32_t next_chunk;
    char *data, *stored; /* of R_alloc */
    size_t at, size;
    const char *complaint;
};

/* Where the large chunks of the entry that is being read went. */
static struct read_piece *pieces;
static size_t piece_count, piece_room;

static uint32_t *to_fill; /* numbers of `restored` */
static size_t fill_count, fill_room;

uint64_t id_key(const char *id, size_t size)
{
    return hash_of(id, size).low;
}

bool workspace_index(void)
{
    const struct catalog *catalog = &workspace.catalog;
    number_map_free(&workspace.environments);
    for (uint32_t i = 0; i < catalog->heading.entries; i++) {
        const struct entry *entry = &catalog->entries[i];
        if ((entry->kind == ENTRY_ENVIRONMENT || entry->kind == ENTRY_VECTOR) &&
            !number_map_set(&workspace.environments, id_key(catalog->text + entry->text, entry->text_size), i)) {
            return false;
        }
    }
    return true;
}

uint32_t ticket_of(SEXP value)
{
    if (workspace.loader == NULL || wr.TYPEOF(value) != R_PROMISE || wr.PRVALUE(value) != *wr.R_UnboundValue) {
        return NO_NUMBER;
    }
    SEXP code = wr.PRCODE(value);
    if (wr.TYPEOF(code) != R_CALL || wr.CAR(code) != workspace.loader) {
        return NO_NUMBER;
    }
    SEXP argument = wr.CAR(wr.CDR(code));
    uint32_t ticket = wr.TYPEOF(argument) == R_INTEGERS ? (uint32_t)wr.INTEGER(argument)[0] : NO_NUMBER;
    return ticket < workspace.ticket_count && workspace.tickets[ticket] != NO_NUMBER ? ticket : NO_NUMBER;
}

static bool read_stored(const struct chunk *chunk, char *stored)
{
    char path[4096];
    unsigned long long number = workspace.catalog.packs[chunk->pack].number;
    snprintf(path, sizeof path, "%s/pack-%llu", workspace.folder, number);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    size_t done = 0;
    while (file >= 0 && done < chunk->stored) {
        ssize_t got = pread(file, stored + done, chunk->stored - done, (off_t)(chunk->offset + done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            break;
        }
        done += (size_t)got;
    }
    if (file >= 0) {
        close(file);
    }
    return done == chunk->stored;
}

static bool read_chunk(struct reader *reader)
{
    const struct catalog *catalog = &workspace.catalog;
    if (reader->next_chunk == reader->entry->chunks) {
        reader->complaint = "its stored bytes end too early";
        return false;
    }
    const struct chunk *chunk = &catalog->chunks[catalog->refs[reader->entry->refs + reader->next_chunk++]];
    char *stored = chunk->codec == 0 ? reader->data : reader->stored;
    if (!read_stored(chunk, stored) || !chunk_expand(chunk->codec, stored, chunk->stored, reader->data, chunk->raw)) {
        reader->complaint = "a part of its stored bytes is missing or cannot be read";
        return false;
    }
    struct hash found = hash_of(reader->data, chunk->raw);
    if (found.low != chunk->hash.low || found.high != chunk->hash.high) {
        reader->complaint = "its stored bytes are damaged (the checksum is wrong)";
        return false;
    }
    reader->at = 0;
    reader->size = chunk->raw;
    return true;
}

static void complain(const struct reader *reader)
{
    const struct entry *entry = reader->entry;
    const char *what = entry->kind == ENTRY_ENVIRONMENT ? "an environment it uses" : "a vector inside it";
    char name[256];
    snprintf(name, sizeof name, "%.*s", (int)entry->text_size, workspace.catalog.text + entry->text);
    if (entry->kind != ENTRY_BINDING && entry->kind != ENTRY_FACT) {
        wr.Rf_error("the object cannot be restored: %s could not be read: %s", what, reader->complaint);
    }
    wr.Rf_error("object '%s' cannot be restored: %s", name, reader->complaint);
}

static void note_piece(const struct chunk *chunk, const char *to)
{
    if (piece_count == piece_room) {
        size_t room = piece_room ? piece_room * 2 : 128;
        struct read_piece *bigger = realloc(pieces, room * sizeof *bigger);
        if (bigger == NULL) {
            return;
        }
        pieces = bigger;
        piece_room = room;
    }
    pieces[piece_count++] = (struct read_piece){(uintptr_t)to, chunk->raw, chunk->hash};
}

static void in_bytes(struct in_stream *stream, void *bytes, int count)
{
    struct reader *reader = stream->data;
    char *to = bytes;
    size_t size = (size_t)count;
    while (size > 0) {
        if (reader->at == reader->size && !read_chunk(reader)) {
            complain(reader);
        }
        if (reader->at == 0 && reader->entry->bytes >= LARGE_BYTES) {
            note_piece(&workspace.catalog.chunks[workspace.catalog.refs[reader->entry->refs + reader->next_chunk - 1]], to);
        }
        size_t piece = reader->size - reader->at < size ? reader->size - reader->at : size;
        memcpy(to, reader->data + reader->at, piece);
        reader->at += piece;
        to += piece;
        size -= piece;
    }
}

static int in_char(struct in_stream *stream)
{
    unsigned char byte;
    in_bytes(stream, &byte, 1);
    return byte;
}

static uint32_t add_restored(SEXP environment, const char *id)
{
    if (workspace.restored_count == workspace.restored_room) {
        size_t room = workspace.restored_room ? workspace.restored_room * 2 : 64;
        struct restored *bigger = realloc(workspace.restored, room * sizeof *bigger);
        if (bigger == NULL) {
            wr.Rf_error("%s", catalog_no_memory);
        }
        workspace.restored = bigger;
        workspace.restored_room = room;
    }
    uint32_t number = (uint32_t)workspace.restored_count++;
    struct restored *record = &workspace.restored[number];
    memset(record, 0, sizeof *record);
    record->environment = environment;
    snprintf(record->id, sizeof record->id, "%s", id);
    wr.R_PreserveObject(environment);
    number_map_set(&workspace.restored_ids, id_key(id, strlen(id)), number);
    number_map_set(&workspace.restored_addresses, (uint64_t)(uintptr_t)environment, number);
    return number;
}

void workspace_forget_restored(void)
{
    for (size_t i = 0; i < workspace.restored_count; i++) {
        if (!workspace.restored[i].is_dead) {
            wr.R_ReleaseObject(workspace.restored[i].environment);
        }
    }
    workspace.restored_count = 0;
    number_map_free(&workspace.restored_ids);
    number_map_free(&workspace.restored_addresses);
}

static void fill_later(uint32_t number)
{
    if (fill_count == fill_room) {
        size_t room = fill_room ? fill_room * 2 : 64;
        uint32_t *bigger = realloc(to_fill, room * sizeof *bigger);
        if (bigger == NULL) {
            wr.Rf_error("%s", catalog_no_memory);
        }
        to_fill = bigger;
        fill_room = room;
    }
    to_fill[fill_count++] = number;
    workspace.restored[number].is_queued = true;
}

/* The environment of an id: made empty at its first mention, filled when the object that mentions it has been read. */
static SEXP find_environment(SEXP name, SEXP unused)
{
    const char *id = wr.R_CHAR(wr.STRING_ELT(name, 0));
    uint32_t number = number_map_get(&workspace.restored_ids, id_key(id, strlen(id)));
    if (number == NO_NUMBER || workspace.restored[number].is_dead) {
        SEXP environment = wr.Rf_protect(wr.R_NewEnv(*wr.R_EmptyEnv, 1, 29));
        number = add_restored(environment, id);
        wr.Rf_unprotect(1);
    }
    if (!workspace.restored[number].is_filled && !workspace.restored[number].is_queued) {
        fill_later(number);
    }
    return workspace.restored[number].environment;
}

static SEXP read_stream(void *stream)
{
    stored_vectors_reading(true);
    return wr.R_Unserialize(stream);
}

static void end_reading(void *unused, int is_jump)
{
    stored_vectors_reading(false);
}

static SEXP unserialise(uint32_t number)
{
    const struct catalog *catalog = &workspace.catalog;
    struct reader reader = {.entry = &catalog->entries[number]};
    struct in_stream stream;
    size_t largest = 0;
    bool is_compressed = false;
    if (reader.entry->flags & FLAG_FAILED) {
        reader.complaint = "R could not write it when the session was saved";
        complain(&reader);
    }
    for (uint32_t i = 0; i < reader.entry->chunks; i++) {
        const struct chunk *chunk = &catalog->chunks[catalog->refs[reader.entry->refs + i]];
        largest = chunk->raw > largest ? chunk->raw : largest;
        is_compressed = is_compressed || chunk->codec != 0;
    }
    reader.data = wr.R_alloc(largest + 8, 1);
    reader.stored = is_compressed ? wr.R_alloc(CHUNK_BYTES, 1) : NULL;
    memset(&stream, 0, sizeof stream);
    wr.R_InitInPStream(&stream, &reader, R_NATIVE_BINARY, in_char, in_bytes, find_environment, *wr.R_NilValue);
    piece_count = 0;
    SEXP value = wr.Rf_protect(wr.R_UnwindProtect(read_stream, &stream, end_reading, NULL, NULL));
    tracked_adopt(value, pieces, piece_count);
    wr.Rf_unprotect(1);
    return value;
}

static void set_parent(SEXP environment, SEXP parent)
{
    SEXP call = wr.Rf_protect(wr.Rf_lang3(wr.Rf_install("parent.env<-"), environment, parent));
    wr.Rf_eval(call, *wr.R_BaseEnv);
    wr.Rf_unprotect(1);
}

static void define(SEXP environment, SEXP symbol, SEXP value, int flags)
{
    if (flags & FLAG_ACTIVE) {
        wr.R_MakeActiveBinding(symbol, value, environment);
    } else {
        wr.Rf_defineVar(symbol, value, environment);
    }
    if (flags & FLAG_LOCKED) {
        wr.R_LockBinding(symbol, environment);
    }
}

static void fill(SEXP environment, SEXP container)
{
    SEXP attributes = wr.VECTOR_ELT(container, PART_ATTRIBUTES), names = wr.VECTOR_ELT(container, PART_NAMES);
    SEXP values = wr.VECTOR_ELT(container, PART_VALUES), flags = wr.VECTOR_ELT(container, PART_FLAGS);
    int look = wr.INTEGER(wr.VECTOR_ELT(container, PART_LOOK))[0];
    set_parent(environment, wr.VECTOR_ELT(container, PART_PARENT));
    for (ptrdiff_t i = 0; i < wr.Rf_xlength(names); i++) {
        define(environment, wr.Rf_installTrChar(wr.STRING_ELT(names, i)), wr.VECTOR_ELT(values, i), wr.RAW(flags)[i]);
        wr.SET_VECTOR_ELT(values, i, *wr.R_NilValue); /* or the value would seem to have two owners, and be copied when changed */
    }
    for (ptrdiff_t i = 0; i < wr.Rf_xlength(attributes); i += 2) {
        wr.Rf_setAttrib(environment, wr.VECTOR_ELT(attributes, i), wr.VECTOR_ELT(attributes, i + 1));
    }
    if (look & LOOK_S4) {
        wr.SET_S4_OBJECT(environment);
    }
    if (look & LOOK_LOCKED) {
        wr.R_LockEnvironment(environment, 0);
    }
}

static void fill_one(uint32_t number)
{
    const char *id = workspace.restored[number].id;
    uint32_t entry = number_map_get(&workspace.environments, id_key(id, strlen(id)));
    if (entry == NO_NUMBER) {
        wr.Rf_error("the object cannot be restored: an environment it uses is missing from the store");
    }
    SEXP container = wr.Rf_protect(unserialise(entry));
    fill(workspace.restored[number].environment, container);
    wr.Rf_unprotect(1);
}

struct load {
    uint32_t entry;
    size_t first; /* of to_fill */
};

static SEXP load(void *data)
{
    const struct load *own = data;
    SEXP value = wr.Rf_protect(unserialise(own->entry));
    for (size_t i = own->first; i < fill_count; i++) {
        fill_one(to_fill[i]);
    }
    wr.Rf_unprotect(1);
    return value;
}

/* After an error the environments of this load are dead: the next object that names one of them gets another, or fails in the same
 * way, instead of finding one that is half filled. */
static void end_load(void *data, int is_jump)
{
    const struct load *own = data;
    for (size_t i = own->first; i < fill_count; i++) {
        struct restored *record = &workspace.restored[to_fill[i]];
        record->is_filled = !is_jump;
        record->is_dead = is_jump;
        if (is_jump) {
            wr.R_ReleaseObject(record->environment);
        }
    }
    fill_count = own->first;
}

SEXP workspace_load(uint32_t entry)
{
    struct load own = {.entry = entry, .first = fill_count};
    SEXP value = wr.Rf_protect(wr.R_UnwindProtect(load, &own, end_load, &own, NULL));
    if (workspace.catalog.entries[entry].flags & FLAG_DEBUGGED) {
        SEXP call = wr.Rf_protect(wr.Rf_lang2(wr.Rf_install("debug"), value));
        wr.Rf_eval(call, *wr.R_BaseEnv);
        wr.Rf_unprotect(1);
    }
    wr.Rf_unprotect(1);
    return value;
}

SEXP workspace_load_vector(const char *id)
{
    uint32_t entry = number_map_get(&workspace.environments, id_key(id, strlen(id)));
    if (entry == NO_NUMBER || workspace.catalog.entries[entry].kind != ENTRY_VECTOR) {
        wr.Rf_error("the object cannot be restored: a vector inside it is missing from the store");
    }
    return workspace_load(entry);
}

void workspace_adopt(SEXP environment, uint32_t entry)
{
    char id[ID_SIZE];
    const struct entry *record = &workspace.catalog.entries[entry];
    snprintf(id, sizeof id, "%.*s", (int)record->text_size, workspace.catalog.text + record->text);
    uint32_t number = add_restored(environment, id);
    workspace.restored[number].is_filled = true;
}
