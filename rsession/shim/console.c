/* R's console callbacks. No function here may hold the lock when R can leave it by a longjmp. */
#define _GNU_SOURCE
#include "batch.h"
#include "engine.h"
#include "queue.h"
#include "r_api.h"
#include "template.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WRITE_PIECE 262144
#define EARLY_TAIL 8192
#define LOOK_NANOSECONDS 50000

static struct line *rest; /* of a line longer than R's buffer */
static size_t rest_offset;
static bool prompted; /* a prompt was announced since the process started */
static char early_errors[EARLY_TAIL];
static size_t early_size;

bool has_crashed(void)
{
    /* R's handler of fatal signals switches its stack check off before it talks, and nothing else does. */
    return *r.R_CStackLimit == (uintptr_t)-1;
}

bool has_prompted(void)
{
    return prompted;
}

static void write_all(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, text, size);
        if (written < 0 && errno != EINTR) {
            return;
        }
        text += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
    }
}

static void keep_early_error(const char *text, size_t size)
{
    if (size > EARLY_TAIL) {
        text += size - EARLY_TAIL;
        size = EARLY_TAIL;
    }
    if (early_size + size > EARLY_TAIL) {
        size_t kept = EARLY_TAIL - size;
        memmove(early_errors, early_errors + early_size - kept, kept);
        early_size = kept;
    }
    memcpy(early_errors + early_size, text, size);
    early_size += size;
}

void report_early_errors(void)
{
    if (!prompted) {
        write_all(start.original_error, early_errors, early_size);
        early_size = 0;
    }
}

/* Children's output that is already in the pipe came before what R writes now. A look costs
 * two system calls, so there is at most one in 50 µs, less than any child takes. */
static void take_earlier_child_output(void)
{
    static struct timespec last;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec != last.tv_sec || now.tv_nsec - last.tv_nsec > LOOK_NANOSECONDS) {
        last = now;
        take_child_output();
    }
}

/* With the lock held: waits until the reactor has taken enough, or an interrupt wants R to go on. */
void wait_for_room(void)
{
    while (exchange.backlog >= BACKLOG_LIMIT && !*r.R_interrupts_pending && !has_crashed()) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 100000000; /* an interrupt that did not come through the reactor signals nobody */
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        wake_reactor(true);
        pthread_cond_timedwait(&exchange.room, &exchange.lock, &until);
    }
}

void console_write(const char *text, int size, int is_error)
{
    if (template.waits) {
        template_write(text, size, is_error);
        return;
    }
    if (in_child) {
        write_all(is_error ? STDERR_FILENO : STDOUT_FILENO, text, (size_t)size);
        return;
    }
    if (job_runs || size <= 0) {
        return;
    }
    if (has_crashed()) {
        write_all(start.original_error, text, (size_t)size);
    } else if (is_error && !prompted) {
        keep_early_error(text, (size_t)size);
    }
    exchange_lock();
    take_earlier_child_output();
    while (size > 0) {
        int piece = size < WRITE_PIECE ? size : WRITE_PIECE;
        wait_for_room();
        put_text(is_error ? ERROR : OUTPUT, text, (size_t)piece);
        wake_reactor(false);
        text += piece;
        size -= piece;
    }
    exchange_unlock();
}

/* R parses every piece: one may not end inside a UTF-8 character. */
static size_t piece_size(const char *text, size_t left, size_t room)
{
    if (left <= room) {
        return left;
    }
    size_t size = room;
    while (size > room - 3 && ((unsigned char)text[size] & 0xC0) == 0x80) {
        size--;
    }
    return size;
}

static int take_piece(unsigned char *buffer, int size)
{
    size_t piece = piece_size(rest->text + rest_offset, rest->size - rest_offset, (size_t)size - 1);
    memcpy(buffer, rest->text + rest_offset, piece);
    buffer[piece] = '\0';
    rest_offset += piece;
    if (rest_offset == rest->size) {
        free(rest);
        rest = NULL;
    }
    return 1;
}

static void drop_rest(void)
{
    free(rest);
    rest = NULL;
}

static void put_input(const char *prompt, int history, const struct line *line)
{
    take_child_output();
    char *text = malloc(line->size);
    if (text != NULL) {
        memcpy(text, line->text, line->size);
        put_segment(INPUT, line->number * 2 + (history != 0), strdup(prompt), strlen(prompt), text, line->size);
        wake_reactor(true);
    }
}

static void announce(const char *prompt, int history)
{
    take_child_output();
    put_segment(PROMPT, history != 0, strdup(prompt), strlen(prompt), NULL, 0);
    wake_reactor(true);
    prompted = true;
}

static void run_handlers(void *ready)
{
    r.R_runHandlers(*r.R_InputHandlers, ready);
}

/* True when a handler other than our own ran: R code may have changed something. */
static bool ran_foreign_handler(const fd_set *ready)
{
    for (int fd = 0; ready != NULL && fd < FD_SETSIZE; fd++) {
        if (FD_ISSET(fd, ready) && fd != exchange.to_r) {
            return true;
        }
    }
    return false;
}

static void wait_in_crash(void)
{
    struct pollfd bell = {.fd = exchange.to_r, .events = POLLIN};
    poll(&bell, 1, -1);
    unring(exchange.to_r);
}

static void note_idle(void)
{
    exchange_lock();
    if (exchange.tail == NULL || exchange.tail->kind != IDLE) {
        put_segment(IDLE, 0, NULL, 0, NULL, 0);
        wake_reactor(true);
    }
    exchange_unlock();
}

