#define _GNU_SOURCE
#include "catalog.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORMAT 2
#define OLDEST_FORMAT 1 /* had no vectors that are set apart */
#define BYTE_ORDER_MARK 0x01020304u
#define MANIFEST_LIMIT ((off_t)4 << 30)

static const char magic[8] = "rwspace";
const char catalog_no_memory[] = "there is no memory left";

static struct hash (*xxh3)(const void *, size_t);

bool hash_available(void)
{
    if (xxh3 == NULL) {
        void *library = dlopen("libxxhash.so.0", RTLD_NOW | RTLD_LOCAL);
        if (library != NULL) {
            *(void **)&xxh3 = dlsym(library, "XXH3_128bits");
        }
    }
    return xxh3 != NULL;
}

struct hash hash_of(const void *data, size_t size)
{
    return xxh3(data, size);
}

void catalog_free(struct catalog *catalog)
{
    free(catalog->packs);
    free(catalog->chunks);
    free(catalog->entries);
    free(catalog->refs);
    free(catalog->text);
    free(catalog->slots);
    memset(catalog, 0, sizeof *catalog);
}

/* Makes room for `more` further elements of an array. */
static bool grow(void *array, size_t *room, size_t used, size_t more, size_t element)
{
    if (used + more <= *room) {
        return true;
    }
    size_t wanted = *room ? *room * 2 : 64;
    while (wanted < used + more) {
        wanted *= 2;
    }
    void *bigger = realloc(*(void **)array, wanted * element);
    if (bigger == NULL) {
        return false;
    }
    *(void **)array = bigger;
    *room = wanted;
    return true;
}

uint32_t catalog_add_pack(struct catalog *catalog, uint64_t number)
{
    size_t count = catalog->heading.packs;
    if (!grow(&catalog->packs, &catalog->pack_room, count, 1, sizeof *catalog->packs)) {
        return UINT32_MAX;
    }
    catalog->packs[count] = (struct pack){.number = number};
    return (uint32_t)catalog->heading.packs++;
}

static void enter_slot(struct catalog *catalog, uint32_t number)
{
    size_t mask = catalog->slot_count - 1, at = catalog->chunks[number].hash.low & mask;
    while (catalog->slots[at] != 0) {
        at = (at + 1) & mask;
    }
    catalog->slots[at] = number + 1;
}

