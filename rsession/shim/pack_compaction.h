/* Keeps packs from being mostly garbage. */
#ifndef RSESSION_PACK_COMPACTION_H
#define RSESSION_PACK_COMPACTION_H

#include "chunk_writer.h"

/* Packs that are mostly garbage give their last chunks away. */
bool compact_packs(struct chunk_writer *writer);

/* Leaves out packs of which nothing is used any more. */
void drop_empty_packs(struct catalog *next);

/* Leaves out chunks that no entry names; false when memory is short. */
bool drop_unnamed_chunks(struct catalog *catalog);

void note_pack_sizes(struct chunk_writer *writer);

#endif
