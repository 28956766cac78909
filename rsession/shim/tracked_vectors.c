#define _GNU_SOURCE
#include "tracked_vectors.h"

#include "vector_walk.h"
#include "write_tracking.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MOST_VECTORS 8192     /* each may split a mapping in three, of which a process has 65,530 */
#define SESSION_SECONDS 0.04 /* R waits for the search */
#define VALUE_SECONDS 0.01
#define LEAST_HIDDEN ((size_t)1 << 20)
#define STAGE_BYTES ((size_t)3 << 29) /* R waits some 20 ms for the fork of a gigabyte */
#define STAGE_BYTES_OF_TESTS ((size_t)4 << 20)

struct tracked {
    uintptr_t start;
    size_t size;
    struct tracked_chunk *chunks; /* of CHUNK_BYTES from `start`; after them one for the bytes on pages that others use too */
    bool is_own;                  /* `chunks` is malloc's, not of the shared memory */
};

/* Sorted by `start`; no two overlap. */
static struct tracked *vectors;
static size_t vector_count, vector_room;
static void *shared; /* the writer puts its hashes there */
static size_t shared_size;
static bool is_distrusted, hides;
static size_t stage_left; /* bytes that may still be protected */

/* Of a test: off, verify, stages. */
static const char *wish(void)
{
    const char *text = getenv("RS_WORKSPACE_TRACKING");
    return text != NULL ? text : "";
}

bool tracked_is_verified(void)
{
    return strcmp(wish(), "verify") == 0;
}

size_t tracked_stage_bytes(void)
{
    return strcmp(wish(), "stages") == 0 ? STAGE_BYTES_OF_TESTS : STAGE_BYTES;
}

const char *tracked_start(void)
{
    return strcmp(wish(), "off") == 0 ? "it is switched off" : write_tracking_start();
}

static bool is_on(void)
{
    return !is_distrusted && strcmp(wish(), "off") != 0 && write_tracking_is_on();
}

static size_t chunk_count(size_t size)
{
    return (size + CHUNK_BYTES - 1) / CHUNK_BYTES;
}

static size_t chunk_size(const struct tracked *vector, size_t number)
{
    size_t left = vector->size - number * CHUNK_BYTES;
    return left < CHUNK_BYTES ? left : CHUNK_BYTES;
}

static struct tracked_chunk *edges_of(const struct tracked *vector)
{
    return &vector->chunks[chunk_count(vector->size)];
}

/* First and end of the pages that hold nothing but the vector's bytes. */
static uintptr_t first_inner(const struct tracked *vector)
{
    return page_ceiling(vector->start);
}

static uintptr_t end_inner(const struct tracked *vector)
{
    return page_floor(vector->start + vector->size);
}

static bool is_at_edge(const struct tracked *vector, size_t number)
{
    uintptr_t start = vector->start + number * CHUNK_BYTES;
    return start < first_inner(vector) || start + chunk_size(vector, number) > end_inner(vector);
}

/* The pages of chunks [first, end), without those that others use too. */
static void pages_of(const struct tracked *vector, size_t first, size_t end, uintptr_t *start, uintptr_t *stop)
{
    uintptr_t from = page_floor(vector->start + first * CHUNK_BYTES);
    uintptr_t to = page_ceiling(vector->start + (end - 1) * CHUNK_BYTES + chunk_size(vector, end - 1));
    *start = from < first_inner(vector) ? first_inner(vector) : from;
    *stop = to > end_inner(vector) ? end_inner(vector) : to;
}

/* R's collector writes into the header before the vector, others behind its end: those pages are never protected. */
static struct hash hash_of_edges(const struct tracked *vector)
{
    char bytes[2 * 65536];
    size_t head = first_inner(vector) - vector->start, tail = vector->start + vector->size - end_inner(vector);
    memcpy(bytes, (const void *)vector->start, head);
    memcpy(bytes + head, (const void *)end_inner(vector), tail);
    return hash_of(bytes, head + tail);
}

static bool equal(struct hash a, struct hash b)
{
    return a.low == b.low && a.high == b.high;
}

