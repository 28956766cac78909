#define _GNU_SOURCE
#include "pack_compaction.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Copies one chunk as it is stored from its old pack to the caller's new one. */
static bool move_chunk(struct chunk_writer *writer, int from, struct chunk *chunk)
{
    struct pack_file *pack = &writer->files[WRITER_THREADS];
    char *data = pack->buffer + BUFFER_BYTES;
    size_t size = chunk->stored;
    if (pread(from, data, size, (off_t)chunk->offset) != (ssize_t)size) {
        return true; /* damaged: it stays where it is, the reader will say so */
    }
    writer->written += size;
    return chunk_writer_append(writer, pack, data, size, chunk);
}

static bool empty_pack(struct chunk_writer *writer, uint32_t pack)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/pack-%llu", writer->folder, (unsigned long long)writer->next->packs[pack].number);
    int from = open(path, O_RDONLY | O_CLOEXEC);
    bool sound = true;
    for (uint64_t i = 0; sound && from >= 0 && i < writer->next->heading.chunks; i++) {
        if (writer->next->chunks[i].pack == pack) {
            sound = move_chunk(writer, from, &writer->next->chunks[i]);
        }
    }
    if (from >= 0) {
        close(from);
    }
    return sound;
}

bool compact_packs(struct chunk_writer *writer)
{
    uint64_t count = writer->old->heading.packs;
    uint64_t *live = calloc(count + 1, sizeof *live);
    bool sound = live != NULL;
    for (uint64_t i = 0; sound && i < writer->next->heading.chunks; i++) {
        const struct chunk *chunk = &writer->next->chunks[i];
        if (chunk->pack < count) {
            live[chunk->pack] += chunk->stored;
        }
    }
    for (uint32_t i = 0; sound && i < count; i++) {
        if (live[i] > 0 && live[i] < writer->next->packs[i].size / 2) {
            sound = empty_pack(writer, i);
        }
    }
    free(live);
    return sound;
}

void drop_empty_packs(struct catalog *next)
{
    uint32_t *place = malloc((next->heading.packs + 1) * sizeof *place), kept = 0;
    if (place == NULL) {
        return;
    }
    memset(place, 0xff, (next->heading.packs + 1) * sizeof *place);
    for (uint64_t i = 0; i < next->heading.chunks; i++) {
        place[next->chunks[i].pack] = 0;
    }
    for (uint64_t i = 0; i < next->heading.packs; i++) {
        if (place[i] == 0) {
            place[i] = kept;
            next->packs[kept++] = next->packs[i];
        }
    }
    for (uint64_t i = 0; i < next->heading.chunks; i++) {
        next->chunks[i].pack = place[next->chunks[i].pack];
    }
    next->heading.packs = kept;
    free(place);
}

void note_pack_sizes(struct chunk_writer *writer)
{
    struct catalog *next = writer->next;
    for (uint64_t i = 0; i < next->heading.chunks; i++) {
        const struct chunk *chunk = &next->chunks[i];
        struct pack *pack = &next->packs[chunk->pack];
        uint64_t end = chunk->offset + chunk->stored;
        pack->size = end > pack->size ? end : pack->size;
    }
}

/* Gives the chunk its number in `kept`. */
static bool keep(struct catalog *kept, const struct catalog *catalog, uint32_t *places, uint32_t *ref)
{
    if (places[*ref] == UINT32_MAX) {
        places[*ref] = catalog_add_chunk(kept, &catalog->chunks[*ref]);
    }
    *ref = places[*ref];
    return *ref != UINT32_MAX;
}

bool drop_unnamed_chunks(struct catalog *catalog)
{
    struct catalog kept = {0};
    size_t bytes = (catalog->heading.chunks + 1) * sizeof(uint32_t);
    uint32_t *places = malloc(bytes), *refs = malloc(catalog->heading.refs * sizeof *refs + 1);
    bool sound = places != NULL && refs != NULL;
    if (sound) {
        memset(places, 0xff, bytes);
        memcpy(refs, catalog->refs, catalog->heading.refs * sizeof *refs);
    }
    for (uint64_t i = 0; sound && i < catalog->heading.entries; i++) {
        const struct entry *entry = &catalog->entries[i];
        for (uint32_t k = 0; sound && k < entry->chunks; k++) {
            sound = keep(&kept, catalog, places, &refs[entry->refs + k]);
        }
    }
    if (sound) {
        memcpy(catalog->refs, refs, catalog->heading.refs * sizeof *refs);
        free(catalog->chunks);
        free(catalog->slots);
        catalog->chunks = kept.chunks;
        catalog->chunk_room = kept.chunk_room;
        catalog->slots = kept.slots;
        catalog->slot_count = kept.slot_count;
        catalog->heading.chunks = kept.heading.chunks;
    } else {
        catalog_free(&kept);
    }
    free(places);
    free(refs);
    return sound;
}
