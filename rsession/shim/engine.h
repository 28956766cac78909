/* R on its own thread: its console, its signals, its end. */
#ifndef RSESSION_ENGINE_H
#define RSESSION_ENGINE_H

#include <stdbool.h>

struct start {
    const char *library;
    int argc;
    char **argv;
    int sources;        /* R files of the hidden environment */
    char **source_paths;
    int listener;       /* the session's socket: forked children close its connections */
    int original_error; /* the descriptor that was standard error */
};

extern struct start start;
extern bool in_child; /* this process was forked by R code */

/* Callable only when the library is loaded; never returns. */
void engine_run(void);

/* Its parts, for who stops R in between: as far as R's own start, the ties to this process, what comes after R's start. */
void engine_begin(void);
void engine_connect(void);
void engine_loop(void);

/* temporary_folder.c */
/* R's own is made now, with `text` in the file `name` inside it; R makes it later where it cannot be made earlier. */
void temporary_folder_make(void);
bool temporary_folder_note(const char *name, const char *text);

/* jobs.c */
extern bool job_runs;
extern bool job_sets_seed; /* by the job that runs: its random state stays */
bool jobs_prepare(void);
void job_run(void);
/* What a function of the hidden environment, which answers raw bytes, has to say; NULL when that is nothing. malloced. */
char *call_hidden(const char *name);

/* signals.c */
void signals_install(void);
void fork_install(void);
void signals_set_aside(void); /* those of R; all are at their defaults then */
void signals_put_back(void);
bool interrupt_is_pending(void);
bool end_is_wanted(void);
void request_end(bool save);
void request_exit(int status); /* without saving, without .Last */
int suspend_signals(void);     /* a pipe that gets '1' for every SIGUSR1, '2' for every SIGUSR2 from now on; -1 after an error */
void end_now(void);

/* history.c */
void history_install(void);

/* ending.c */
extern bool ends_unasked; /* R_CleanUp, called next, does what it is told: nobody is asked, and R was not quit */
void ending_install(void);

/* console.c */
bool has_crashed(void);
void console_install(void);
void console_write(const char *text, int size, int is_error);
bool has_prompted(void); /* anybody was asked for a line since the process started */
void report_early_errors(void);
void wait_for_room(void); /* needs the lock */

#endif
