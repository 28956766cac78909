/* R's own start does nearly everything here, in its own order. It is stopped where a user's matters begin, before the site's profile:
 * the file that R takes for that profile has one call, which asks for a line and so comes to fork_point(). What R has read of its environment until then, a
 * session's process makes up for; then R reads the real profile through the same descriptor and goes on as always. */
#define _GNU_SOURCE
#include "template.h"
#include "engine.h"
#include "queue.h"
#include "r_api.h"

#include <fcntl.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define GREETING_LIMIT 8192
#define PARAMETERS_BYTES 1024 /* structRstart has about 150 and R fills it */
#define DEFAULT_HISTORY 512
/* R_SetParams makes the heap as small as it once began, so that the first thing to do would be a garbage collection, and counts
 * vectors in units of 8 bytes that it counted in bytes then. These are the sizes that R has by itself after its first collection. */
#define NODES "--min-nsize=660000"
#define VECTORS "--min-vsize=8388608"

struct template template;

static char greeting[GREETING_LIMIT];
static size_t greeting_size;
static int (*read_console)(const char *, unsigned char *, int, int);
static SEXP resume; /* closure of PREPARE, to be called in the session */

/* prepare(): loads what every session loads and puts it aside, so that each namespace appears when somebody first asks for it, with
 * its options and hooks, as if it were loaded then. The answer is called in the session, with nothing; it gives "" or a reason
 * why this process cannot become that session. */
static const char PREPARE[] =
    "(function() {\n"
    "  packages <- c('compiler', 'utils', 'grDevices', 'graphics', 'stats', 'datasets')\n"
    "  registry <- .Internal(getNamespaceRegistry())\n"
    "  settings <- list()\n"
    "  for (package in packages) {\n"
    "    before <- names(options())\n"
    "    loadNamespace(package, lib.loc = .Library)\n"
    "    settings[[package]] <- setdiff(names(options()), before)\n"
    "  }\n"
    "  namespaces <- mget(packages, registry)\n"
    "  imports <- lapply(namespaces, function(ns) intersect(packages, unique(names(getNamespaceImports(ns)))))\n"
    "  appear <- function(package) {\n"
    "    ns <- namespaces[[package]]\n"
    "    rm(list = package, envir = registry)\n"
    "    assign(package, ns, envir = registry)\n"
    "    for (import in imports[[package]]) getNamespace(import)\n"
    "    path <- getNamespaceInfo(ns, 'path')\n"
    "    if (length(settings[[package]])) {\n"
    "      load <- get('.onLoad', envir = ns, inherits = FALSE)\n"
    "      here <- new.env(parent = ns)\n"
    "      here$.osVersion <- function() get0('osVersion', ns)\n" /* which runs uname, and that is known by now */
    "      environment(load) <- here\n"
    "      load(dirname(path), package)\n"
    "    }\n"
    "    for (hook in getHook(packageEvent(package, 'onLoad'))) try(hook(package, path))\n"
    "    ns\n"
    "  }\n"
    "  hide <- function(package) {\n"
    "    force(package)\n"
    "    rm(list = package, envir = registry)\n"
    "    makeActiveBinding(package, function() appear(package), registry)\n"
    "  }\n"
    "  profile <- parse(file.path(R.home('library'), 'base', 'R', 'Rprofile'), keep.source = FALSE)\n"
    "  environment_is_read <- function(call) any(c('Sys.getenv', 'Sys.getlocale') %in% all.names(call)) ||\n"
    "    (identical(call[[1L]], quote(`<-`)) && identical(call[[2L]], quote(.Library.site)))\n"
    "  profile <- profile[vapply(profile, environment_is_read, NA)]\n"
    "  compiler::cmpfun(function(x) { for (i in x) if (i > 1) print(i[[1]] + x$y) else switch(i, a = 1); function(y) y })\n"
    "  attached <- setdiff(packages, 'compiler')\n"
    "  for (package in attached) require(package, quietly = TRUE, warn.conflicts = FALSE, character.only = TRUE)\n"
    "  for (package in attached) detach(paste0('package:', package), character.only = TRUE)\n"
    "  unused <- lapply(settings, function(names) options(structure(vector('list', length(names)), names = names)))\n"
    "  lapply(packages, hide)\n"
    "  early <- '^(_R_|R_GC|R_MAX_|R_NSIZE$|R_VSIZE$|R_PPSIZE$|R_BATCH$|R_TESTS$|R_DEFAULT_PACKAGES$|R_ARCH$)'\n"
    "  read_early <- function() {\n"
    "    all <- Sys.getenv()\n"
    "    all[grepl(early, names(all)) & nzchar(all)]\n"
    "  }\n"
    "  known <- read_early()\n"
    "  resume <- function() {\n"
    "    if (!identical(read_early(), known)) return('R has read another environment already')\n"
    "    here <- new.env(parent = .BaseNamespaceEnv)\n"
    "    here$assign <- function(x, value, envir)\n"
    "      if (!identical(get0(x, envir), value)) stop(x, ' would be another')\n"
    "    for (call in profile) eval(call, here)\n"
    "    assign('.Library.site', here$.Library.site, envir = globalenv())\n"
    "    ''\n"
    "  }\n"
    "  resume()\n"
    "  resume\n"
    "})()";

