/* Questions of R's thread that the reactor's thread answers while R waits. */
#ifndef RSESSION_ASKING_H
#define RSESSION_ASKING_H

#include "r_api.h"

/* The answer, malloced; NULL when an interrupt came first. Waits as long as the reactor takes. */
char *ask_reactor(const char *type, const char *text);

/* For the reactor's thread; takes over the malloced text. */
void take_answer(long long number, char *text);

/* .Call entry of `.rs_ask`. */
SEXP ask_from_r(SEXP type, SEXP text);

#endif
