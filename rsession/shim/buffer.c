#include "buffer.h"

#include <stdlib.h>
#include <string.h>

static bool reserve(struct buffer *buffer, size_t size)
{
    if (size <= buffer->capacity) {
        return true;
    }
    size_t capacity = buffer->capacity ? buffer->capacity : 256;
    while (capacity < size) {
        capacity *= 2;
    }
    char *data = realloc(buffer->data, capacity);
    if (data == NULL) {
        return false;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

void buffer_append(struct buffer *buffer, const char *data, size_t size)
{
    if (buffer->overflow || size > buffer->limit - buffer->size || !reserve(buffer, buffer->size + size)) {
        buffer->overflow = true;
        return;
    }
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->data);
    buffer->data = NULL;
    buffer->size = buffer->capacity = 0;
    buffer->overflow = false;
}
