/* history(), savehistory(), loadhistory(), timestamp(): the reactor's thread has the lines. */
#define _GNU_SOURCE
#include "asking.h"
#include "engine.h"
#include "r_api.h"

#include <stdlib.h>
#include <string.h>

static void ask_for(const char *type, const char *text)
{
    if (in_child) {
        r.Rf_error("there is no history in a forked process");
    }
    char *answer = ask_reactor(type, text);
    if (answer == NULL) {
        r.R_CheckUserInterrupt();
        r.Rf_error("interrupted");
    }
    char complaint[1024] = "";
    strncpy(complaint, answer, sizeof complaint - 1);
    free(answer);
    if (complaint[0] != '\0') {
        r.Rf_error("%s", complaint);
    }
}

static SEXP with_file(const char *type, SEXP arguments)
{
    SEXP file = r.CAR(arguments);
    if (r.TYPEOF(file) != STRING_VECTOR || r.Rf_xlength(file) < 1) {
        r.Rf_error("invalid '%s' argument", "file");
    }
    ask_for(type, r.R_ExpandFileName(r.Rf_translateCharUTF8(r.STRING_ELT(file, 0))));
    return *r.R_NilValue;
}

static SEXP load_history(SEXP call, SEXP op, SEXP arguments, SEXP environment)
{
    return with_file("history_load", arguments);
}

static SEXP save_history(SEXP call, SEXP op, SEXP arguments, SEXP environment)
{
    return with_file("history_save", arguments);
}

static SEXP add_history(SEXP call, SEXP op, SEXP arguments, SEXP environment)
{
    SEXP lines = r.CAR(arguments);
    if (r.TYPEOF(lines) != STRING_VECTOR) {
        r.Rf_error("invalid timestamp");
    }
    for (ptrdiff_t i = 0; i < r.Rf_xlength(lines); i++) {
        ask_for("history_add", r.Rf_translateCharUTF8(r.STRING_ELT(lines, i)));
    }
    return *r.R_NilValue;
}

void history_install(void)
{
    *r.ptr_R_loadhistory = load_history;
    *r.ptr_R_savehistory = save_history;
    *r.ptr_R_addhistory = add_history;
}
