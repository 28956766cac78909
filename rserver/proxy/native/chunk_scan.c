#include "chunk_scan.h"

#include <string.h>

static int hex_digit(char character) {
    if (character >= '0' && character <= '9')
        return character - '0';
    char lower = lower_case(character);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool all_text(const char *at, const char *end) {
    while (at < end && is_text_byte(*at))
        at++;
    return at == end;
}

void chunks_begin(Chunks *chunks) {
    chunks->left = chunks->overhead = chunks->trailer_size = chunks->line_size = 0;
    chunks->next = CHUNK_SIZE;
}

/* The size in a chunk line; false for anything else. A started line may still lack what stands behind its blanks. */
static bool read_hex(const char *at, const char *end, bool started, uint64_t *size) {
    const char *start = at;
    *size = 0;
    for (int digit; at < end && (digit = hex_digit(*at)) >= 0; at++) {
        if (at - start == 15)
            return false;
        *size = *size << 4 | (uint64_t)digit;
    }
    if (at == start)
        return false;
    if (at == end)
        return true;
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at == end ? started : *at == ';' && all_text(at, end);
}

static bool read_size(Chunks *chunks, const char *at, const char *end) {
    uint64_t size, excused;
    if (!read_hex(at, end, false, &size))
        return false;
    excused = 16 + 2 * size;
    chunks->overhead += (uint64_t)(end - at);
    chunks->overhead -= chunks->overhead < excused ? chunks->overhead : excused;
    chunks->left = size;
    chunks->next = size ? CHUNK_END : CHUNK_TRAILER;
    return chunks->overhead <= OVERHEAD_LIMIT;
}

/* What cannot become a good line is refused before its end, which may never come. */
static bool has_hope(const Chunks *chunks) {
    const char *end = chunks->line + chunks->line_size;
    uint64_t size;
    if (chunks->next == CHUNK_END)
        return chunks->line_size == 1 && chunks->line[0] == '\r';
    return chunks->next != CHUNK_SIZE || read_hex(chunks->line, end[-1] == '\r' ? end - 1 : end, true, &size);
}

static bool read_trailer(Chunks *chunks, const char *at, const char *end) {
    if (at == end) {
        chunks->next = CHUNK_DONE;
        return true;
    }
    chunks->trailer_size += (size_t)(end - at);
    const char *start = at;
    while (at < end && is_token_byte(*at))
        at++;
    return chunks->trailer_size <= TRAILER_LIMIT && at > start && at < end && *at == ':' && all_text(at + 1, end);
}

/* A line without its end. */
static bool accept(Chunks *chunks, const char *at, const char *end) {
    if (chunks->next == CHUNK_SIZE)
        return read_size(chunks, at, end);
    if (chunks->next == CHUNK_TRAILER)
        return read_trailer(chunks, at, end);
    chunks->next = CHUNK_SIZE;
    return at == end;
}

/* Takes one line, or the part of it that is here. */
static ChunkEvent take_line(Chunks *chunks, const char **at, const char *end) {
    const char *feed = memchr(*at, '\n', (size_t)(end - *at));
    const char *stop = feed ? feed + 1 : end;
    size_t size = (size_t)(stop - *at), limit = chunks->next == CHUNK_TRAILER ? TRAILER_LIMIT : CHUNK_LINE_LIMIT;
    if (size > limit - chunks->line_size)
        return CHUNK_BAD;
    memcpy(chunks->line + chunks->line_size, *at, size);
    chunks->line_size += size;
    *at = stop;
    if (feed == NULL)
        return has_hope(chunks) ? CHUNK_MORE : CHUNK_BAD;
    size = chunks->line_size;
    chunks->line_size = 0;
    if (size < 2 || chunks->line[size - 2] != '\r' || !accept(chunks, chunks->line, chunks->line + size - 2))
        return CHUNK_BAD;
    return chunks->next == CHUNK_DONE ? CHUNK_COMPLETE : CHUNK_PAYLOAD;
}

ChunkEvent chunks_next(Chunks *chunks, const char **at, const char *end, Span *payload) {
    while (*at < end) {
        if (chunks->left) {
            size_t size = (size_t)(end - *at);
            if (size > chunks->left)
                size = (size_t)chunks->left;
            *payload = (Span){*at, size};
            chunks->left -= size;
            *at += size;
            return CHUNK_PAYLOAD;
        }
        ChunkEvent event = take_line(chunks, at, end);
        if (event != CHUNK_PAYLOAD)
            return event;
    }
    return CHUNK_MORE;
}