void template_write(const char *text, int size, int is_error)
{
    if (is_error || greeting_size + (size_t)size > GREETING_LIMIT) {
        ssize_t written = write(STDERR_FILENO, text, (size_t)size);
        (void)written;
        return;
    }
    memcpy(greeting + greeting_size, text, (size_t)size);
    greeting_size += (size_t)size;
}

static void end_template(const char *complaint)
{
    dprintf(STDERR_FILENO, "%s\n", complaint);
    _exit(1);
}

static void prepare(void)
{
    int status, failed = 0;
    SEXP text = r.Rf_protect(r.Rf_mkString(PREPARE));
    SEXP parsed = r.Rf_protect(r.R_ParseVector(text, -1, &status, *r.R_NilValue));
    resume = r.R_tryEvalSilent(r.VECTOR_ELT(parsed, 0), *r.R_BaseEnv, &failed);
    if (failed) {
        end_template(r.R_curErrorBuf());
    }
    r.R_PreserveObject(resume);
    r.Rf_unprotect(2);
    r.R_gc();
}

/* R's translations were bound and its greeting written in the template's language. */
static bool is_untranslated(void)
{
    const char *language = getenv("LANGUAGE"), *messages = setlocale(LC_MESSAGES, NULL);
    bool is_plain = messages == NULL || strcmp(messages, "POSIX") == 0 || messages[0] == 'C' || strncmp(messages, "en", 2) == 0;
    return is_plain && (language == NULL || language[0] == '\0' || strncmp(language, "en", 2) == 0);
}

static const char *adopt_locale(void)
{
    static const int categories[] = {LC_CTYPE, LC_COLLATE, LC_TIME, LC_MESSAGES, LC_MONETARY, LC_PAPER, LC_MEASUREMENT};
    for (size_t i = 0; i < sizeof categories / sizeof *categories; i++) {
        if (setlocale(categories[i], "") == NULL) {
            return "the locale is not there";
        }
    }
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0) {
        return "the locale's characters are not UTF-8";
    }
    return is_untranslated() ? NULL : "messages are in another language";
}

/* Sys.setlocale does for R what the C library's setlocale does not: formats, collation, the names of months. */
static const char *tell_r_of_locale(void)
{
    static const char TELL[] = "vapply(c('LC_CTYPE', 'LC_COLLATE', 'LC_TIME', 'LC_MONETARY'), Sys.setlocale, '', '')";
    int status, failed = 0;
    SEXP text = r.Rf_protect(r.Rf_mkString(TELL));
    SEXP parsed = r.Rf_protect(r.R_ParseVector(text, -1, &status, *r.R_NilValue));
    r.R_tryEvalSilent(r.VECTOR_ELT(parsed, 0), *r.R_BaseEnv, &failed);
    r.Rf_unprotect(2);
    return failed ? r.R_curErrorBuf() : NULL;
}

static void adopt_arguments(void)
{
    static char parameters[PARAMETERS_BYTES];
    int count = start.argc + 2;
    char **copy = malloc(((size_t)count + 1) * sizeof *copy);
    if (copy == NULL) {
        end_template("no memory");
    }
    memcpy(copy, start.argv, (size_t)start.argc * sizeof *copy);
    copy[start.argc] = NODES;
    copy[start.argc + 1] = VECTORS;
    copy[count] = NULL;
    r.R_set_command_line_arguments(start.argc, start.argv);
    r.R_DefParams(parameters);
    r.R_common_command_line(&count, copy, parameters);
    r.R_SetParams(parameters);
    *r.R_Interactive = 1;
    free(copy);
}

