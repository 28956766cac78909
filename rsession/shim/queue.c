#define _GNU_SOURCE
#include "queue.h"

#include "batch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SEGMENT_LIMIT ((size_t)256 << 10)
#define READ_SIZE 65536

struct exchange exchange = {.to_reactor = -1, .to_r = -1, .child_output = {-1, -1}};

static void make_locks(void)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&exchange.lock, &attributes);
    pthread_cond_init(&exchange.room, NULL);
    pthread_cond_init(&exchange.acknowledged, NULL);
    pthread_cond_init(&exchange.answer_came, NULL);
}

bool exchange_open(void)
{
    make_locks();
    exchange.signalled = exchange.urgent = false;
    exchange.to_reactor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    exchange.to_r = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return exchange.to_reactor >= 0 && exchange.to_r >= 0;
}

void exchange_lock(void)
{
    /* The lock checks errors: taking it twice fails instead of hanging, and the one unlock that follows sets it free. */
    pthread_mutex_lock(&exchange.lock);
}

void exchange_unlock(void)
{
    pthread_mutex_unlock(&exchange.lock);
}

void ring(int fd)
{
    uint64_t one = 1;
    /* The only failure is a counter that is full, and then the other side is awake. */
    ssize_t written = write(fd, &one, sizeof one);
    (void)written;
}

void unring(int fd)
{
    uint64_t count;
    ssize_t got = read(fd, &count, sizeof count);
    (void)got;
}

void wake_reactor(bool urgently)
{
    urgently = urgently || exchange.backlog > BACKLOG_URGENT;
    if (!exchange.signalled || (urgently && !exchange.urgent)) {
        exchange.signalled = true;
        exchange.urgent = exchange.urgent || urgently;
        ring(exchange.to_reactor);
    }
}

static void link_segment(struct segment *segment)
{
    if (exchange.tail == NULL) {
        exchange.head = segment;
    } else {
        exchange.tail->next = segment;
    }
    exchange.tail = segment;
    exchange.backlog += segment->first_size + segment->second_size;
}

void put_segment(enum segment_kind kind, long long number, char *first, size_t first_size, char *second, size_t second_size)
{
    struct segment *segment = malloc(sizeof *segment);
    if (segment == NULL) {
        free(first);
        free(second);
        return;
    }
    *segment = (struct segment){.kind = kind,
                                .number = number,
                                .first = first,
                                .first_size = first_size,
                                .capacity = first_size,
                                .second = second,
                                .second_size = second_size};
    link_segment(segment);
}

static bool extend_tail(enum segment_kind kind, const char *text, size_t size)
{
    struct segment *tail = exchange.tail;
    if (tail == NULL || tail->kind != kind || tail->first_size + size > SEGMENT_LIMIT) {
        return false;
    }
    if (tail->first_size + size > tail->capacity) {
        size_t capacity = 2 * (tail->first_size + size);
        char *grown = realloc(tail->first, capacity);
        if (grown == NULL) {
            return false;
        }
        tail->first = grown;
        tail->capacity = capacity;
    }
    memcpy(tail->first + tail->first_size, text, size);
    tail->first_size += size;
    exchange.backlog += size;
    return true;
}

void put_text(enum segment_kind kind, const char *text, size_t size)
{
    if (size > 0 && !extend_tail(kind, text, size)) {
        char *copy = malloc(size);
        if (copy != NULL) {
            memcpy(copy, text, size);
            put_segment(kind, 0, copy, size, NULL, 0);
        }
    }
}

bool take_child_output(void)
{
    static char data[READ_SIZE];
    for (int i = 0; i < 2; i++) {
        ssize_t size = 1;
        while (size > 0 && exchange.backlog < BACKLOG_LIMIT) {
            size = exchange.child_output[i] < 0 ? -1 : read(exchange.child_output[i], data, sizeof data);
            if (size > 0) {
                put_text(i == 0 ? OUTPUT : ERROR, data, (size_t)size);
                wake_reactor(false);
            }
        }
    }
    return exchange.backlog < BACKLOG_LIMIT;
}

struct line *take_line(void)
{
    struct line *line = exchange.first_line;
    if (line != NULL) {
        exchange.first_line = line->next;
        exchange.last_line = line->next ? exchange.last_line : NULL;
        exchange.lines--;
        exchange.line_bytes -= line->size;
    }
    return line;
}

void discard_lines(void)
{
    struct line *line;
    while ((line = take_line()) != NULL) {
        batch_note_dropped(line, exchange.first_line);
        free(line);
    }
    exchange.discard_rest = true;
}

struct job *take_job(void)
{
    struct job *job = exchange.first_job;
    if (job != NULL) {
        exchange.first_job = job->next;
        exchange.last_job = job->next ? exchange.last_job : NULL;
    }
    return job;
}

void job_free(struct job *job)
{
    for (int i = 0; i < job->arguments; i++) {
        free(job->texts[i]);
    }
    free(job->texts);
    free(job->sizes);
    free(job);
}

void segment_free(struct segment *segment)
{
    free(segment->first);
    free(segment->second);
    free(segment);
}
