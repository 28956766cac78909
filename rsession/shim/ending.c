/* q() and what else ends R: whether the objects are saved to .RData, and what is said at the very end. */
#define _GNU_SOURCE
#include "asking.h"
#include "engine.h"
#include "queue.h"
#include "r_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SAVE_DEFAULT = 2, SAVE_NO = 3, SAVE_YES = 4, SAVE_ASK = 5, SUICIDE = 6 }; /* R's SA_… */

#define LAST_WORDS_SECONDS 2
#define ANSWER_SIZE 128
#define QUESTION "Save workspace image? [y/n/c]: "

bool ends_unasked;

static bool was_quit;
static void (*original_clean_up)(int, int, int);

static void end_of_interrupt(void)
{
    r.R_CheckUserInterrupt();
    r.Rf_error("interrupted");
}

static int default_action(void)
{
    char *answer = ask_reactor("save_action", "");
    if (answer == NULL) {
        end_of_interrupt();
    }
    int action = strcmp(answer, "yes") == 0 ? SAVE_YES : strcmp(answer, "no") == 0 ? SAVE_NO : SAVE_ASK;
    free(answer);
    return action;
}

static void go_on(void)
{
    SEXP name = r.Rf_protect(r.Rf_mkString("abort"));
    SEXP arguments = r.Rf_protect(r.Rf_cons(name, *r.R_NilValue));
    r.Rf_eval(r.Rf_protect(r.Rf_lcons(r.Rf_install("invokeRestart"), arguments)), *r.R_BaseEnv);
}

static int asked_action(void)
{
    unsigned char answer[ANSWER_SIZE];
    for (;;) {
        free(ask_reactor("quit_question", ""));
        if (!(*r.ptr_R_ReadConsole)(QUESTION, answer, sizeof answer, 0)) {
            return SAVE_NO;
        }
        switch (answer[0]) {
        case 'y':
        case 'Y':
            return SAVE_YES;
        case 'n':
        case 'N':
            return SAVE_NO;
        case 'c':
        case 'C':
            go_on();
        }
    }
}

/* The session goes on when that fails. */
static void save_image(void)
{
    char *complaint = call_hidden("quit_save_image");
    if (complaint != NULL) {
        char text[1024] = "";
        strncpy(text, complaint, sizeof text - 1);
        free(complaint);
        r.Rf_error("%s", text);
    }
}

static void clean_up(int action, int status, int runs_last)
{
    bool is_unasked = ends_unasked || in_child || has_crashed() || action == SUICIDE;
    ends_unasked = false; /* .Last may fail, and then the session goes on */
    if (is_unasked) {
        was_quit = false;
        original_clean_up(action, status, runs_last);
    }
    if (!has_prompted() && action != SAVE_YES) {
        action = SAVE_NO; /* a profile ends R: there is nothing to save, and nobody to ask */
    }
    action = action == SAVE_DEFAULT ? default_action() : action;
    action = action == SAVE_ASK ? asked_action() : action;
    if (action == SAVE_YES) {
        if (runs_last) {
            r.R_dot_Last();
        }
        save_image();
    }
    was_quit = has_prompted(); /* what a profile ends nobody has quit */
    original_clean_up(SAVE_NO, status, runs_last && action != SAVE_YES);
}

/* Runs at the very end, after R has saved and tidied up: what is queued must still reach the listeners. */
static void say_farewell(int status, void *unused)
{
    struct timespec until;
    if (in_child) {
        return;
    }
    report_early_errors();
    if (was_quit && status != 0) {
        dprintf(start.original_error, "R was quit with status %d.\n", status); /* the server looks for this line */
    }
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += LAST_WORDS_SECONDS;
    exchange_lock();
    take_child_output();
    const char *how = was_quit ? "quit" : has_prompted() ? "" : "early";
    put_segment(QUIT, status, strdup(how), strlen(how), NULL, 0);
    wake_reactor(true);
    while (!exchange.quit_seen && pthread_cond_timedwait(&exchange.acknowledged, &exchange.lock, &until) == 0) {
    }
    exchange_unlock();
    /* What is left of exit() tears down libraries that the other threads still use. */
    fflush(NULL);
    _exit(status);
}

void ending_install(void)
{
    original_clean_up = *r.ptr_R_CleanUp;
    *r.ptr_R_CleanUp = clean_up;
    on_exit(say_farewell, NULL);
}
