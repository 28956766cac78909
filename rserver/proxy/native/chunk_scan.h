/* Strict reader of chunked bodies, fed with what arrives. body.py is the definition. No memory is taken. */

#ifndef RSERVER_PROXY_CHUNK_SCAN_H
#define RSERVER_PROXY_CHUNK_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http_scan.h"

enum { CHUNK_LINE_LIMIT = 256, TRAILER_LIMIT = 8 * 1024, OVERHEAD_LIMIT = 16 * 1024 };

typedef struct {
    uint64_t left; /* bytes of the chunk that are to come */
    enum { CHUNK_SIZE, CHUNK_END, CHUNK_TRAILER, CHUNK_DONE } next;
    uint64_t overhead; /* that chunk lines cost beyond what their data excuses */
    size_t trailer_size;
    size_t line_size;
    char line[TRAILER_LIMIT]; /* a started line */
} Chunks;

typedef enum { CHUNK_PAYLOAD, CHUNK_MORE, CHUNK_COMPLETE, CHUNK_BAD } ChunkEvent;

void chunks_begin(Chunks *chunks);

/* Reads from *at, moves it on. CHUNK_PAYLOAD: `payload` was met, call again; CHUNK_MORE: all is read;
   CHUNK_COMPLETE: the body ended, *at is behind it. */
ChunkEvent chunks_next(Chunks *chunks, const char **at, const char *end, Span *payload);

#endif