/* Number of the first vector that ends behind `address`. */
static size_t place_of(uintptr_t address)
{
    size_t low = 0, high = vector_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (vectors[middle].start + vectors[middle].size <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void forget(size_t first, size_t end)
{
    for (size_t i = first; i < end; i++) {
        if (vectors[i].is_own) {
            free(vectors[i].chunks);
        }
    }
    memmove(vectors + first, vectors + end, (vector_count - end) * sizeof *vectors);
    vector_count -= end - first;
}

static void forget_all(void)
{
    forget(0, vector_count);
    free(vectors);
    vectors = NULL;
    vector_room = 0;
    if (shared != NULL) {
        munmap(shared, shared_size);
        shared = NULL;
    }
}

void tracked_distrust(void)
{
    is_distrusted = true;
    forget_all();
}

static int by_size(const void *a, const void *b)
{
    const struct large_vector *first = a, *second = b;
    return first->size < second->size ? 1 : first->size > second->size ? -1 : 0;
}

static int by_start(const void *a, const void *b)
{
    const struct large_vector *first = a, *second = b;
    return first->start > second->start ? 1 : first->start < second->start ? -1 : 0;
}

/* Leaves the largest, each once, in order; none whose bytes may be reached in another way. */
static void select_vectors(struct vector_walk *walk)
{
    size_t kept = 0;
    qsort(walk->vectors, walk->count, sizeof *walk->vectors, by_start);
    for (size_t i = 0; i < walk->count; i++) {
        struct large_vector *last = kept > 0 ? &walk->vectors[kept - 1] : NULL, vector = walk->vectors[i];
        if (last == NULL || last->start + last->size <= vector.start) {
            walk->vectors[kept++] = vector;
        } else {
            last->is_wrapped = last->is_wrapped || vector.is_wrapped || last->start != vector.start || last->size != vector.size;
            last->size = last->start + last->size > vector.start + vector.size ? last->size : vector.start + vector.size - last->start;
        }
    }
    walk->count = kept;
    kept = 0;
    for (size_t i = 0; i < walk->count; i++) {
        if (!walk->vectors[i].is_wrapped) {
            walk->vectors[kept++] = walk->vectors[i];
        }
    }
    walk->count = kept;
    if (walk->count > MOST_VECTORS) {
        qsort(walk->vectors, walk->count, sizeof *walk->vectors, by_size);
        walk->count = MOST_VECTORS;
        qsort(walk->vectors, walk->count, sizeof *walk->vectors, by_start);
    }
}

/* Takes over what was known of the same bytes. */
static void recall(const struct tracked *vector)
{
    size_t place = place_of(vector->start);
    if (place == vector_count || vectors[place].start != vector->start || vectors[place].size != vector->size) {
        return;
    }
    for (size_t i = 0; i <= chunk_count(vector->size); i++) {
        const struct tracked_chunk *before = &vectors[place].chunks[i];
        uint32_t state = __atomic_load_n(&before->state, __ATOMIC_ACQUIRE);
        if (state == CHUNK_KNOWN || state == CHUNK_TRUSTED) {
            vector->chunks[i] = (struct tracked_chunk){.hash = before->hash, .state = CHUNK_KNOWN};
        }
    }
}

/* A new table for the vectors that were found, with hashes where the writer can put them. */
static bool replace_table(const struct vector_walk *walk)
{
    size_t chunks = 1;
    for (size_t i = 0; i < walk->count; i++) {
        chunks += chunk_count(walk->vectors[i].size) + 1;
    }
    struct tracked *table = calloc(walk->count + 1, sizeof *table);
    size_t size = chunks * sizeof(struct tracked_chunk);
    struct tracked_chunk *next = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), *first = next;
    if (table == NULL || next == MAP_FAILED) {
        free(table);
        if (next != MAP_FAILED) {
            munmap(next, size);
        }
        return false;
    }
    for (size_t i = 0; i < walk->count; i++) {
        table[i] = (struct tracked){.start = walk->vectors[i].start, .size = walk->vectors[i].size, .chunks = next};
        next += chunk_count(table[i].size) + 1;
        recall(&table[i]);
    }
    forget_all();
    vectors = table;
    vector_count = walk->count;
    vector_room = walk->count + 1;
    shared = first;
    shared_size = size;
    return true;
}

static bool is_stored(const struct catalog *catalog, struct hash hash, size_t size)
{
    uint32_t number = catalog_find_chunk(catalog, hash);
    return number != UINT32_MAX && catalog->chunks[number].raw == size;
}

static bool is_trustworthy(const struct tracked *vector, size_t number, const struct catalog *catalog)
{
    const struct tracked_chunk *chunk = &vector->chunks[number];
    uintptr_t start, end;
    pages_of(vector, number, number + 1, &start, &end);
    return chunk->state == CHUNK_KNOWN && (!is_at_edge(vector, number) || edges_of(vector)->state == CHUNK_TRUSTED) &&
           is_stored(catalog, chunk->hash, chunk_size(vector, number)) && write_tracking_is_unwritten(start, end);
}

/* Protects chunks [first, end), as far as the stage goes. */
static void protect(const struct tracked *vector, size_t first, size_t end)
{
    size_t stop_chunk = end - first <= stage_left / CHUNK_BYTES ? end : first + stage_left / CHUNK_BYTES;
    uint32_t state = CHUNK_UNKNOWN;
    if (stop_chunk > first) {
        uintptr_t start, stop;
        pages_of(vector, first, stop_chunk, &start, &stop);
        state = write_tracking_protect(start, stop) ? CHUNK_UNKNOWN : CHUNK_LOOSE;
        stage_left -= (stop_chunk - first) * CHUNK_BYTES;
    }
    for (size_t i = first; i < end; i++) {
        vector->chunks[i].state = i < stop_chunk ? state : CHUNK_LATER;
    }
}

/* Trust is decided for all chunks first: protecting one touches the page that it shares with the next. */
static void judge(const struct tracked *vector, const struct catalog *catalog)
{
    struct tracked_chunk *edges = edges_of(vector);
    edges->state = edges->state == CHUNK_KNOWN && equal(edges->hash, hash_of_edges(vector)) ? CHUNK_TRUSTED : CHUNK_UNKNOWN;
    size_t count = chunk_count(vector->size);
    for (size_t i = 0; i < count; i++) {
        vector->chunks[i].state = is_trustworthy(vector, i, catalog) ? CHUNK_TRUSTED : CHUNK_UNKNOWN;
    }
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i; end < count && vector->chunks[end].state == CHUNK_UNKNOWN; end++) {
        }
        if (end > i) {
            protect(vector, i, end);
        } else {
            end++;
        }
    }
}

