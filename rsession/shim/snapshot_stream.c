/* Values as chunks: R's serialisation, cut up; large vectors are read where they are. */
#define _GNU_SOURCE
#include "snapshot.h"
#include "stored_vectors.h"
#include "tracked_vectors.h"
#include "vector_walk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LASTING_BYTES ((size_t)128 << 10) /* vectors from here on are read where they are */
#define DEEPEST 60
#define LEAST_PIECE 1024 /* of a large vector, but for its last one */
#define PLAIN_ELEMENTS 1000
#define PROGRESS_NANOSECONDS 100000000

struct snapshot snapshot;

static void say(const char *text)
{
    if (snapshot.progress >= 0 && write(snapshot.progress, text, strlen(text)) < 0) {
        snapshot.progress = -1;
    }
}

void snapshot_finish(const char *text, int status)
{
    say(text);
    _exit(status);
}

uint64_t snapshot_visited(void)
{
    return snapshot.writer.hashed + (tracked_is_verified() ? 0 : snapshot.writer.trusted);
}

void snapshot_tell_progress(void)
{
    struct timespec now;
    char text[128];
    clock_gettime(CLOCK_MONOTONIC, &now);
    if ((now.tv_sec - snapshot.told.tv_sec) * 1000000000 + now.tv_nsec - snapshot.told.tv_nsec > PROGRESS_NANOSECONDS) {
        snapshot.told = now;
        snprintf(text, sizeof text, "{\"done\":%llu,\"total\":%.0f}\n", (unsigned long long)snapshot_visited(), snapshot.total);
        say(text);
    }
}

void snapshot_give_up(int number)
{
    char text[128];
    const char *kind = number == ENOSPC || number == EDQUOT ? "full" : "error";
    chunk_writer_remove_packs(&snapshot.writer);
    snprintf(text, sizeof text, "{\"end\":\"%s\",\"errno\":%d,\"needed\":%.0f}\n", kind, number, snapshot.total);
    snapshot_finish(text, NOT_WRITTEN);
}

bool snapshot_reserve(void *array, size_t *room, size_t used, size_t element)
{
    if (used < *room) {
        return true;
    }
    size_t wanted = *room ? *room * 2 : 64;
    void *bigger = realloc(*(void **)array, wanted * element);
    snapshot.no_memory = snapshot.no_memory || bigger == NULL;
    if (bigger != NULL) {
        *(void **)array = bigger;
        *room = wanted;
    }
    return bigger != NULL;
}

static void add_range(SEXP x, int type, size_t size)
{
    if (snapshot_reserve(&snapshot.ranges, &snapshot.range_room, snapshot.range_count, sizeof *snapshot.ranges)) {
        const char *start = vector_data(x, type);
        snapshot.ranges[snapshot.range_count++] = (struct range){start, start + size};
    }
}

/* About how many bytes a value takes when serialised; `collects` notes the memory of its large vectors, which outlives the walk. */
double snapshot_measure(SEXP x, int depth, bool collects)
{
    int type = wr.TYPEOF(x);
    double bytes = 8;
    if (depth > DEEPEST) {
        return bytes;
    }
    if (wr.ALTREP(x) && stored_vector_data(x) != NULL) {
        return snapshot_measure(stored_vector_data(x), depth + 1, collects);
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
            bytes += snapshot_measure(wr.VECTOR_ELT(x, i), depth + 1, collects);
        }
    } else if (type == R_PROMISE && wr.PRVALUE(x) != *wr.R_UnboundValue) {
        bytes += snapshot_measure(wr.PRVALUE(x), depth + 1, collects);
    }
    if (type != R_CHARACTERS && type != R_SYMBOL && type != R_ENVIRONMENT) {
        for (SEXP at = wr.ATTRIB(x); at != *wr.R_NilValue; at = wr.CDR(at)) {
            bytes += snapshot_measure(wr.CAR(at), depth + 1, collects);
        }
    }
    return bytes;
}

static void flush_buffer(void)
{
    if (snapshot.buffered > 0) {
        chunk_writer_add(&snapshot.writer, snapshot.buffer, snapshot.buffered);
        snapshot.buffered = 0;
    }
}

