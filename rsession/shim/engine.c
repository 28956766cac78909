#define _GNU_SOURCE
#include "engine.h"
#include "queue.h"
#include "r_api.h"

#include <stdio.h>
#include <stdlib.h>

#define BELL_ACTIVITY 33

struct start start;

static void hear_bell(void *unused)
{
    unring(exchange.to_r);
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
    history_install();
    ending_install();
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
    temporary_folder_make();
    r.setup_Rmainloop();
    engine_loop();
}