/* Trusted bytes are not read by the child: its fork is quicker without them, and R's later writes need no copies. */
static void hide(uintptr_t start, uintptr_t end)
{
    madvise((void *)start, end - start, MADV_DONTFORK);
}

static void show(uintptr_t start, uintptr_t end)
{
    madvise((void *)start, end - start, MADV_DOFORK);
}

/* In the child nothing else may come to where hidden bytes are: its address would seem to be theirs. */
static void reserve(uintptr_t start, uintptr_t end)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
    if (mmap((void *)start, end - start, PROT_NONE, flags, -1, 0) != (void *)start) {
        abort();
    }
}

static bool is_kept_back(const struct tracked_chunk *chunk)
{
    return chunk->state == CHUNK_TRUSTED || chunk->state == CHUNK_LATER;
}

static void with_hidden_runs(const struct tracked *vector, void (*act)(uintptr_t start, uintptr_t end))
{
    size_t count = chunk_count(vector->size);
    for (size_t i = 0, end; i < count; i = end + 1) {
        for (end = i; end < count && is_kept_back(&vector->chunks[end]); end++) {
        }
        if (end == i) {
            continue;
        }
        uintptr_t start = page_ceiling(vector->start + i * CHUNK_BYTES);
        uintptr_t stop = page_floor(vector->start + (end - 1) * CHUNK_BYTES + chunk_size(vector, end - 1));
        if (stop > start && stop - start >= LEAST_HIDDEN) {
            act(start, stop);
        }
    }
}

static void with_hidden(void (*act)(uintptr_t start, uintptr_t end))
{
    for (size_t i = 0; hides && i < vector_count; i++) {
        with_hidden_runs(&vectors[i], act);
    }
}

static bool is_any_later(void)
{
    for (size_t i = 0; i < vector_count; i++) {
        for (size_t k = 0; k < chunk_count(vectors[i].size); k++) {
            if (vectors[i].chunks[k].state == CHUNK_LATER) {
                return true;
            }
        }
    }
    return false;
}

bool tracked_prepare(SEXP attached, const struct catalog *catalog, size_t stage)
{
    struct vector_walk walk;
    hides = false;
    if (!is_on()) {
        forget_all();
        return false;
    }
    vector_walk_session(&walk, attached, SESSION_SECONDS);
    select_vectors(&walk);
    if (!replace_table(&walk)) {
        forget_all();
    }
    hides = !walk.is_cut_off && !tracked_is_verified();
    vector_walk_free(&walk);
    stage_left = hides ? stage : SIZE_MAX; /* without hiding the fork takes as long for a part as for the whole */
    for (size_t i = 0; i < vector_count; i++) {
        judge(&vectors[i], catalog);
    }
    with_hidden(hide);
    return is_any_later();
}

void tracked_forked(void)
{
    with_hidden(show);
}

void tracked_enter_child(void)
{
    with_hidden(reserve);
    for (size_t i = 0; i < vector_count; i++) {
        if (edges_of(&vectors[i])->state != CHUNK_TRUSTED) {
            tracked_note(edges_of(&vectors[i]), hash_of_edges(&vectors[i]));
        }
    }
}