static void flush_run(void)
{
    if (snapshot.run.start != snapshot.run.end) {
        size_t size = (size_t)(snapshot.run.end - snapshot.run.start);
        chunk_writer_add_lasting(&snapshot.writer, snapshot.run.start, size, tracked_find(snapshot.run.start, size));
        snapshot.run.start = snapshot.run.end = NULL;
        snapshot_tell_progress();
    }
}

/* Memory that stays, and of which some pages may not even be there: it is not copied. */
static bool is_lasting(const char *data, size_t size)
{
    if (tracked_holds(data, size)) {
        return true;
    }
    for (size_t i = 0; i < snapshot.range_count; i++) {
        struct range range = snapshot.ranges[i];
        if (data >= range.start && data + size <= range.end) {
            snapshot.ranges[i] = snapshot.ranges[0];
            snapshot.ranges[0] = range;
            return true;
        }
    }
    return false;
}

static void extend_run(const char *data, size_t size)
{
    if (snapshot.run.end != data || (size_t)(snapshot.run.end - snapshot.run.start) >= CHUNK_BYTES) {
        flush_run();
        flush_buffer();
        snapshot.run = (struct range){data, data};
    }
    size_t room = CHUNK_BYTES - (size_t)(snapshot.run.end - snapshot.run.start);
    if (size > room) {
        snapshot.run.end += room;
        extend_run(data + room, size - room);
        return;
    }
    snapshot.run.end += size;
}

static void out_bytes(struct out_stream *stream, void *bytes, int count)
{
    const char *data = bytes;
    size_t size = (size_t)count;
    snapshot.entry_bytes += size;
    bool continues = data == snapshot.run.end && snapshot.run.start != snapshot.run.end;
    if ((size >= LEAST_PIECE || continues) && is_lasting(data, size)) {
        extend_run(data, size);
        return;
    }
    flush_run();
    while (size > 0) {
        size_t piece = size < CHUNK_BYTES - snapshot.buffered ? size : CHUNK_BYTES - snapshot.buffered;
        memcpy(snapshot.buffer + snapshot.buffered, data, piece);
        snapshot.buffered += piece;
        data += piece;
        size -= piece;
        if (snapshot.buffered == CHUNK_BYTES) {
            flush_buffer();
        }
    }
}

static void out_char(struct out_stream *stream, int character)
{
    char byte = (char)character;
    out_bytes(stream, &byte, 1);
}

void snapshot_serialise(void *value)
{
    struct out_stream stream;
    memset(&stream, 0, sizeof stream);
    wr.R_InitOutPStream(&stream, NULL, R_NATIVE_BINARY, R_SERIALISATION_VERSION, out_char, out_bytes, snapshot_name_environment,
                        *wr.R_NilValue);
    wr.R_Serialize(value, &stream);
    flush_run();
    flush_buffer();
}

/* The stream of NULL is the head and one number. */
void snapshot_take_head(void)
{
    struct out_stream stream;
    memset(&stream, 0, sizeof stream);
    wr.R_InitOutPStream(&stream, NULL, R_NATIVE_BINARY, R_SERIALISATION_VERSION, out_char, out_bytes, NULL, *wr.R_NilValue);
    wr.R_Serialize(*wr.R_NilValue, &stream);
    snapshot.head_size = snapshot.buffered - sizeof(int);
    memcpy(snapshot.head, snapshot.buffer, snapshot.head_size < sizeof snapshot.head ? snapshot.head_size : 0);
    snapshot.buffered = 0;
}

bool snapshot_is_plain(SEXP x, int type)
{
    return element_size(type) != 0 && snapshot.head_size < sizeof snapshot.head && !wr.ALTREP(x) && wr.ATTRIB(x) == *wr.R_NilValue &&
           wr.Rf_xlength(x) <= PLAIN_ELEMENTS;
}

/* What R_Serialize writes for such a vector, without the table of references that it makes for every object. */
void snapshot_write_plain(SEXP x, int type)
{
    int length = (int)wr.Rf_xlength(x);
    size_t size = (size_t)length * element_size(type);
    out_bytes(NULL, snapshot.head, (int)snapshot.head_size);
    out_bytes(NULL, &type, sizeof type);
    out_bytes(NULL, &length, sizeof length);
    out_bytes(NULL, (char *)vector_data(x, type), (int)size);
    flush_buffer();
}
