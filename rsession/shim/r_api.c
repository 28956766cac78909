#include "r_api.h"

#include <dlfcn.h>

struct r_api r;

const char *r_api_load(const char *path)
{
    /* Global: the shared objects of packages look their symbols up in the library that is loaded here. */
    void *library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    if (library == NULL) {
        return dlerror();
    }
#define FIND(name) \
    *(void **)&r.name = dlsym(library, #name); \
    if (r.name == NULL) { \
        return dlerror(); \
    }
#define FIND_FUNCTION(type, name, parameters) FIND(name)
#define FIND_VARIABLE(type, name) FIND(name)
    R_FUNCTIONS(FIND_FUNCTION)
    R_VARIABLES(FIND_VARIABLE)
#define FIND_OPTIONAL(type, name, parameters) *(void **)&r.name = dlsym(library, #name);
    R_OPTIONAL_FUNCTIONS(FIND_OPTIONAL)
    return NULL;
}

bool r_api_load_template(void)
{
    bool complete = r.R_reInitTempDir != NULL;
#define FIND_NEEDED(name) complete = (*(void **)&r.name = dlsym(RTLD_DEFAULT, #name)) != NULL && complete;
#define FIND_NEEDED_FUNCTION(type, name, parameters) FIND_NEEDED(name)
#define FIND_NEEDED_VARIABLE(type, name) FIND_NEEDED(name)
    R_TEMPLATE_FUNCTIONS(FIND_NEEDED_FUNCTION)
    R_TEMPLATE_VARIABLES(FIND_NEEDED_VARIABLE)
    return complete;
}
