/* LZ4 for chunks; its library is optional. */
#ifndef RSESSION_CHUNK_CODEC_H
#define RSESSION_CHUNK_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum chunk_codec { PLAIN, LZ4 };

bool chunk_codec_available(void);

/* Size of the compressed bytes; 0 when they would not be a quarter smaller. */
int chunk_compress(const char *data, size_t size, char *compressed);

/* Makes `raw` bytes of the stored ones; false when they are no such thing. */
bool chunk_expand(uint32_t codec, const char *stored, size_t stored_size, char *data, size_t raw);

#endif