struct tracked_chunk *tracked_find(const void *data, size_t size)
{
    uintptr_t address = (uintptr_t)data;
    size_t place = place_of(address);
    if (place == vector_count || address < vectors[place].start) {
        return NULL;
    }
    size_t offset = address - vectors[place].start, number = offset / CHUNK_BYTES;
    bool is_same = offset % CHUNK_BYTES == 0 && chunk_size(&vectors[place], number) == size;
    return is_same ? &vectors[place].chunks[number] : NULL;
}

bool tracked_holds(const void *data, size_t size)
{
    uintptr_t address = (uintptr_t)data;
    size_t place = place_of(address);
    return place < vector_count && address >= vectors[place].start && address + size <= vectors[place].start + vectors[place].size;
}

uint64_t tracked_with_unknown(void (*act)(const void *data, size_t size, struct tracked_chunk *chunk))
{
    uint64_t trusted = 0;
    for (size_t i = 0; i < vector_count; i++) {
        for (size_t k = 0; k < chunk_count(vectors[i].size); k++) {
            struct tracked_chunk *chunk = &vectors[i].chunks[k];
            if (chunk->state == CHUNK_UNKNOWN) {
                act((const void *)(vectors[i].start + k * CHUNK_BYTES), chunk_size(&vectors[i], k), chunk);
            }
            trusted += chunk->state == CHUNK_TRUSTED ? chunk_size(&vectors[i], k) : 0;
        }
    }
    return trusted;
}

void tracked_note(struct tracked_chunk *chunk, struct hash hash)
{
    if (chunk->state != CHUNK_LOOSE) {
        chunk->hash = hash;
        __atomic_store_n(&chunk->state, CHUNK_KNOWN, __ATOMIC_RELEASE);
    }
}

/* The last piece that went there: an earlier one may have been overwritten. */
static const struct read_piece *piece_at(const struct read_piece *pieces, size_t count, uintptr_t place, size_t raw)
{
    while (count > 0 && pieces[count - 1].place != place) {
        count--;
    }
    return count > 0 && pieces[count - 1].raw == raw ? &pieces[count - 1] : NULL;
}

static void take_pieces(struct tracked *vector, const struct read_piece *pieces, size_t count)
{
    size_t chunks = chunk_count(vector->size);
    for (size_t i = 0; i < chunks; i++) {
        const struct read_piece *piece = piece_at(pieces, count, vector->start + i * CHUNK_BYTES, chunk_size(vector, i));
        if (piece != NULL) {
            vector->chunks[i] = (struct tracked_chunk){.hash = piece->hash, .state = CHUNK_KNOWN};
        }
    }
    *edges_of(vector) = (struct tracked_chunk){.hash = hash_of_edges(vector), .state = CHUNK_KNOWN};
}

/* What was known of bytes at the same place is worth nothing once they are protected anew. */
static void forget_overlapping(struct large_vector found)
{
    size_t first = place_of(found.start), end = first;
    while (end < vector_count && vectors[end].start < found.start + found.size) {
        end++;
    }
    forget(first, end);
}

static void enter(struct tracked vector)
{
    size_t first = place_of(vector.start);
    if (vector_count + 1 > vector_room) {
        size_t room = vector_room * 2 + 64;
        struct tracked *bigger = realloc(vectors, room * sizeof *bigger);
        if (bigger == NULL) {
            free(vector.chunks);
            return;
        }
        vectors = bigger;
        vector_room = room;
    }
    memmove(vectors + first + 1, vectors + first, (vector_count - first) * sizeof *vectors);
    vectors[first] = vector;
    vector_count++;
}

static void adopt_one(struct large_vector found, const struct read_piece *pieces, size_t count)
{
    struct tracked vector = {.start = found.start, .size = found.size, .is_own = true};
    forget_overlapping(found);
    vector.chunks = calloc(chunk_count(found.size) + 1, sizeof *vector.chunks);
    if (vector.chunks == NULL || !write_tracking_protect(first_inner(&vector), end_inner(&vector))) {
        free(vector.chunks);
        vector.chunks = NULL;
    }
    if (vector.chunks != NULL) {
        take_pieces(&vector, pieces, count);
        enter(vector);
    }
}

void tracked_adopt(SEXP value, const struct read_piece *pieces, size_t count)
{
    struct vector_walk walk;
    if (count == 0 || !is_on() || vector_count >= MOST_VECTORS) {
        return;
    }
    vector_walk_value(&walk, value, VALUE_SECONDS);
    select_vectors(&walk);
    for (size_t i = 0; i < walk.count && vector_count < MOST_VECTORS; i++) {
        adopt_one(walk.vectors[i], pieces, count);
    }
    vector_walk_free(&walk);
}
