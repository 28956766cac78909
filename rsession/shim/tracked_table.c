#define _GNU_SOURCE
#include "tracked_table.h"

#include "write_tracking.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define STAGE_BYTES ((size_t)512 << 20) /* to protect and fork a gigabyte R waits some 20 ms, twice as long on a busy machine */
#define STAGE_BYTES_OF_TESTS ((size_t)4 << 20)

struct tracked_table tracked_table;

static void *shared; /* the writer puts its hashes there */
static size_t shared_size;
static bool is_distrusted;

/* Of a test: off, verify, stages. */
static const char *tracked_wish(void)
{
    const char *text = getenv("RS_WORKSPACE_TRACKING");
    return text != NULL ? text : "";
}

bool tracked_is_verified(void)
{
    return strcmp(tracked_wish(), "verify") == 0;
}

size_t tracked_stage_bytes(void)
{
    return strcmp(tracked_wish(), "stages") == 0 ? STAGE_BYTES_OF_TESTS : STAGE_BYTES;
}

const char *tracked_start(void)
{
    return strcmp(tracked_wish(), "off") == 0 ? "it is switched off" : write_tracking_start();
}

bool tracked_is_on(void)
{
    return !is_distrusted && strcmp(tracked_wish(), "off") != 0 && write_tracking_is_on();
}

size_t tracked_chunk_count(size_t size)
{
    return (size + CHUNK_BYTES - 1) / CHUNK_BYTES;
}

size_t tracked_chunk_size(const struct tracked *vector, size_t number)
{
    size_t left = vector->size - number * CHUNK_BYTES;
    return left < CHUNK_BYTES ? left : CHUNK_BYTES;
}

struct tracked_chunk *tracked_edges(const struct tracked *vector)
{
    return &vector->chunks[tracked_chunk_count(vector->size)];
}

uintptr_t tracked_first_inner(const struct tracked *vector)
{
    return page_ceiling(vector->start);
}

uintptr_t tracked_end_inner(const struct tracked *vector)
{
    return page_floor(vector->start + vector->size);
}

struct hash tracked_hash_of_edges(const struct tracked *vector)
{
    char bytes[2 * 65536];
    size_t head = tracked_first_inner(vector) - vector->start, tail = vector->start + vector->size - tracked_end_inner(vector);
    memcpy(bytes, (const void *)vector->start, head);
    memcpy(bytes + head, (const void *)tracked_end_inner(vector), tail);
    return hash_of(bytes, head + tail);
}

size_t tracked_place(uintptr_t address)
{
    size_t low = 0, high = tracked_table.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tracked_table.vectors[middle].start + tracked_table.vectors[middle].size <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void tracked_forget(size_t first, size_t end)
{
    for (size_t i = first; i < end; i++) {
        if (tracked_table.vectors[i].is_own) {
            free(tracked_table.vectors[i].chunks);
        }
    }
    memmove(tracked_table.vectors + first, tracked_table.vectors + end, (tracked_table.count - end) * sizeof *tracked_table.vectors);
    tracked_table.count -= end - first;
}

void tracked_forget_all(void)
{
    tracked_forget(0, tracked_table.count);
    free(tracked_table.vectors);
    tracked_table.vectors = NULL;
    tracked_table.room = 0;
    if (shared != NULL) {
        munmap(shared, shared_size);
        shared = NULL;
    }
}

void tracked_distrust(void)
{
    is_distrusted = true;
    tracked_forget_all();
}

/* Takes over what was known of the same bytes. */
static void recall(const struct tracked *vector)
{
    size_t place = tracked_place(vector->start);
    if (place == tracked_table.count || tracked_table.vectors[place].start != vector->start || tracked_table.vectors[place].size != vector->size) {
        return;
    }
    for (size_t i = 0; i <= tracked_chunk_count(vector->size); i++) {
        const struct tracked_chunk *before = &tracked_table.vectors[place].chunks[i];
        uint32_t state = __atomic_load_n(&before->state, __ATOMIC_ACQUIRE);
        if (state == CHUNK_KNOWN || state == CHUNK_TRUSTED) {
            vector->chunks[i] = (struct tracked_chunk){.hash = before->hash, .state = CHUNK_KNOWN};
        }
    }
}

/* A new table for the tracked_table.vectors that were found, with hashes where the writer can put them. */
bool tracked_replace(const struct vector_walk *walk)
{
    size_t chunks = 1;
    for (size_t i = 0; i < walk->count; i++) {
        chunks += tracked_chunk_count(walk->vectors[i].size) + 1;
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
        next += tracked_chunk_count(table[i].size) + 1;
        recall(&table[i]);
    }
    tracked_forget_all();
    tracked_table.vectors = table;
    tracked_table.count = walk->count;
    tracked_table.room = walk->count + 1;
    shared = first;
    shared_size = size;
    return true;
}

struct tracked_chunk *tracked_find(const void *data, size_t size)
{
    uintptr_t address = (uintptr_t)data;
    size_t place = tracked_place(address);
    if (place == tracked_table.count || address < tracked_table.vectors[place].start) {
        return NULL;
    }
    size_t offset = address - tracked_table.vectors[place].start, number = offset / CHUNK_BYTES;
    bool is_same = offset % CHUNK_BYTES == 0 && tracked_chunk_size(&tracked_table.vectors[place], number) == size;
    return is_same ? &tracked_table.vectors[place].chunks[number] : NULL;
}

bool tracked_holds(const void *data, size_t size)
{
    uintptr_t address = (uintptr_t)data;
    size_t place = tracked_place(address);
    return place < tracked_table.count && address >= tracked_table.vectors[place].start && address + size <= tracked_table.vectors[place].start + tracked_table.vectors[place].size;
}

uint64_t tracked_with_unknown(void (*act)(const void *data, size_t size, struct tracked_chunk *chunk))
{
    uint64_t trusted = 0;
    for (size_t i = 0; i < tracked_table.count; i++) {
        for (size_t k = 0; k < tracked_chunk_count(tracked_table.vectors[i].size); k++) {
            struct tracked_chunk *chunk = &tracked_table.vectors[i].chunks[k];
            if (chunk->state == CHUNK_UNKNOWN) {
                act((const void *)(tracked_table.vectors[i].start + k * CHUNK_BYTES), tracked_chunk_size(&tracked_table.vectors[i], k), chunk);
            }
            trusted += chunk->state == CHUNK_TRUSTED ? tracked_chunk_size(&tracked_table.vectors[i], k) : 0;
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
