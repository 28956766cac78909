#define _GNU_SOURCE
#include "chunk_writer.h"

#include "chunk_codec.h"
#include "pack_compaction.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PACK_BYTES ((uint64_t)256 << 20)
#define SMALL_CHUNK ((size_t)64 << 10)
#define SYNC_BYTES ((uint64_t)32 << 20)
#define LEAST_COMPRESSED 512

static bool write_fully(int file, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(file, data, size);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        data += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

static bool flush(struct pack_file *pack)
{
    bool written = write_fully(pack->file, pack->buffer, pack->buffered);
    pack->buffered = 0;
    if (written && pack->size - pack->synced >= SYNC_BYTES) {
        /* the disk works while we hash on; the real fsync at the end finds little to do */
        sync_file_range(pack->file, (off_t)pack->synced, 0, SYNC_FILE_RANGE_WRITE);
        pack->synced = pack->size;
    }
    return written;
}

static bool finish_pack(struct pack_file *pack)
{
    bool sound = true;
    if (pack->file >= 0) {
        sound = flush(pack) && fsync(pack->file) == 0;
        sound = close(pack->file) == 0 && sound;
        pack->file = -1;
    }
    return sound;
}

static void fail(struct chunk_writer *writer)
{
    int number = errno ? errno : EIO;
    pthread_mutex_lock(&writer->lock);
    if (writer->failure == 0) {
        writer->failure = number;
    }
    pthread_mutex_unlock(&writer->lock);
}

static bool start_pack(struct chunk_writer *writer, struct pack_file *pack)
{
    char path[4096];
    pthread_mutex_lock(&writer->lock);
    uint64_t number = writer->next_pack++;
    pack->pack = catalog_add_pack(writer->next, number);
    pthread_mutex_unlock(&writer->lock);
    snprintf(path, sizeof path, "%s/pack-%llu", writer->folder, (unsigned long long)number);
    pack->file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    pack->size = pack->synced = 0;
    return pack->file >= 0 && pack->pack != UINT32_MAX;
}

bool chunk_writer_append(struct chunk_writer *writer, struct pack_file *pack, const char *data, size_t size, struct chunk *chunk)
{
    if (pack->file >= 0 && pack->size + size > PACK_BYTES && !finish_pack(pack)) {
        return false;
    }
    if (pack->file < 0 && !start_pack(writer, pack)) {
        return false;
    }
    chunk->pack = pack->pack;
    chunk->offset = pack->size;
    chunk->stored = (uint32_t)size;
    pack->size += size;
    if (size < SMALL_CHUNK) {
        if (pack->buffered + size > BUFFER_BYTES && !flush(pack)) {
            return false;
        }
        memcpy(pack->buffer + pack->buffered, data, size);
        pack->buffered += size;
        return true;
    }
    return flush(pack) && write_fully(pack->file, data, size);
}

static bool store(struct chunk_writer *writer, struct pack_file *pack, const void *data, size_t size, struct chunk *chunk)
{
    char *compressed = pack->buffer + BUFFER_BYTES;
    int smaller = 0;
    if (writer->compresses && size >= LEAST_COMPRESSED) {
        smaller = chunk_compress(data, size, compressed);
    }
    chunk->codec = smaller > 0 ? LZ4 : PLAIN;
    return chunk_writer_append(writer, pack, smaller > 0 ? compressed : data, smaller > 0 ? (size_t)smaller : size, chunk);
}

/* With the lock held: the chunk's number in `next` if either catalogue has it. */
static uint32_t known_chunk(struct chunk_writer *writer, struct hash hash, size_t size)
{
    uint32_t number = catalog_find_chunk(writer->next, hash);
    if (number == UINT32_MAX) {
        uint32_t before = catalog_find_chunk(writer->old, hash);
        if (before != UINT32_MAX && writer->old->chunks[before].raw == size) {
            number = catalog_add_chunk(writer->next, &writer->old->chunks[before]);
        }
    }
    return number;
}

/* False when a chunk that was trusted is another one: only a test looks. */
static bool note_hash(struct tracked_chunk *tracked, struct hash hash)
{
    bool is_as_trusted = tracked == NULL || tracked->state != CHUNK_TRUSTED || (tracked->hash.low == hash.low && tracked->hash.high == hash.high);
    if (tracked != NULL) {
        tracked_note(tracked, hash);
    }
    return is_as_trusted;
}

static void process(struct chunk_writer *writer, struct pack_file *pack, const struct chunk_task *task)
{
    const void *data = task->data;
    size_t size = task->size;
    struct chunk chunk = {.hash = hash_of(data, size), .raw = (uint32_t)size};
    if (!note_hash(task->tracked, chunk.hash)) {
        errno = EUCLEAN;
        fail(writer);
    }
    pthread_mutex_lock(&writer->lock);
    uint32_t number = known_chunk(writer, chunk.hash, size);
    bool is_new = number == UINT32_MAX;
    if (is_new) {
        number = catalog_add_chunk(writer->next, &chunk);
    }
    writer->next->refs[task->ref] = number;
    bool failed = writer->failure != 0 || number == UINT32_MAX;
    writer->hashed += size;
    pthread_mutex_unlock(&writer->lock);
    if (number == UINT32_MAX) {
        errno = ENOMEM;
        fail(writer);
    } else if (is_new && !failed) {
        if (!store(writer, pack, data, size, &chunk)) {
            fail(writer);
            return;
        }
        pthread_mutex_lock(&writer->lock);
        writer->next->chunks[number] = chunk;
        writer->written += chunk.stored;
        pthread_mutex_unlock(&writer->lock);
    }
}

static bool take_task(struct chunk_writer *writer, struct chunk_task *task)
{
    pthread_mutex_lock(&writer->lock);
    while (writer->task_count == 0 && !writer->ended) {
        pthread_cond_wait(&writer->work, &writer->lock);
    }
    bool taken = writer->task_count > 0;
    if (taken) {
        *task = writer->tasks[writer->first_task];
        writer->first_task = (writer->first_task + 1) % WRITER_TASKS;
        writer->task_count--;
        writer->running++;
        pthread_cond_signal(&writer->rest);
    }
    pthread_mutex_unlock(&writer->lock);
    return taken;
}

static void *work(void *data)
{
    struct chunk_writer *writer = data;
    struct chunk_task task;
    pthread_mutex_lock(&writer->lock);
    struct pack_file *pack = &writer->files[writer->thread_count++];
    pthread_mutex_unlock(&writer->lock);
    while (take_task(writer, &task)) {
        process(writer, pack, &task);
        free(task.owned);
        pthread_mutex_lock(&writer->lock);
        writer->running--;
        pthread_mutex_unlock(&writer->lock);
    }
    if (!finish_pack(pack)) {
        fail(writer);
    }
    return NULL;
}

bool chunk_writer_open(struct chunk_writer *writer, const char *folder, struct catalog *next, const struct catalog *old, bool compresses)
{
    memset(writer, 0, sizeof *writer);
    writer->folder = folder;
    writer->next = next;
    writer->old = old;
    writer->compresses = compresses && chunk_codec_available();
    pthread_mutex_init(&writer->lock, NULL);
    pthread_cond_init(&writer->work, NULL);
    pthread_cond_init(&writer->rest, NULL);
    for (uint64_t i = 0; i < old->heading.packs; i++) {
        catalog_add_pack(next, old->packs[i].number);
        next->packs[i] = old->packs[i];
        writer->next_pack = old->packs[i].number >= writer->next_pack ? old->packs[i].number + 1 : writer->next_pack;
    }
    for (int i = 0; i <= WRITER_THREADS; i++) {
        writer->files[i].file = -1;
        writer->files[i].buffer = malloc(BUFFER_BYTES + CHUNK_BYTES);
        if (writer->files[i].buffer == NULL) {
            return false;
        }
    }
    for (int i = 0; i < WRITER_THREADS; i++) {
        if (pthread_create(&writer->threads[i], NULL, work, writer) != 0) {
            return false;
        }
    }
    return true;
}

static void post(struct chunk_writer *writer, const struct chunk_task *task)
{
    pthread_mutex_lock(&writer->lock);
    while (writer->task_count == WRITER_TASKS) {
        pthread_cond_wait(&writer->rest, &writer->lock);
    }
    writer->tasks[(writer->first_task + writer->task_count++) % WRITER_TASKS] = *task;
    pthread_cond_signal(&writer->work);
    pthread_mutex_unlock(&writer->lock);
}

static bool reserve_ref(struct chunk_writer *writer, uint64_t *ref)
{
    pthread_mutex_lock(&writer->lock);
    *ref = writer->next->heading.refs;
    bool added = catalog_add_ref(writer->next, 0);
    pthread_mutex_unlock(&writer->lock);
    return added;
}

static void lack_memory(struct chunk_writer *writer)
{
    errno = ENOMEM;
    fail(writer);
}

void chunk_writer_add(struct chunk_writer *writer, const void *data, size_t size)
{
    struct chunk_task task = {.data = data, .size = size};
    if (!reserve_ref(writer, &task.ref) || (size >= SMALL_CHUNK && (task.owned = malloc(size)) == NULL)) {
        lack_memory(writer);
        return;
    }
    if (size < SMALL_CHUNK) {
        process(writer, &writer->files[WRITER_THREADS], &task);
        return;
    }
    task.data = memcpy(task.owned, data, size);
    post(writer, &task);
}

static void add_known(struct chunk_writer *writer, struct hash hash, size_t size)
{
    pthread_mutex_lock(&writer->lock);
    uint32_t number = known_chunk(writer, hash, size);
    if (number == UINT32_MAX || !catalog_add_ref(writer->next, number)) {
        writer->failure = writer->failure ? writer->failure : ENOMEM;
    }
    pthread_mutex_unlock(&writer->lock);
}

void chunk_writer_add_lasting(struct chunk_writer *writer, const void *data, size_t size, struct tracked_chunk *tracked)
{
    struct chunk_task task = {.data = data, .size = size, .tracked = tracked};
    bool is_trusted = tracked != NULL && tracked->state == CHUNK_TRUSTED;
    if (is_trusted) {
        writer->trusted += size;
    }
    if (is_trusted && !tracked_is_verified()) {
        add_known(writer, tracked->hash, size);
    } else if (reserve_ref(writer, &task.ref)) {
        post(writer, &task);
    } else {
        lack_memory(writer);
    }
}

void chunk_writer_carry(struct chunk_writer *writer, uint32_t old_chunk)
{
    const struct chunk *chunk = &writer->old->chunks[old_chunk];
    add_known(writer, chunk->hash, chunk->raw);
}

void chunk_writer_refer(struct chunk_writer *writer, uint32_t number)
{
    pthread_mutex_lock(&writer->lock);
    if (!catalog_add_ref(writer->next, number)) {
        writer->failure = writer->failure ? writer->failure : ENOMEM;
    }
    pthread_mutex_unlock(&writer->lock);
}

int chunk_writer_close(struct chunk_writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    writer->ended = true;
    pthread_cond_broadcast(&writer->work);
    pthread_mutex_unlock(&writer->lock);
    for (int i = 0; i < WRITER_THREADS; i++) {
        pthread_join(writer->threads[i], NULL);
    }
    if (writer->failure == 0 && !compact_packs(writer)) {
        fail(writer);
    }
    if (!finish_pack(&writer->files[WRITER_THREADS])) {
        fail(writer);
    }
    if (writer->failure == 0) {
        note_pack_sizes(writer);
        drop_empty_packs(writer->next);
    }
    return writer->failure;
}

void chunk_writer_remove_packs(const struct chunk_writer *writer)
{
    char path[4096];
    uint64_t first = 0;
    for (uint64_t i = 0; i < writer->old->heading.packs; i++) {
        first = writer->old->packs[i].number >= first ? writer->old->packs[i].number + 1 : first;
    }
    for (uint64_t number = first; number < writer->next_pack; number++) {
        snprintf(path, sizeof path, "%s/pack-%llu", writer->folder, (unsigned long long)number);
        unlink(path);
    }
}
