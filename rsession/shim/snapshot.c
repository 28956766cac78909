/* The child's half of a snapshot: walks the environments and serialises what it finds. No R code is evaluated here. */
#define _GNU_SOURCE
#include "chunk_writer.h"
#include "workspace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define LASTING_BYTES ((size_t)128 << 10) /* vectors from here on are read where they are */
#define DEEPEST 60
#define PROGRESS_NANOSECONDS 100000000
#define NOT_WRITTEN 3
#define PLAIN_ELEMENTS 1000
#define SPARE_BYTES ((double)(8 << 20)) /* for the manifest and what others write meanwhile */

struct range {
    const char *start, *end;
};

struct pending {
    SEXP environment; /* NULL: carried from the old entry */
    uint32_t old, entry;
    bool is_root;
};

static struct {
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
} s;

static void say(const char *text)
{
    if (s.progress >= 0 && write(s.progress, text, strlen(text)) < 0) {
        s.progress = -1;
    }
}

static void finish(const char *text, int status)
{
    say(text);
    _exit(status);
}

static void tell_progress(void)
{
    struct timespec now;
    char text[128];
    clock_gettime(CLOCK_MONOTONIC, &now);
    if ((now.tv_sec - s.told.tv_sec) * 1000000000 + now.tv_nsec - s.told.tv_nsec > PROGRESS_NANOSECONDS) {
        s.told = now;
        snprintf(text, sizeof text, "{\"done\":%llu,\"total\":%.0f}\n", (unsigned long long)s.writer.done, s.total);
        say(text);
    }
}

static void give_up(int number)
{
    char text[128];
    const char *kind = number == ENOSPC || number == EDQUOT ? "full" : "error";
    chunk_writer_remove_packs(&s.writer);
    snprintf(text, sizeof text, "{\"end\":\"%s\",\"errno\":%d,\"needed\":%.0f}\n", kind, number, s.total);
    finish(text, NOT_WRITTEN);
}

static bool reserve(void *array, size_t *room, size_t used, size_t element)
{
    if (used < *room) {
        return true;
    }
    size_t wanted = *room ? *room * 2 : 64;
    void *bigger = realloc(*(void **)array, wanted * element);
    s.no_memory = s.no_memory || bigger == NULL;
    if (bigger != NULL) {
        *(void **)array = bigger;
        *room = wanted;
    }
    return bigger != NULL;
}

static size_t element_size(int type)
{
    switch (type) {
    case R_LOGICALS:
    case R_INTEGERS:
        return 4;
    case R_REALS:
        return 8;
    case R_COMPLEXES:
        return 16;
    case R_RAWS:
        return 1;
    default:
        return 0;
    }
}

static const char *data_of(SEXP x, int type)
{
    switch (type) {
    case R_LOGICALS:
        return (const char *)wr.LOGICAL(x);
    case R_INTEGERS:
        return (const char *)wr.INTEGER(x);
    case R_REALS:
        return (const char *)wr.REAL(x);
    case R_COMPLEXES:
        return wr.COMPLEX(x);
    default:
        return (const char *)wr.RAW(x);
    }
}

static void add_range(SEXP x, int type, size_t size)
{
    if (reserve(&s.ranges, &s.range_room, s.range_count, sizeof *s.ranges)) {
        const char *start = data_of(x, type);
        s.ranges[s.range_count++] = (struct range){start, start + size};
    }
}

/* About how many bytes a value takes when serialised; `collects` notes the memory of its large vectors, which outlives the walk. */
static double measure(SEXP x, int depth, bool collects)
{
    int type = wr.TYPEOF(x);
    double bytes = 8;
    if (depth > DEEPEST) {
        return bytes;
    }
    if (element_size(type) != 0 && !wr.ALTREP(x)) {
        double size = (double)wr.Rf_xlength(x) * (double)element_size(type);
        bytes += size;
        if (collects && size >= LASTING_BYTES) {
            add_range(x, type, (size_t)size);
        }
    } else if (type == R_STRINGS) {
        bytes += 16.0 * (double)wr.Rf_xlength(x);
    } else if ((type == R_LIST || type == R_EXPRESSIONS) && !wr.ALTREP(x)) {
        for (ptrdiff_t i = 0; i < wr.Rf_xlength(x); i++) {
            bytes += measure(wr.VECTOR_ELT(x, i), depth + 1, collects);
        }
    } else if (type == R_PROMISE && wr.PRVALUE(x) != *wr.R_UnboundValue) {
        bytes += measure(wr.PRVALUE(x), depth + 1, collects);
    }
    if (type != R_CHARACTERS && type != R_SYMBOL && type != R_ENVIRONMENT) {
        for (SEXP at = wr.ATTRIB(x); at != *wr.R_NilValue; at = wr.CDR(at)) {
            bytes += measure(wr.CAR(at), depth + 1, collects);
        }
    }
    return bytes;
}

