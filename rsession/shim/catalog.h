/* What a workspace store holds: entries made of chunks, chunks in packs, and the manifest file that names them all. */
#ifndef RSESSION_CATALOG_H
#define RSESSION_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHUNK_BYTES ((size_t)1 << 20)
#define GLOBAL_OWNER UINT32_MAX

struct hash {
    uint64_t low, high;
};

enum entry_kind { ENTRY_FACT = 1, ENTRY_BINDING, ENTRY_ENVIRONMENT, ENTRY_VECTOR };

enum entry_flag {
    FLAG_LOCKED = 1,
    FLAG_ACTIVE = 2,
    FLAG_POINTER = 4, /* an external pointer is inside, also by way of an environment */
    FLAG_PROMISE = 8,
    FLAG_DEBUGGED = 16,
    FLAG_ATTACHED = 32, /* an environment of the search path: its bindings are entries of their own */
    FLAG_CARRIED = 64,  /* was not loaded when the manifest was written */
    FLAG_FAILED = 128   /* R could not serialise it: it has no content */
};

/* The following four are the records of the manifest file, in the byte order of the machine. */
struct pack {
    uint64_t number, size;
};

struct chunk {
    struct hash hash; /* of the uncompressed bytes */
    uint64_t offset;
    uint32_t pack; /* index */
    uint32_t stored, raw;
    uint32_t codec;
};

struct entry {
    uint64_t bytes; /* uncompressed */
    double length;
    uint64_t text; /* offset of the name */
    uint64_t refs; /* index of the first chunk number; numbers of environments follow */
    uint32_t text_size, chunks, environments; /* also vectors that are set apart */
    uint32_t owner; /* of a binding: number of the environment's entry, or GLOBAL_OWNER */
    uint32_t ticket; /* of a carried one: the number by which R code of that process asked for it */
    uint32_t flags;
    uint8_t kind, type, nothing[6];
};

struct heading {
    char magic[8];
    uint32_t format, byte_order;
    uint64_t generation, created; /* created: microseconds since 1970 */
    uint64_t visited, written;    /* bytes: of all objects that were looked at, and of what was new */
    uint64_t unread;              /* of `visited`: bytes that were known without reading them */
    uint64_t packs, chunks, entries, refs, text;
    char r_version[32];
};

struct catalog {
    struct heading heading;
    struct pack *packs;
    struct chunk *chunks;
    struct entry *entries;
    uint32_t *refs;
    char *text;
    size_t pack_room, chunk_room, entry_room, ref_room, text_room;
    uint32_t *slots; /* hash table of chunk numbers + 1, `slot_count` a power of two */
    size_t slot_count;
};

extern const char catalog_no_memory[];

void catalog_free(struct catalog *catalog);

/* The following return a number, or UINT32_MAX when memory is short. */
uint32_t catalog_add_pack(struct catalog *catalog, uint64_t number);
uint32_t catalog_add_chunk(struct catalog *catalog, const struct chunk *chunk);
uint32_t catalog_add_entry(struct catalog *catalog, enum entry_kind kind, const char *name, size_t size);
bool catalog_add_ref(struct catalog *catalog, uint32_t ref);
uint32_t catalog_find_chunk(const struct catalog *catalog, struct hash hash);

/* Reads and checks `folder`/manifest; NULL, or what is wrong. A missing file is "none". */
const char *catalog_read(struct catalog *catalog, const char *folder);

/* Aside, fsync, rename, fsync of the folder; 0 or an errno. */
int catalog_write(const struct catalog *catalog, const char *folder);

/* Removes packs that the catalogue does not name, and what an interrupted writer left. */
void catalog_sweep(const struct catalog *catalog, const char *folder);

/* XXH3, 128 bits; false when the library is missing. */
bool hash_available(void);
struct hash hash_of(const void *data, size_t size);

#endif