static bool make_slots(struct catalog *catalog, size_t count)
{
    size_t wanted = 1024;
    while (wanted < count * 2) {
        wanted *= 2;
    }
    uint32_t *slots = calloc(wanted, sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    free(catalog->slots);
    catalog->slots = slots;
    catalog->slot_count = wanted;
    for (uint32_t i = 0; i < catalog->heading.chunks; i++) {
        enter_slot(catalog, i);
    }
    return true;
}

uint32_t catalog_add_chunk(struct catalog *catalog, const struct chunk *chunk)
{
    size_t count = catalog->heading.chunks;
    if (!grow(&catalog->chunks, &catalog->chunk_room, count, 1, sizeof *chunk) ||
        (count * 2 >= catalog->slot_count && !make_slots(catalog, count * 2))) {
        return UINT32_MAX;
    }
    catalog->chunks[count] = *chunk;
    catalog->heading.chunks++;
    enter_slot(catalog, (uint32_t)count);
    return (uint32_t)count;
}

uint32_t catalog_find_chunk(const struct catalog *catalog, struct hash hash)
{
    size_t mask = catalog->slot_count - 1;
    for (size_t at = hash.low & mask; catalog->slot_count != 0 && catalog->slots[at] != 0; at = (at + 1) & mask) {
        const struct hash *other = &catalog->chunks[catalog->slots[at] - 1].hash;
        if (other->low == hash.low && other->high == hash.high) {
            return catalog->slots[at] - 1;
        }
    }
    return UINT32_MAX;
}

uint32_t catalog_add_entry(struct catalog *catalog, enum entry_kind kind, const char *name, size_t size)
{
    size_t count = catalog->heading.entries;
    if (!grow(&catalog->entries, &catalog->entry_room, count, 1, sizeof *catalog->entries) ||
        !grow(&catalog->text, &catalog->text_room, catalog->heading.text, size, 1)) {
        return UINT32_MAX;
    }
    struct entry entry = {.kind = (uint8_t)kind, .text = catalog->heading.text, .text_size = (uint32_t)size, .owner = GLOBAL_OWNER};
    memcpy(catalog->text + catalog->heading.text, name, size);
    catalog->heading.text += size;
    catalog->entries[count] = entry;
    return (uint32_t)catalog->heading.entries++;
}

bool catalog_add_ref(struct catalog *catalog, uint32_t ref)
{
    if (!grow(&catalog->refs, &catalog->ref_room, catalog->heading.refs, 1, sizeof ref)) {
        return false;
    }
    catalog->refs[catalog->heading.refs++] = ref;
    return true;
}

struct part {
    void **data;
    size_t count, element;
};

static void parts_of(struct catalog *catalog, struct part parts[5])
{
    const struct heading *heading = &catalog->heading;
    parts[0] = (struct part){(void **)&catalog->packs, heading->packs, sizeof(struct pack)};
    parts[1] = (struct part){(void **)&catalog->chunks, heading->chunks, sizeof(struct chunk)};
    parts[2] = (struct part){(void **)&catalog->entries, heading->entries, sizeof(struct entry)};
    parts[3] = (struct part){(void **)&catalog->refs, heading->refs, sizeof(uint32_t)};
    parts[4] = (struct part){(void **)&catalog->text, heading->text, 1};
}

static bool entries_are_sound(const struct catalog *catalog)
{
    const struct heading *heading = &catalog->heading;
    for (uint64_t i = 0; i < heading->chunks; i++) {
        const struct chunk *chunk = &catalog->chunks[i];
        if (chunk->pack >= heading->packs || chunk->raw > CHUNK_BYTES || chunk->stored > CHUNK_BYTES ||
            chunk->offset > catalog->packs[chunk->pack].size || chunk->stored > catalog->packs[chunk->pack].size - chunk->offset) {
            return false;
        }
    }
    for (uint64_t i = 0; i < heading->entries; i++) {
        const struct entry *entry = &catalog->entries[i];
        uint64_t last = entry->refs + entry->chunks + entry->environments;
        if (entry->refs > heading->refs || last > heading->refs || entry->text > heading->text ||
            entry->text_size > heading->text - entry->text || (entry->owner != GLOBAL_OWNER && entry->owner >= heading->entries)) {
            return false;
        }
        for (uint64_t ref = entry->refs; ref < last; ref++) {
            if (catalog->refs[ref] >= (ref < entry->refs + entry->chunks ? heading->chunks : heading->entries)) {
                return false;
            }
        }
    }
    return true;
}

/* Takes the records out of the file's bytes. */
static const char *unpack(struct catalog *catalog, const char *data, size_t size)
{
    struct part parts[5];
    struct hash found;
    if (size < sizeof catalog->heading + sizeof found) {
        return "their table of contents is cut off";
    }
    memcpy(&catalog->heading, data, sizeof catalog->heading);
    if (memcmp(catalog->heading.magic, magic, sizeof magic) != 0) {
        return "their table of contents was not written by this program";
    }
    if (catalog->heading.format < OLDEST_FORMAT || catalog->heading.format > FORMAT || catalog->heading.byte_order != BYTE_ORDER_MARK) {
        return "they were written by another version of the server, or on another kind of machine";
    }
    memcpy(&found, data + size - sizeof found, sizeof found);
    struct hash expected = hash_of(data, size - sizeof found);
    if (found.low != expected.low || found.high != expected.high) {
        return "their table of contents is damaged (its checksum is wrong)";
    }
    const char *at = data + sizeof catalog->heading, *end = data + size - sizeof found;
    parts_of(catalog, parts);
    for (int i = 0; i < 5; i++) {
        if (parts[i].count > (size_t)(end - at) / parts[i].element) {
            return "their table of contents is cut off";
        }
        size_t bytes = parts[i].count * parts[i].element;
        *parts[i].data = malloc(bytes ? bytes : 1);
        if (*parts[i].data == NULL) {
            return catalog_no_memory;
        }
        memcpy(*parts[i].data, at, bytes);
        at += bytes;
    }
    catalog->pack_room = catalog->heading.packs;
    catalog->chunk_room = catalog->heading.chunks;
    catalog->entry_room = catalog->heading.entries;
    catalog->ref_room = catalog->heading.refs;
    catalog->text_room = catalog->heading.text;
    if (!entries_are_sound(catalog)) {
        return "their table of contents contradicts itself";
    }
    return make_slots(catalog, catalog->heading.chunks) ? NULL : catalog_no_memory;
}

static char *read_file(const char *path, size_t *size)
{
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0) {
        return NULL;
    }
    char *data = NULL;
    if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size < MANIFEST_LIMIT) {
        *size = (size_t)status.st_size;
        data = malloc(*size + 1);
    }
    for (size_t done = 0; data != NULL && done < *size;) {
        ssize_t got = read(file, data + done, *size - done);
        if (got <= 0) {
            free(data);
            data = NULL;
            break;
        }
        done += (size_t)got;
    }
    close(file);
    return data;
}

