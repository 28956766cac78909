/* Lines that belong together: the first error among them ends them all. */
#ifndef RSESSION_BATCH_H
#define RSESSION_BATCH_H

#include <stdbool.h>

struct line;

enum batch_end { BATCH_DONE, BATCH_FAILED, BATCH_INCOMPLETE, BATCH_DROPPED, BATCH_IN_BROWSER };

/* What R, which asks for a line while a batch runs, is given. */
enum batch_turn { NEXT_LINE, NO_ANSWER, LEAVE_BROWSER, CUT_OFF };

extern long long batch_running; /* its number, 0 for none; R's thread writes it, with the lock */

/* With the lock, when R takes a line. */
void batch_begin(const struct line *line);

/* On R's thread, without the lock. */
void batch_watch_statements(void);
enum batch_turn batch_turn(const char *prompt, int history);
void batch_note_jump(void); /* R leaves what it does and goes back to its top level */

/* With the lock, before the line is freed: it will not be given to R, `next` is the one behind it or NULL. */
void batch_note_dropped(const struct line *line, const struct line *next);

#endif
