/* A process in which R has started as far as it can without a user, and stops there to be forked into sessions. */
#ifndef RSESSION_TEMPLATE_H
#define RSESSION_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

struct template {
    int profile; /* the descriptor from which R reads what it takes for the site's profile */
    bool waits;  /* R is starting or waits at its fork point: nothing it writes is for a session */
    /* Called on R's thread at the fork point; comes back in a session's process alone, with `profile` and the session's part of `start` set. */
    void (*serve)(void);
    void (*begin)(void); /* called when R has become the session's, before any code of its user */
    /* Starts the session the ordinary way in this process, because of `reason`; never returns. */
    void (*give_up)(const char *reason);
};

extern struct template template;

/* Callable only when the library is loaded; never returns. */
void template_run(void);

/* Does what a session does to become one, in the process of a session that must wait anyway: most of the time goes into the first write
 * to each page that is shared with the template. Changes nothing. Only while `serve` is called. */
void template_rehearse(void);

/* What R writes while the template waits; the greeting is kept for the session. */
void template_write(const char *text, int size, int is_error);

#endif