static void flush_buffer(void)
{
    if (s.buffered > 0) {
        chunk_writer_add(&s.writer, s.buffer, s.buffered, false);
        s.buffered = 0;
    }
}

static void flush_run(void)
{
    if (s.run.start != s.run.end) {
        chunk_writer_add(&s.writer, s.run.start, (size_t)(s.run.end - s.run.start), true);
        s.run.start = s.run.end = NULL;
        tell_progress();
    }
}

static bool lies_in_range(const char *data, size_t size)
{
    for (size_t i = 0; i < s.range_count; i++) {
        struct range range = s.ranges[i];
        if (data >= range.start && data + size <= range.end) {
            s.ranges[i] = s.ranges[0];
            s.ranges[0] = range;
            return true;
        }
    }
    return false;
}

static void extend_run(const char *data, size_t size)
{
    if (s.run.end != data || (size_t)(s.run.end - s.run.start) >= CHUNK_BYTES) {
        flush_run();
        flush_buffer();
        s.run = (struct range){data, data};
    }
    size_t room = CHUNK_BYTES - (size_t)(s.run.end - s.run.start);
    if (size > room) {
        s.run.end += room;
        extend_run(data + room, size - room);
        return;
    }
    s.run.end += size;
}

static void out_bytes(struct out_stream *stream, void *bytes, int count)
{
    const char *data = bytes;
    size_t size = (size_t)count;
    s.entry_bytes += size;
    if (s.range_count > 0 && size >= 1024 && lies_in_range(data, size)) {
        extend_run(data, size);
        return;
    }
    flush_run();
    while (size > 0) {
        size_t piece = size < CHUNK_BYTES - s.buffered ? size : CHUNK_BYTES - s.buffered;
        memcpy(s.buffer + s.buffered, data, piece);
        s.buffered += piece;
        data += piece;
        size -= piece;
        if (s.buffered == CHUNK_BYTES) {
            flush_buffer();
        }
    }
}

static void out_char(struct out_stream *stream, int character)
{
    char byte = (char)character;
    out_bytes(stream, &byte, 1);
}

static void await(SEXP environment, uint32_t old, uint32_t entry, bool is_root)
{
    if (reserve(&s.pending, &s.pending_room, s.pending_count, sizeof *s.pending)) {
        s.pending[s.pending_count++] = (struct pending){environment, old, entry, is_root};
    }
}

/* Number of the environment's entry in the new catalogue; a new one is walked later. */
static uint32_t environment_entry(SEXP environment, bool is_root)
{
    char id[ID_SIZE];
    uint64_t address = (uint64_t)(uintptr_t)environment;
    uint32_t entry = number_map_get(&s.addresses, address);
    if (entry != NO_NUMBER) {
        return entry;
    }
    uint32_t restored = number_map_get(&workspace.restored_addresses, address);
    if (restored != NO_NUMBER && !workspace.restored[restored].is_dead) {
        memcpy(id, workspace.restored[restored].id, ID_SIZE);
    } else {
        snprintf(id, sizeof id, "%016llx-%llx", (unsigned long long)workspace.nonce, (unsigned long long)address);
    }
    entry = catalog_add_entry(&s.next, ENTRY_ENVIRONMENT, id, strlen(id));
    s.no_memory = s.no_memory || entry == UINT32_MAX || !number_map_set(&s.addresses, address, entry);
    await(environment, 0, entry, is_root);
    return entry;
}

static uint32_t carried_entry(uint32_t old)
{
    const struct entry *entry = &s.old->entries[old];
    const char *id = s.old->text + entry->text;
    uint32_t number = number_map_get(&s.carried, old);
    if (number != NO_NUMBER) {
        return number;
    }
    uint32_t restored = number_map_get(&workspace.restored_ids, id_key(id, entry->text_size));
    if (restored != NO_NUMBER && workspace.restored[restored].is_filled) {
        number = environment_entry(workspace.restored[restored].environment, false);
    } else {
        number = catalog_add_entry(&s.next, ENTRY_ENVIRONMENT, id, entry->text_size);
        await(NULL, old, number, false);
    }
    s.no_memory = s.no_memory || !number_map_set(&s.carried, old, number);
    return number;
}

