/* Which chunks are trusted for the next snapshot; their memory is kept from its fork. */
#define _GNU_SOURCE
#include "tracked_table.h"
#include "write_tracking.h"

#include <stdlib.h>
#include <sys/mman.h>

#define SESSION_SECONDS 0.04 /* R waits for the search */
#define LEAST_HIDDEN ((size_t)1 << 20)

static bool hides;
static size_t stage_left; /* bytes that may still be protected */

static bool is_at_edge(const struct tracked *vector, size_t number)
{
    uintptr_t start = vector->start + number * CHUNK_BYTES;
    return start < tracked_first_inner(vector) || start + tracked_chunk_size(vector, number) > tracked_end_inner(vector);
}

/* The pages of chunks [first, end), without those that others use too. */
static void pages_of(const struct tracked *vector, size_t first, size_t end, uintptr_t *start, uintptr_t *stop)
{
    uintptr_t from = page_floor(vector->start + first * CHUNK_BYTES);
    uintptr_t to = page_ceiling(vector->start + (end - 1) * CHUNK_BYTES + tracked_chunk_size(vector, end - 1));
    *start = from < tracked_first_inner(vector) ? tracked_first_inner(vector) : from;
    *stop = to > tracked_end_inner(vector) ? tracked_end_inner(vector) : to;
}

static bool equal(struct hash a, struct hash b)
{
    return a.low == b.low && a.high == b.high;
}

static bool is_stored(const struct catalog *catalog, struct hash hash, size_t size)
{
    uint32_t number = catalog_find_chunk(catalog, hash);
    return number != UINT32_MAX && catalog->chunks[number].raw == size;
}

static bool is_trustworthy(const struct tracked *vector, size_t number, const struct catalog *catalog, bool is_unwritten)
{
    const struct tracked_chunk *chunk = &vector->chunks[number];
    uintptr_t start, end;
    pages_of(vector, number, number + 1, &start, &end);
    return chunk->state == CHUNK_KNOWN && (!is_at_edge(vector, number) || tracked_edges(vector)->state == CHUNK_TRUSTED) &&
           is_stored(catalog, chunk->hash, tracked_chunk_size(vector, number)) &&
           (is_unwritten || write_tracking_is_unwritten(start, end));
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
    struct tracked_chunk *edges = tracked_edges(vector);
    edges->state = edges->state == CHUNK_KNOWN && equal(edges->hash, tracked_hash_of_edges(vector)) ? CHUNK_TRUSTED : CHUNK_UNKNOWN;
    bool is_unwritten = write_tracking_is_unwritten(tracked_first_inner(vector), tracked_end_inner(vector));
    size_t count = tracked_chunk_count(vector->size);
    for (size_t i = 0; i < count; i++) {
        vector->chunks[i].state = is_trustworthy(vector, i, catalog, is_unwritten) ? CHUNK_TRUSTED : CHUNK_UNKNOWN;
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
    size_t count = tracked_chunk_count(vector->size);
    for (size_t i = 0, end; i < count; i = end + 1) {
        for (end = i; end < count && is_kept_back(&vector->chunks[end]); end++) {
        }
        if (end == i) {
            continue;
        }
        uintptr_t start = page_ceiling(vector->start + i * CHUNK_BYTES);
        uintptr_t stop = page_floor(vector->start + (end - 1) * CHUNK_BYTES + tracked_chunk_size(vector, end - 1));
        if (stop > start && stop - start >= LEAST_HIDDEN) {
            act(start, stop);
        }
    }
}

static void with_hidden(void (*act)(uintptr_t start, uintptr_t end))
{
    for (size_t i = 0; hides && i < tracked_table.count; i++) {
        with_hidden_runs(&tracked_table.vectors[i], act);
    }
}

static bool is_any_later(void)
{
    for (size_t i = 0; i < tracked_table.count; i++) {
        for (size_t k = 0; k < tracked_chunk_count(tracked_table.vectors[i].size); k++) {
            if (tracked_table.vectors[i].chunks[k].state == CHUNK_LATER) {
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
    if (!tracked_is_on()) {
        tracked_forget_all();
        return false;
    }
    vector_walk_session(&walk, attached, SESSION_SECONDS);
    tracked_select(&walk);
    if (!tracked_replace(&walk)) {
        tracked_forget_all();
    }
    hides = !walk.is_cut_off && !tracked_is_verified();
    vector_walk_free(&walk);
    stage_left = hides ? stage : SIZE_MAX; /* without hiding the fork takes as long for a part as for the whole */
    for (size_t i = 0; i < tracked_table.count; i++) {
        judge(&tracked_table.vectors[i], catalog);
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
    for (size_t i = 0; i < tracked_table.count; i++) {
        if (tracked_edges(&tracked_table.vectors[i])->state != CHUNK_TRUSTED) {
            tracked_note(tracked_edges(&tracked_table.vectors[i]), tracked_hash_of_edges(&tracked_table.vectors[i]));
        }
    }
}