static void adopt_history(void)
{
    const char *file = getenv("R_HISTFILE"), *size = getenv("R_HISTSIZE");
    *r.R_HistoryFile = file ? strdup(file) : ".Rhistory";
    char *end = NULL;
    long lines = size ? strtol(size, &end, 10) : DEFAULT_HISTORY;
    *r.R_HistorySize = size && (end == size || *end || lines < 0) ? DEFAULT_HISTORY : (int)lines;
}

static void own_beginning(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    srand((unsigned)now.tv_nsec ^ (unsigned)(now.tv_sec << 16) ^ ((unsigned)getpid() << 4));
    r.R_setStartTime();
    tzset();
    temporary_folder_make();
}

static bool has_argument(const char *wanted)
{
    for (int i = 1; i < start.argc; i++) {
        if (strcmp(start.argv[i], wanted) == 0) {
            return true;
        }
    }
    return false;
}

/* R has read our call from its file for the site's profile and reads on there: in the real one, or in nothing. */
static void open_site_profile(void)
{
    char usual[PATH_MAX];
    snprintf(usual, sizeof usual, "%s/etc/Rprofile.site", getenv("R_HOME"));
    const char *named = getenv("R_PROFILE"), *path = named == NULL ? usual : named[0] ? r.R_ExpandFileName(named) : NULL;
    int file = path == NULL || has_argument("--no-site-file") ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    file = file < 0 ? open("/dev/null", O_RDONLY | O_CLOEXEC) : file;
    dup3(file, template.profile, O_CLOEXEC);
    close(file);
}

/* In the order of R's own start; NULL, or why this process cannot become the session. */
static const char *become_session(void)
{
    r.process_system_Renviron();
    adopt_arguments();
    r.process_site_Renviron();
    r.process_user_Renviron();
    const char *refusal = adopt_locale();
    refusal = refusal ? refusal : tell_r_of_locale();
    if (refusal != NULL) {
        return refusal;
    }
    adopt_history();
    own_beginning();
    int failed = 0;
    SEXP call = r.Rf_protect(r.Rf_lcons(resume, *r.R_NilValue));
    SEXP answer = r.R_tryEvalSilent(call, *r.R_BaseEnv, &failed);
    r.Rf_unprotect(1);
    if (failed) {
        return r.R_curErrorBuf();
    }
    const char *reason = r.R_CHAR(r.STRING_ELT(answer, 0));
    return reason[0] ? reason : NULL;
}

/* In the place of the function that reads the console: a profile that asks for a line comes here. */
static int fork_point(const char *prompt, unsigned char *buffer, int size, int history)
{
    *r.ptr_R_ReadConsole = read_console;
    jobs_prepare();
    prepare();
    rmdir(*r.R_TempDir);
    *r.R_TempDir = NULL;
    signals_set_aside();
    template.serve();
    signals_put_back();
    const char *refusal = become_session();
    if (refusal != NULL) {
        template.give_up(refusal);
    }
    open_site_profile();
    template.begin();
    template.waits = false;
    engine_connect();
    if (!has_argument("--quiet")) {
        console_write(greeting, (int)greeting_size, 0);
    }
    snprintf((char *)buffer, (size_t)size, "\n");
    return 1;
}

void template_rehearse(void)
{
    int failed = 0;
    tell_r_of_locale();
    SEXP call = r.Rf_protect(r.Rf_lcons(resume, *r.R_NilValue));
    r.R_tryEvalSilent(call, *r.R_BaseEnv, &failed);
    r.Rf_unprotect(1);
}

void template_run(void)
{
    template.waits = true;
    if (!r_api_load_template()) {
        end_template("this R lacks what a template needs");
    }
    engine_begin();
    read_console = *r.ptr_R_ReadConsole;
    *r.ptr_R_ReadConsole = fork_point;
    r.setup_Rmainloop();
    if (template.waits) {
        end_template("R has started without stopping for a session");
    }
    engine_loop();
}