static void meet(uint32_t entry)
{
    if (reserve(&s.met, &s.met_room, s.met_count, sizeof *s.met)) {
        s.met[s.met_count++] = entry;
    }
}

static void note_pointer(SEXP x)
{
    void *address = wr.R_ExternalPtrAddr(x);
    if (address == (void *)*wr.R_NilValue) {
        s.harmless = wr.R_ExternalPtrProtected(x);
    } else if (address != NULL && address != workspace.class_key && x != s.harmless) {
        s.entry_flags |= FLAG_POINTER;
    }
}

/* Called for every environment, external pointer and weak reference that is about to be written. */
static SEXP name_environment(SEXP x, SEXP unused)
{
    if (wr.TYPEOF(x) != R_ENVIRONMENT) {
        if (wr.TYPEOF(x) == R_POINTER) {
            note_pointer(x);
        } else {
            s.entry_flags |= FLAG_POINTER;
        }
        return *wr.R_NilValue;
    }
    uint32_t entry = environment_entry(x, false);
    meet(entry);
    const struct entry *record = &s.next.entries[entry];
    SEXP name = wr.Rf_protect(wr.Rf_allocVector(R_STRINGS, 1));
    wr.SET_STRING_ELT(name, 0, wr.Rf_mkCharLenCE(s.next.text + record->text, (int)record->text_size, 0));
    wr.Rf_unprotect(1);
    return name;
}

static void serialise(void *value)
{
    struct out_stream stream;
    memset(&stream, 0, sizeof stream);
    wr.R_InitOutPStream(&stream, NULL, R_NATIVE_BINARY, R_SERIALISATION_VERSION, out_char, out_bytes, name_environment,
                        *wr.R_NilValue);
    wr.R_Serialize(value, &stream);
    flush_run();
    flush_buffer();
}

/* The stream of NULL is the head and one number. */
static void take_head(void)
{
    struct out_stream stream;
    memset(&stream, 0, sizeof stream);
    wr.R_InitOutPStream(&stream, NULL, R_NATIVE_BINARY, R_SERIALISATION_VERSION, out_char, out_bytes, NULL, *wr.R_NilValue);
    wr.R_Serialize(*wr.R_NilValue, &stream);
    s.head_size = s.buffered - sizeof(int);
    memcpy(s.head, s.buffer, s.head_size < sizeof s.head ? s.head_size : 0);
    s.buffered = 0;
}

static bool is_plain(SEXP x, int type)
{
    return element_size(type) != 0 && s.head_size < sizeof s.head && !wr.ALTREP(x) && wr.ATTRIB(x) == *wr.R_NilValue &&
           wr.Rf_xlength(x) <= PLAIN_ELEMENTS;
}

/* What R_Serialize writes for such a vector, without the table of references that it makes for every object. */
static void write_plain(SEXP x, int type)
{
    int length = (int)wr.Rf_xlength(x);
    size_t size = (size_t)length * element_size(type);
    out_bytes(NULL, s.head, (int)s.head_size);
    out_bytes(NULL, &type, sizeof type);
    out_bytes(NULL, &length, sizeof length);
    out_bytes(NULL, (char *)data_of(x, type), (int)size);
    flush_buffer();
}

static void complete_entry(uint32_t number, uint64_t first_ref)
{
    struct entry *entry = &s.next.entries[number];
    entry->refs = first_ref;
    entry->chunks = (uint32_t)(s.next.heading.refs - first_ref);
    entry->environments = (uint32_t)s.met_count;
    entry->bytes = s.entry_bytes;
    entry->flags |= s.entry_flags;
    for (size_t i = 0; i < s.met_count; i++) {
        chunk_writer_refer(&s.writer, s.met[i]);
    }
}

static void begin_entry(void)
{
    s.met_count = s.range_count = 0;
    s.entry_bytes = 0;
    s.entry_flags = 0;
    if (s.writer.failure != 0 || s.no_memory) {
        give_up(s.writer.failure ? s.writer.failure : ENOMEM);
    }
    tell_progress();
}