static void wait_for_work(void)
{
    if (has_crashed()) {
        wait_in_crash();
        return;
    }
    int own = *r.R_wait_usec, graphics = *r.Rg_wait_usec;
    int wait = own > 0 && (graphics <= 0 || own < graphics) ? own : graphics > 0 ? graphics : -1;
    fd_set *ready = r.R_checkActivity(wait, 1);
    bool foreign = ran_foreign_handler(ready);
    r.R_ToplevelExec(run_handlers, ready);
    if (foreign) {
        note_idle();
    }
}

/* Leaves by a longjmp when an interrupt is pending. */
static void heed_signals(void)
{
    if (has_crashed()) {
        return;
    }
    if (end_is_wanted()) {
        end_now();
    }
    if (*r.R_interrupts_pending && !*r.R_interrupts_suspended) {
        drop_rest();
        r.R_CheckUserInterrupt();
    }
}

enum step { TAKE_LINE, RUN_JOB, WAIT };

/* With the lock held: what comes next; announces the prompt when no line waits, before any job can delay it. */
static enum step next_step(const char *prompt, int history, bool jobs_ready, bool *announced)
{
    if (exchange.first_line == NULL && !*announced) {
        announce(prompt, history);
        *announced = true;
    }
    if (jobs_ready && exchange.first_job != NULL) {
        return RUN_JOB;
    }
    return exchange.first_line != NULL ? TAKE_LINE : WAIT;
}

/* Leaves by a longjmp to R's top level. */
static void cut_off(void)
{
    *r.R_interrupts_pending = 1;
    r.R_CheckUserInterrupt();
}

/* A question in the middle of a batch has nobody to answer it: R shows it, and takes an empty line. */
static int give_no_answer(const char *prompt, unsigned char *buffer)
{
    console_write(prompt, (int)strlen(prompt), 0);
    console_write("\n", 1, 0);
    strcpy((char *)buffer, "\n");
    return 1;
}

/* The answer to R's question while a batch of lines runs; 0 when the next line is to be taken. */
static int read_in_batch(const char *prompt, unsigned char *buffer, int history)
{
    switch (batch_turn(prompt, history)) {
    case NO_ANSWER:
        return give_no_answer(prompt, buffer);
    case LEAVE_BROWSER:
        strcpy((char *)buffer, "Q\n");
        return 1;
    case CUT_OFF:
        cut_off();
        return 0;
    case NEXT_LINE:
        return 0;
    }
    return 0;
}

static int read_console(const char *prompt, unsigned char *buffer, int size, int history)
{
    bool announced = false, jobs_ready = false;
    buffer[0] = '\0';
    if (in_child || job_runs) {
        return 0;
    }
    if (rest != NULL && !exchange.discard_rest) {
        return take_piece(buffer, size);
    }
    drop_rest();
    for (;;) {
        heed_signals();
        if (batch_running != 0 && !has_crashed() && read_in_batch(prompt, buffer, history) != 0) {
            return 1;
        }
        exchange_lock();
        enum step step = next_step(prompt, history, jobs_ready, &announced);
        if (step == TAKE_LINE && (jobs_ready || has_crashed())) {
            rest = take_line();
            rest_offset = 0;
            exchange.discard_rest = false;
            batch_begin(rest);
            put_input(prompt, history, rest);
        }
        exchange_unlock();
        if (rest != NULL) {
            batch_watch_statements();
            return take_piece(buffer, size);
        }
        if (!jobs_ready && !has_crashed()) {
            jobs_ready = jobs_prepare();
        } else if (step == RUN_JOB) {
            job_run();
        } else {
            wait_for_work();
        }
    }
}

static void do_nothing(void)
{
}

static void note_jump(void)
{
    if (!job_runs) {
        batch_note_jump();
    }
}

static void ignore_busy(int which)
{
}

static void show_message(const char *message)
{
    console_write(message, (int)strlen(message), 1);
    console_write("\n", 1, 1);
}

static void (*original_suicide)(const char *);

static void end_fatally(const char *message)
{
    report_early_errors();
    dprintf(start.original_error, "Fatal error: %s\n", message);
    original_suicide(message);
}

static void show_file(const char *path, const char *heading)
{
    char data[8192];
    size_t size;
    FILE *file = fopen(path, "re");
    if (heading[0] != '\0') {
        console_write(heading, (int)strlen(heading), 0);
        console_write("\n\n", 2, 0);
    }
    if (file == NULL) {
        const char *complaint = "NO FILE\n\n";
        console_write(complaint, (int)strlen(complaint), 0);
        return;
    }
    while ((size = fread(data, 1, sizeof data, file)) > 0) {
        console_write(data, (int)size, 0);
    }
    fclose(file);
    console_write("\n", 1, 0);
}

/* A pager cannot page without a terminal: the console scrolls. */
static int show_files(int count, const char **paths, const char **headings, const char *title, int remove, const char *pager)
{
    for (int i = 0; i < count; i++) {
        show_file(paths[i], headings[i] ? headings[i] : "");
        if (remove) {
            unlink(paths[i]);
        }
    }
    return 0;
}

void console_install(void)
{
    *r.R_Outputfile = NULL;
    *r.R_Consolefile = NULL;
    *r.ptr_R_WriteConsole = NULL;
    *r.ptr_R_WriteConsoleEx = console_write;
    *r.ptr_R_ReadConsole = read_console;
    *r.ptr_R_ResetConsole = note_jump;
    *r.ptr_R_FlushConsole = do_nothing;
    *r.ptr_R_ClearerrConsole = do_nothing;
    *r.ptr_R_Busy = ignore_busy;
    *r.ptr_R_ShowMessage = show_message;
    *r.ptr_R_ShowFiles = show_files;
    original_suicide = *r.ptr_R_Suicide;
    *r.ptr_R_Suicide = end_fatally;
}
