#include "batch.h"

#include "queue.h"
#include "r_api.h"

#include <stdlib.h>
#include <string.h>

long long batch_running;
static bool jumped;
static enum batch_end cause; /* of the next jump */

/* R calls it whenever a statement of the top level has succeeded. A jump before that went no further than to some
 * function that had asked R to come back to it. */
static int note_success(SEXP expression, SEXP value, int succeeded, int visible, void *data)
{
    jumped = false;
    return 1;
}

void batch_watch_statements(void)
{
    static bool watches;
    if (batch_running != 0 && !watches) {
        watches = r.Rf_addTaskCallback(note_success, NULL, NULL, "rsession.batch", NULL) != NULL;
    }
}

void batch_begin(const struct line *line)
{
    if (batch_running == 0) {
        batch_running = line->batch;
        jumped = false;
        cause = BATCH_FAILED;
    }
}

void batch_note_jump(void)
{
    jumped = true;
}

static void put_end(long long batch, enum batch_end how)
{
    put_segment(BATCH_END, batch * 8 + (long long)how, NULL, 0, NULL, 0);
    wake_reactor(true);
}

void batch_note_dropped(const struct line *line, const struct line *next)
{
    bool is_last = next == NULL || next->batch != line->batch;
    if (line->batch != 0 && is_last && line->batch != batch_running) {
        put_end(line->batch, BATCH_DROPPED);
    }
}

static void drop_other_lines(void)
{
    while (exchange.first_line != NULL && exchange.first_line->batch == batch_running) {
        free(take_line());
    }
}

static enum batch_turn end_batch(enum batch_end how)
{
    exchange_lock();
    drop_other_lines();
    take_child_output();
    put_end(batch_running, how);
    batch_running = 0;
    exchange_unlock();
    return NEXT_LINE;
}

static bool has_line(void)
{
    exchange_lock();
    bool has = exchange.first_line != NULL && exchange.first_line->batch == batch_running;
    exchange_unlock();
    return has;
}

static bool wants_more_of_statement(const char *prompt)
{
    SEXP primary = r.Rf_GetOption1(r.Rf_install("prompt"));
    return r.TYPEOF(primary) == STRING_VECTOR && r.Rf_xlength(primary) > 0 &&
           strcmp(prompt, r.R_CHAR(r.STRING_ELT(primary, 0))) != 0;
}

enum batch_turn batch_turn(const char *prompt, int history)
{
    if (jumped) {
        return end_batch(cause);
    }
    if (!history) {
        return NO_ANSWER;
    }
    if (strncmp(prompt, "Browse[", 7) == 0) {
        cause = BATCH_IN_BROWSER;
        return LEAVE_BROWSER;
    }
    if (has_line()) {
        return NEXT_LINE;
    }
    if (wants_more_of_statement(prompt)) {
        cause = BATCH_INCOMPLETE;
        return CUT_OFF;
    }
    return end_batch(BATCH_DONE);
}
