/* R values as JSON in UTF-8. */
#ifndef RSESSION_JSON_H
#define RSESSION_JSON_H

#include "buffer.h"
#include "r_api.h"

/* Appends `value`; returns NULL, or why it has no JSON form. May leave by an R error: call it below R_ToplevelExec. */
const char *json_write(struct buffer *buffer, SEXP value);

/* Appends a quoted string; bytes that are no UTF-8 become U+FFFD. */
void json_write_text(struct buffer *buffer, const char *text, size_t size);

#endif
