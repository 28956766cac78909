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
static SEXP note_success(void)
{
    jumped = false;
    return *r.R_NilValue;
}

/* From R 4.5 on compiled code cannot add one itself. */
static const char ADD_CALLBACK[] =
    "(function(succeeded) addTaskCallback(function(...) { .Call(succeeded); TRUE }, name = 'rsession.batch'))";

static bool add_callback(void)
{
    int status, failed = 0;
    SEXP text = r.Rf_protect(r.Rf_mkString(ADD_CALLBACK));
    SEXP parsed = r.Rf_protect(r.R_ParseVector(text, -1, &status, *r.R_NilValue));
    SEXP adds = r.Rf_protect(r.R_tryEvalSilent(r.VECTOR_ELT(parsed, 0), *r.R_BaseEnv, &failed));
    SEXP symbol = r.Rf_install("native symbol");
    SEXP entry = r.Rf_protect(r.R_MakeExternalPtrFn((void *)note_success, symbol, *r.R_NilValue));
    SEXP arguments = r.Rf_protect(r.Rf_cons(entry, *r.R_NilValue));
    SEXP call = r.Rf_protect(r.Rf_lcons(adds, arguments));
    r.R_tryEvalSilent(call, *r.R_BaseEnv, &failed);
    r.Rf_unprotect(6);
    return !failed;
}

void batch_watch_statements(void)
{
    static bool watches;
    if (batch_running != 0 && !watches) {
        watches = add_callback();
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
