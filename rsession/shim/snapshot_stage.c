/* A part of a large snapshot ahead of it: the chunks of some vectors are stored beside everything that is there, so that no single fork
 * has to take all memory along. */
#define _GNU_SOURCE
#include "snapshot.h"
#include "tracked_vectors.h"

#include <errno.h>
#include <string.h>

static bool copy_part(void **to, size_t *room, const void *from, size_t count, size_t element)
{
    *to = malloc(count * element + 1);
    *room = *to != NULL ? count : 0;
    if (*to != NULL && count > 0) {
        memcpy(*to, from, count * element);
    }
    return *to != NULL;
}

/* Everything that was stored keeps its number. */
static bool copy_catalog(struct catalog *next, const struct catalog *old)
{
    uint64_t packs = next->heading.packs;
    for (uint64_t i = 0; i < old->heading.chunks; i++) {
        if (catalog_add_chunk(next, &old->chunks[i]) == UINT32_MAX) {
            return false;
        }
    }
    next->heading = old->heading;
    next->heading.packs = packs;
    return copy_part((void **)&next->entries, &next->entry_room, old->entries, old->heading.entries, sizeof *old->entries) &&
           copy_part((void **)&next->refs, &next->ref_room, old->refs, old->heading.refs, sizeof *old->refs) &&
           copy_part((void **)&next->text, &next->text_room, old->text, old->heading.text, 1);
}

static void add_chunk(const void *data, size_t size, struct tracked_chunk *chunk)
{
    chunk_writer_add_lasting(&snapshot.writer, data, size, chunk);
    snapshot_tell_progress();
}

static void write_stage(void *data)
{
    snapshot_check_room(data);
    if (!copy_catalog(&snapshot.next, snapshot.old)) {
        snapshot_give_up(ENOMEM);
    }
    snapshot.writer.trusted = tracked_with_unknown(add_chunk);
    int failure = chunk_writer_close(&snapshot.writer);
    failure = failure ? failure : catalog_write(&snapshot.next, workspace.folder);
    if (failure != 0) {
        snapshot_give_up(failure);
    }
    snapshot_succeed();
}

void snapshot_write_stage(const struct snapshot_wish *wish)
{
    snapshot_run(wish, write_stage);
}
