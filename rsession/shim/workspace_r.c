#define _GNU_SOURCE
#include "workspace_r.h"

#include <dlfcn.h>

struct workspace_r wr;

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
        *(void **)&wr.parent = dlsym(RTLD_DEFAULT, "R_ParentEnv");
        if (wr.parent == NULL) {
            *(void **)&wr.parent = dlsym(RTLD_DEFAULT, "ENCLOS");
        }
        found = found && wr.parent != NULL;
    }
    return found;
}