static void write_value(uint32_t entry, SEXP value)
{
    begin_entry();
    uint64_t first_ref = s.next.heading.refs;
    int type = wr.TYPEOF(value);
    if (is_plain(value, type)) {
        write_plain(value, type);
        complete_entry(entry, first_ref);
        return;
    }
    measure(value, 0, true);
    if (!wr.R_ToplevelExec(serialise, value)) {
        s.buffered = 0;
        s.run.start = s.run.end = NULL;
        s.met_count = 0;
        s.entry_flags |= FLAG_FAILED;
        first_ref = s.next.heading.refs;
    }
    complete_entry(entry, first_ref);
}

static void carry(uint32_t number, uint32_t old)
{
    begin_entry();
    const struct entry *before = &s.old->entries[old];
    uint64_t first_ref = s.next.heading.refs;
    for (uint32_t i = 0; i < before->chunks; i++) {
        chunk_writer_carry(&s.writer, s.old->refs[before->refs + i]);
    }
    for (uint32_t i = 0; i < before->environments; i++) {
        meet(carried_entry(s.old->refs[before->refs + before->chunks + i]));
    }
    s.entry_bytes = before->bytes;
    s.entry_flags = before->flags & ~(uint32_t)FLAG_LOCKED;
    complete_entry(number, first_ref);
    s.next.entries[number].type = before->type;
    s.next.entries[number].length = before->length;
}

static uint32_t binding_entry(SEXP name, uint32_t owner)
{
    const char *text = wr.Rf_translateCharUTF8(name);
    uint32_t number = catalog_add_entry(&s.next, ENTRY_BINDING, text, strlen(text));
    if (number == UINT32_MAX) {
        give_up(ENOMEM);
    }
    s.next.entries[number].owner = owner;
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
        s.next.entries[number].ticket = ticket;
        s.next.entries[number].flags |= flags | FLAG_CARRIED;
        return;
    }
    if (!is_active && wr.TYPEOF(value) == R_PROMISE) {
        bool is_forced = wr.PRVALUE(value) != *wr.R_UnboundValue;
        value = is_forced ? wr.PRVALUE(value) : value;
        flags |= is_forced ? 0 : FLAG_PROMISE;
    }
    flags |= is_active ? FLAG_ACTIVE : 0;
    flags |= wr.TYPEOF(value) == R_CLOSURE && wr.RDEBUG(value) ? FLAG_DEBUGGED : 0;
    write_value(number, value);
    s.next.entries[number].type = (uint8_t)wr.TYPEOF(value);
    s.next.entries[number].length = (double)wr.Rf_xlength(value);
    s.next.entries[number].flags |= flags;
}

static void write_bindings(SEXP environment, uint32_t owner)
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
        wr.SET_VECTOR_ELT(values, i,
                          is_active ? wr.R_ActiveBindingFunction(symbol, environment) : wr.Rf_findVarInFrame(environment, symbol));
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
    write_value(entry, container);
    s.next.entries[entry].flags |= is_root ? FLAG_ATTACHED : 0;
    wr.Rf_unprotect(2);
}

static void write_pending(void)
{
    while (s.pending_first < s.pending_count) {
        struct pending at = s.pending[s.pending_first++];
        if (at.environment == NULL) {
            carry(at.entry, at.old);
        } else {
            write_environment(at.environment, at.entry, at.is_root);
        }
    }
}

