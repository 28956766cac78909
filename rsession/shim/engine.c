#define _GNU_SOURCE
#include "engine.h"
#include "queue.h"
#include "r_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define BELL_ACTIVITY 33
#define LAST_WORDS_SECONDS 2

struct start start;

static void hear_bell(void *unused)
{
    unring(exchange.to_r);
}

/* Runs at the very end of q(), after R has saved and tidied up: what is queued must still reach the listeners. */
static void say_farewell(int status, void *unused)
{
    struct timespec until;
    if (in_child) {
        return;
    }
    report_early_errors();
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += LAST_WORDS_SECONDS;
    exchange_lock();
    take_child_output();
    put_segment(QUIT, status, NULL, 0, NULL, 0);
    wake_reactor(true);
    while (!exchange.quit_seen && pthread_cond_timedwait(&exchange.acknowledged, &exchange.lock, &until) == 0) {
    }
    exchange_unlock();
    /* What is left of exit() tears down libraries that the other threads still use. */
    fflush(NULL);
    _exit(status);
}

void engine_begin(void)
{
    *r.R_running_as_main_program = 0;
    *r.R_SignalHandlers = 1;
    r.Rf_initialize_R(start.argc, start.argv);
    *r.R_Interactive = 1;
    console_install();
    /* C code's printf would otherwise wait for a full buffer, standard output being a pipe. */
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
}

void engine_connect(void)
{
    r.addInputHandler(*r.R_InputHandlers, exchange.to_r, hear_bell, BELL_ACTIVITY);
    fork_install();
    on_exit(say_farewell, NULL);
}

void engine_loop(void)
{
    signals_install();
    r.run_Rmainloop();
    exit(0);
}

void engine_run(void)
{
    engine_begin();
    engine_connect();
    r.setup_Rmainloop();
    engine_loop();
}
