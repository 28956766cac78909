#define _GNU_SOURCE
#include "workspace_r.h"

#include <dlfcn.h>

struct workspace_r wr;

static void *find_either(const char *newer, const char *older)
{
    void *function = dlsym(RTLD_DEFAULT, newer);
    return function != NULL ? function : dlsym(RTLD_DEFAULT, older);
}

static SEXP evaluated_environment(SEXP enclosure, int is_hashed, int size)
{
    (void)is_hashed;
    (void)size;
    SEXP call = wr.Rf_protect(wr.Rf_lang3(wr.Rf_install("new.env"), wr.Rf_ScalarLogical(1), enclosure));
    SEXP made = wr.Rf_eval(call, *wr.R_BaseEnv);
    wr.Rf_unprotect(1);
    return made;
}

static SEXP (*find_in_frame)(SEXP, SEXP, int);

static int is_found(SEXP environment, SEXP symbol)
{
    return find_in_frame(environment, symbol, 0) != *wr.R_UnboundValue;
}

bool workspace_r_find(void)
{
    static int found = -1;
    if (found < 0) {
        found = 1;
#define FIND(result, name, arguments) \
    *(void **)&wr.name = dlsym(RTLD_DEFAULT, #name); \
    found = found && wr.name != NULL;
        WORKSPACE_R_FUNCTIONS(FIND)
#undef FIND
#define FIND(name) \
    wr.name = dlsym(RTLD_DEFAULT, #name); \
    found = found && wr.name != NULL;
        WORKSPACE_R_VALUES(FIND)
#undef FIND
        *(void **)&wr.parent = find_either("R_ParentEnv", "ENCLOS");
        *(void **)&wr.closure_environment = find_either("R_ClosureEnv", "CLOENV");
        found = found && wr.parent != NULL && wr.closure_environment != NULL;
#define FIND(result, name, arguments) *(void **)&wr.name = dlsym(RTLD_DEFAULT, #name);
        WORKSPACE_R_LATER_FUNCTIONS(FIND)
#undef FIND
        if (wr.R_NewEnv == NULL) {
            wr.R_NewEnv = evaluated_environment;
        }
        if (wr.R_existsVarInFrame == NULL) {
            *(void **)&find_in_frame = dlsym(RTLD_DEFAULT, "Rf_findVarInFrame3");
            found = found && find_in_frame != NULL;
            wr.R_existsVarInFrame = is_found;
        }
    }
    return found;
}