static double measure_bindings(SEXP environment)
{
    double bytes = 0;
    SEXP names = wr.Rf_protect(wr.R_lsInternal3(environment, 1, 0));
    for (ptrdiff_t i = 0; i < wr.Rf_xlength(names); i++) {
        SEXP symbol = wr.Rf_installTrChar(wr.STRING_ELT(names, i));
        if (!wr.R_BindingIsActive(symbol, environment)) {
            SEXP value = wr.Rf_findVarInFrame(environment, symbol);
            uint32_t ticket = ticket_of(value);
            bytes += ticket == NO_NUMBER ? measure(value, 0, false) : (double)s.old->entries[workspace.tickets[ticket]].bytes;
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
    if (wish->limit > 0 && s.total > wish->limit) {
        snprintf(text, sizeof text, "{\"end\":\"limit\",\"needed\":%.0f,\"limit\":%.0f}\n", s.total, wish->limit);
        finish(text, NOT_WRITTEN);
    }
    double missing = s.total - stored_bytes(s.old);
    if (!wish->compresses && missing > 0 && statvfs(workspace.folder, &disk) == 0) {
        double free_bytes = (double)disk.f_bavail * (double)disk.f_frsize;
        if (missing + SPARE_BYTES > free_bytes) {
            snprintf(text, sizeof text, "{\"end\":\"full\",\"errno\":%d,\"needed\":%.0f,\"free\":%.0f}\n", ENOSPC, missing, free_bytes);
            finish(text, NOT_WRITTEN);
        }
    }
}

static void write_facts(const struct snapshot_wish *wish)
{
    SEXP names = wr.Rf_getAttrib(wish->facts, *wr.R_NamesSymbol);
    for (ptrdiff_t i = 0; i < wr.Rf_xlength(wish->facts); i++) {
        const char *name = wr.R_CHAR(wr.STRING_ELT(names, i));
        uint32_t entry = catalog_add_entry(&s.next, ENTRY_FACT, name, strlen(name));
        write_value(entry, wr.VECTOR_ELT(wish->facts, i));
    }
}

static void write_roots(const struct snapshot_wish *wish)
{
    ptrdiff_t count = wr.Rf_xlength(wish->attached);
    for (ptrdiff_t i = 0; i < count; i++) {
        environment_entry(wr.VECTOR_ELT(wish->attached, i), true);
    }
    write_facts(wish);
    for (ptrdiff_t i = 0; i < count; i++) {
        SEXP environment = wr.VECTOR_ELT(wish->attached, i);
        write_bindings(environment, environment_entry(environment, true));
    }
    write_bindings(*wr.R_GlobalEnv, GLOBAL_OWNER);
    write_pending();
}

/* A binding whose environments hold external pointers is one that cannot be kept whole either. */
static void spread_pointer_flags(void)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (uint64_t i = 0; i < s.next.heading.entries; i++) {
            struct entry *entry = &s.next.entries[i];
            const uint32_t *refs = s.next.refs + entry->refs + entry->chunks;
            for (uint32_t k = 0; k < entry->environments && !(entry->flags & FLAG_POINTER); k++) {
                if (s.next.entries[refs[k]].flags & FLAG_POINTER) {
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
    s.next.heading.generation = s.old->heading.generation + 1;
    s.next.heading.created = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
    s.next.heading.visited = s.writer.done;
    s.next.heading.written = s.writer.written;
    s.next.heading.is_suspended = wish->is_suspended;
    snprintf(s.next.heading.r_version, sizeof s.next.heading.r_version, "%s", wish->r_version);
}

static void write_everything(void *data)
{
    const struct snapshot_wish *wish = data;
    s.total = measure_bindings(*wr.R_GlobalEnv);
    for (ptrdiff_t i = 0; i < wr.Rf_xlength(wish->attached); i++) {
        s.total += measure_bindings(wr.VECTOR_ELT(wish->attached, i));
    }
    check_room(wish);
    take_head();
    write_roots(wish);
    int failure = chunk_writer_close(&s.writer);
    if (failure == 0) {
        set_heading(wish);
        spread_pointer_flags();
        failure = catalog_write(&s.next, workspace.folder);
    }
    if (failure != 0) {
        give_up(failure);
    }
    char text[192];
    snprintf(text, sizeof text, "{\"end\":\"ok\",\"bytes\":%llu,\"written\":%llu,\"entries\":%llu}\n",
             (unsigned long long)s.writer.done, (unsigned long long)s.writer.written, (unsigned long long)s.next.heading.entries);
    finish(text, 0);
}

void snapshot_write(const struct snapshot_wish *wish)
{
    s.old = &workspace.catalog;
    s.progress = wish->progress;
    s.buffer = malloc(CHUNK_BYTES);
    catalog_sweep(s.old, workspace.folder);
    if (s.buffer == NULL || !chunk_writer_open(&s.writer, workspace.folder, &s.next, s.old, wish->compresses)) {
        finish("{\"end\":\"error\",\"errno\":12}\n", NOT_WRITTEN);
    }
    wr.R_ToplevelExec(write_everything, (void *)wish);
    chunk_writer_remove_packs(&s.writer);
    finish("{\"end\":\"error\",\"errno\":0}\n", NOT_WRITTEN);
}
