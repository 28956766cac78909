/* Questions of R's thread that the reactor's thread answers while R waits. */
#define _GNU_SOURCE
#include "asking.h"
#include "engine.h"
#include "json.h"
#include "queue.h"
#include "r_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define QUESTION_LIMIT ((size_t)1 << 20)
#define LOOK_NANOSECONDS 100000000

static void put_question(const char *type, long long number, const char *text)
{
    struct buffer data = {.limit = QUESTION_LIMIT};
    char head[48];
    int size = snprintf(head, sizeof head, "{\"question\":%lld,\"text\":", number);
    buffer_append(&data, head, (size_t)size);
    json_write_text(&data, text, strlen(text));
    buffer_append(&data, "}", 1);
    put_segment(EMITTED, 0, strdup(type), strlen(type), data.data, data.size);
    wake_reactor(true);
}

static void wait_a_moment(void)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += LOOK_NANOSECONDS; /* an interrupt signals nobody */
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&exchange.answer_came, &exchange.lock, &until);
}

char *ask_reactor(const char *type, const char *text)
{
    exchange_lock();
    long long number = ++exchange.last_question;
    put_question(type, number, text);
    while (exchange.answered != number && !*r.R_interrupts_pending) {
        wait_a_moment();
    }
    char *answer = exchange.answered == number ? exchange.answer : NULL;
    exchange.answer = answer ? NULL : exchange.answer;
    exchange_unlock();
    return answer;
}

void take_answer(long long number, char *text)
{
    exchange_lock();
    free(exchange.answer); /* of a question that R does not wait for any more */
    exchange.answer = text;
    exchange.answered = number;
    pthread_cond_signal(&exchange.answer_came);
    exchange_unlock();
}

SEXP ask_from_r(SEXP type, SEXP text)
{
    if (r.TYPEOF(type) != STRING_VECTOR || r.TYPEOF(text) != STRING_VECTOR || r.Rf_xlength(type) != 1 || r.Rf_xlength(text) != 1) {
        r.Rf_error("a question has a type and a text");
    }
    char *answer = in_child ? NULL : ask_reactor(r.R_CHAR(r.STRING_ELT(type, 0)), r.Rf_translateCharUTF8(r.STRING_ELT(text, 0)));
    if (answer == NULL) {
        r.R_CheckUserInterrupt();
        r.Rf_error("nobody answers");
    }
    SEXP cell = r.Rf_protect(r.Rf_mkCharLenCE(answer, (int)strlen(answer), ENCODED_UTF8));
    free(answer);
    SEXP value = r.Rf_ScalarString(cell);
    r.Rf_unprotect(1);
    return value;
}
