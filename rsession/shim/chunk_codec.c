#define _GNU_SOURCE
#include "chunk_codec.h"

#include <dlfcn.h>
#include <string.h>

#define SAMPLE_BYTES 8192

static int (*lz4_compress)(const char *, char *, int, int);
static int (*lz4_expand)(const char *, char *, int, int);

bool chunk_codec_available(void)
{
    static bool tried;
    if (!tried) {
        void *library = dlopen("liblz4.so.1", RTLD_NOW | RTLD_LOCAL);
        tried = true;
        if (library != NULL) {
            *(void **)&lz4_compress = dlsym(library, "LZ4_compress_default");
            *(void **)&lz4_expand = dlsym(library, "LZ4_decompress_safe");
        }
    }
    return lz4_compress != NULL && lz4_expand != NULL;
}

bool chunk_expand(uint32_t codec, const char *stored, size_t stored_size, char *data, size_t raw)
{
    if (codec == PLAIN) {
        if (stored_size == raw && stored != data) {
            memcpy(data, stored, raw);
        }
        return stored_size == raw;
    }
    return codec == LZ4 && chunk_codec_available() && lz4_expand(stored, data, (int)stored_size, (int)raw) == (int)raw;
}

/* Tries the middle of a large chunk first: most numbers do not become smaller, and finding that out takes longer than writing. */
int chunk_compress(const char *data, size_t size, char *compressed)
{
    if (size > 4 * SAMPLE_BYTES) {
        const char *sample = data + size / 2 - SAMPLE_BYTES / 2;
        if (lz4_compress(sample, compressed, SAMPLE_BYTES, SAMPLE_BYTES - SAMPLE_BYTES / 4) <= 0) {
            return 0;
        }
    }
    return lz4_compress(data, compressed, (int)size, (int)(size - size / 4));
}
