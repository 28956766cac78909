#define _GNU_SOURCE
#include "workspace_r.h"

#include <dlfcn.h>

struct workspace_r wr;

static void *find_either(const char *newer, const char *older)
{
    void *function = dlsym(RTLD_DEFAULT, newer);
    return function != NULL ? function : dlsym(RTLD_DEFAULT, older);
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
    }
    return found;
}
