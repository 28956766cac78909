/* A growing byte buffer outside R's heap, so that an R error cannot lose it. */
#ifndef RSESSION_BUFFER_H
#define RSESSION_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct buffer {
    char *data;
    size_t size, capacity, limit;
    bool overflow; /* more than `limit` was appended, or no memory was left: the content is cut */
};

void buffer_append(struct buffer *buffer, const char *data, size_t size);
void buffer_free(struct buffer *buffer);

#endif