const char *catalog_read(struct catalog *catalog, const char *folder)
{
    char path[4096];
    size_t size = 0;
    memset(catalog, 0, sizeof *catalog);
    snprintf(path, sizeof path, "%s/manifest", folder);
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        return "none";
    }
    char *data = read_file(path, &size);
    if (data == NULL) {
        return "their table of contents cannot be read";
    }
    const char *complaint = unpack(catalog, data, size);
    free(data);
    if (complaint != NULL) {
        catalog_free(catalog);
    }
    return complaint;
}

static bool write_all(int file, const void *data, size_t size)
{
    for (const char *at = data; size > 0;) {
        ssize_t written = write(file, at, size);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        at += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

static bool write_parts(int file, const struct catalog *catalog)
{
    struct part parts[5];
    struct heading heading = catalog->heading;
    memcpy(heading.magic, magic, sizeof magic);
    heading.format = FORMAT;
    heading.byte_order = BYTE_ORDER_MARK;
    parts_of((struct catalog *)catalog, parts);
    size_t size = sizeof heading;
    for (int i = 0; i < 5; i++) {
        size += parts[i].count * parts[i].element;
    }
    char *data = malloc(size + sizeof(struct hash)), *at = data;
    if (data == NULL) {
        errno = ENOMEM;
        return false;
    }
    at = mempcpy(at, &heading, sizeof heading);
    for (int i = 0; i < 5; i++) {
        at = parts[i].count ? mempcpy(at, *parts[i].data, parts[i].count * parts[i].element) : at;
    }
    struct hash hash = hash_of(data, size);
    memcpy(at, &hash, sizeof hash);
    bool written = write_all(file, data, size + sizeof hash);
    free(data);
    return written;
}

static void sync_folder(const char *folder)
{
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor >= 0) {
        fsync(descriptor);
        close(descriptor);
    }
}

int catalog_write(const struct catalog *catalog, const char *folder)
{
    char aside[4096], path[4096];
    snprintf(aside, sizeof aside, "%s/manifest.new", folder);
    snprintf(path, sizeof path, "%s/manifest", folder);
    sync_folder(folder);
    int file = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) {
        return errno;
    }
    int failure = write_parts(file, catalog) && fsync(file) == 0 ? 0 : errno;
    if (close(file) != 0 && failure == 0) {
        failure = errno;
    }
    if (failure == 0 && rename(aside, path) != 0) {
        failure = errno;
    }
    if (failure != 0) {
        unlink(aside);
    } else {
        sync_folder(folder);
    }
    return failure;
}

static bool is_named(const struct catalog *catalog, unsigned long long number)
{
    for (uint64_t i = 0; i < catalog->heading.packs; i++) {
        if (catalog->packs[i].number == number) {
            return true;
        }
    }
    return false;
}

void catalog_sweep(const struct catalog *catalog, const char *folder)
{
    DIR *listing = opendir(folder);
    struct dirent *file;
    while (listing != NULL && (file = readdir(listing)) != NULL) {
        unsigned long long number;
        int end = 0;
        bool is_pack = sscanf(file->d_name, "pack-%llu%n", &number, &end) == 1 && file->d_name[end] == '\0';
        if ((is_pack && !is_named(catalog, number)) || strcmp(file->d_name, "manifest.new") == 0) {
            unlinkat(dirfd(listing), file->d_name, 0);
        }
    }
    if (listing != NULL) {
        closedir(listing);
    }
}
