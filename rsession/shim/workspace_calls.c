/* The store as R code calls it. Every function answers a value, or one string with the class "rs_refusal". */
#define _GNU_SOURCE
#include "engine.h"
#include "stored_vectors.h"
#include "tracked_vectors.h"
#include "workspace.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))
#define BACKGROUND_PRIORITY 10

static SEXP nothing(void)
{
    return *wr.R_NilValue;
}

SEXP workspace_refusal(const char *text)
{
    SEXP answer = wr.Rf_protect(wr.Rf_mkString(text));
    SEXP class = wr.Rf_protect(wr.Rf_mkString("rs_refusal"));
    wr.Rf_setAttrib(answer, wr.Rf_install("class"), class);
    wr.Rf_unprotect(2);
    return answer;
}

bool workspace_take_catalog(struct catalog *catalog)
{
    catalog_free(&workspace.catalog);
    workspace.catalog = *catalog;
    return workspace_index();
}

static bool make_tickets(void)
{
    uint32_t count = (uint32_t)workspace.catalog.heading.entries;
    free(workspace.tickets);
    workspace.tickets = malloc((count + 1) * sizeof *workspace.tickets);
    workspace.ticket_count = workspace.tickets != NULL ? count : 0;
    for (uint32_t i = 0; i < workspace.ticket_count; i++) {
        workspace.tickets[i] = i;
    }
    return workspace.tickets != NULL;
}

/* rs_workspace_open(folder, loader): NULL, or the sentence why what is there cannot be used. The store is then empty and open.
 * FALSE when this R lacks a needed function: nothing can be kept. */
EXPORTED SEXP rs_workspace_open(SEXP folder, SEXP loader)
{
    struct catalog catalog;
    if (!workspace_r_find()) {
        return *(SEXP *)dlsym(RTLD_DEFAULT, "R_FalseValue");
    }
    if (!hash_available()) {
        return workspace_refusal("the library libxxhash is missing: objects cannot be kept");
    }
    snprintf(workspace.folder, sizeof workspace.folder, "%s", wr.Rf_translateCharUTF8(wr.STRING_ELT(folder, 0)));
    if (workspace.loader == NULL) {
        workspace.loader = loader;
        wr.R_PreserveObject(loader);
    }
    if (getrandom(&workspace.nonce, sizeof workspace.nonce, 0) != sizeof workspace.nonce) {
        workspace.nonce = (uint64_t)getpid();
    }
    stored_vectors_start();
    const char *complaint = catalog_read(&catalog, workspace.folder);
    workspace.is_open = true;
    if (complaint == NULL || strcmp(complaint, "none") == 0) {
        catalog_sweep(&catalog, workspace.folder);
    }
    if (complaint != NULL) {
        return strcmp(complaint, "none") == 0 ? nothing() : workspace_refusal(complaint);
    }
    return workspace_take_catalog(&catalog) && make_tickets() ? nothing() : workspace_refusal(catalog_no_memory);
}

/* rs_workspace_track(): "" when writes are tracked, or why everything is read for each snapshot. */
EXPORTED SEXP rs_workspace_track(void)
{
    const char *reason = tracked_start();
    return wr.Rf_mkString(reason == NULL ? "" : reason);
}

/* rs_workspace_distrust(): track no longer, a writer crashed. */
EXPORTED SEXP rs_workspace_distrust(void)
{
    tracked_distrust();
    return nothing();
}

/* rs_workspace_class_key(pointer): the pointer that class definitions hold is no connection to the outside. */
EXPORTED SEXP rs_workspace_class_key(SEXP pointer)
{
    workspace.class_key = wr.TYPEOF(pointer) == R_POINTER ? wr.R_ExternalPtrAddr(pointer) : NULL;
    return nothing();
}

static SEXP number_vector(SEXP list, int at, ptrdiff_t count)
{
    return wr.SET_VECTOR_ELT(list, at, wr.Rf_allocVector(R_REALS, count));
}

enum column { KIND, NAME, TYPE, FLAGS, BYTES, LENGTH, OWNER, TICKET, COLUMNS };

/* rs_workspace_entries(): columns kind, name, type, flags, bytes, length, owner, ticket (-1: cannot be asked for). */
EXPORTED SEXP rs_workspace_entries(void)
{
    const struct catalog *catalog = &workspace.catalog;
    ptrdiff_t count = workspace.is_open ? (ptrdiff_t)catalog->heading.entries : 0;
    SEXP answer = wr.Rf_protect(wr.Rf_allocVector(R_LIST, COLUMNS)), columns[COLUMNS];
    for (int i = 0; i < COLUMNS; i++) {
        columns[i] = i == NAME ? wr.SET_VECTOR_ELT(answer, i, wr.Rf_allocVector(R_STRINGS, count)) : number_vector(answer, i, count);
    }
    for (ptrdiff_t i = 0; i < count; i++) {
        const struct entry *entry = &catalog->entries[i];
        wr.SET_STRING_ELT(columns[NAME], i, wr.Rf_mkCharLenCE(catalog->text + entry->text, (int)entry->text_size, 1));
        wr.REAL(columns[KIND])[i] = entry->kind;
        wr.REAL(columns[TYPE])[i] = entry->type;
        wr.REAL(columns[FLAGS])[i] = entry->flags;
        wr.REAL(columns[BYTES])[i] = (double)entry->bytes;
        wr.REAL(columns[LENGTH])[i] = entry->length;
        wr.REAL(columns[OWNER])[i] = entry->owner == GLOBAL_OWNER ? -1.0 : (double)entry->owner;
        wr.REAL(columns[TICKET])[i] = -1;
    }
    for (uint32_t ticket = 0; ticket < workspace.ticket_count; ticket++) {
        if (workspace.tickets[ticket] != NO_NUMBER) {
            wr.REAL(columns[TICKET])[workspace.tickets[ticket]] = ticket;
        }
    }
    wr.Rf_unprotect(1);
    return answer;
}

static bool pack_is_whole(const struct pack *pack)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/pack-%llu", workspace.folder, (unsigned long long)pack->number);
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    off_t size = file >= 0 ? lseek(file, 0, SEEK_END) : -1;
    if (file >= 0) {
        close(file);
    }
    return size >= (off_t)pack->size;
}

/* rs_workspace_state(): c(generation, created, bytes, packs that are missing or too short, bytes visited, bytes written,
 * bytes that were not read). */
EXPORTED SEXP rs_workspace_state(void)
{
    const struct catalog *catalog = &workspace.catalog;
    SEXP answer = wr.Rf_allocVector(R_REALS, 7);
    double *values = wr.REAL(answer);
    values[0] = (double)catalog->heading.generation;
    values[1] = (double)catalog->heading.created / 1e6;
    values[2] = values[3] = 0;
    values[4] = (double)catalog->heading.visited;
    values[5] = (double)catalog->heading.written;
    values[6] = (double)catalog->heading.unread;
    for (uint64_t i = 0; i < catalog->heading.entries; i++) {
        values[2] += (double)catalog->entries[i].bytes;
    }
    for (uint64_t i = 0; i < catalog->heading.packs; i++) {
        values[3] += !pack_is_whole(&catalog->packs[i]);
    }
    return answer;
}

/* rs_workspace_r_version(): of the R that wrote the store. */
EXPORTED SEXP rs_workspace_r_version(void)
{
    return wr.Rf_mkString(workspace.catalog.heading.r_version);
}

static uint32_t entry_of(SEXP number)
{
    uint32_t ticket = (uint32_t)wr.Rf_asInteger(number);
    if (ticket >= workspace.ticket_count || workspace.tickets[ticket] == NO_NUMBER) {
        wr.Rf_error("the object cannot be restored: the store does not name it any more");
    }
    return workspace.tickets[ticket];
}

/* rs_workspace_load(ticket): the object. */
EXPORTED SEXP rs_workspace_load(SEXP ticket)
{
    return workspace_load(entry_of(ticket));
}

/* rs_workspace_bind(environment, name, ticket): bind it at once, as the promise or the active binding that it was. */
EXPORTED SEXP rs_workspace_bind(SEXP environment, SEXP name, SEXP ticket)
{
    uint32_t entry = entry_of(ticket);
    bool is_active = workspace.catalog.entries[entry].flags & FLAG_ACTIVE;
    SEXP symbol = wr.Rf_installTrChar(wr.STRING_ELT(name, 0)), value = wr.Rf_protect(workspace_load(entry));
    if (is_active) {
        wr.R_MakeActiveBinding(symbol, value, environment);
    } else {
        wr.Rf_defineVar(symbol, value, environment);
    }
    wr.Rf_unprotect(1);
    return nothing();
}

/* rs_workspace_adopt(environment, ticket): this is the environment of that entry. */
EXPORTED SEXP rs_workspace_adopt(SEXP environment, SEXP ticket)
{
    workspace_adopt(environment, entry_of(ticket));
    return nothing();
}

/* rs_workspace_unloaded(environment, names): for each the ticket of its object that is not loaded, or NA. */
EXPORTED SEXP rs_workspace_unloaded(SEXP environment, SEXP names)
{
    ptrdiff_t count = wr.Rf_xlength(names);
    SEXP answer = wr.Rf_protect(wr.Rf_allocVector(R_INTEGERS, count));
    for (ptrdiff_t i = 0; i < count; i++) {
        SEXP symbol = wr.Rf_installTrChar(wr.STRING_ELT(names, i));
        bool is_value = wr.R_existsVarInFrame(environment, symbol) && !wr.R_BindingIsActive(symbol, environment);
        uint32_t ticket = is_value ? ticket_of(wr.Rf_findVarInFrame(environment, symbol)) : NO_NUMBER;
        wr.INTEGER(answer)[i] = ticket == NO_NUMBER ? INT32_MIN : (int)ticket;
    }
    wr.Rf_unprotect(1);
    return answer;
}

/* rs_workspace_load_vectors(seconds): read vectors inside environments for that long; c(how many are left, bytes that were read). */
EXPORTED SEXP rs_workspace_load_vectors(SEXP seconds)
{
    double bytes = 0, left = (double)stored_vectors_load(wr.Rf_asReal(seconds), &bytes);
    SEXP answer = wr.Rf_allocVector(R_REALS, 2);
    wr.REAL(answer)[0] = left;
    wr.REAL(answer)[1] = bytes;
    return answer;
}

static bool is_loaded_promise(SEXP value)
{
    return wr.TYPEOF(value) == R_PROMISE && wr.PRVALUE(value) != *wr.R_UnboundValue && wr.TYPEOF(wr.PRCODE(value)) == R_CALL &&
           wr.CAR(wr.PRCODE(value)) == workspace.loader;
}

/* rs_workspace_unwrap(environment, names): bind the objects that were loaded as values, so that changing one does not copy it. */
EXPORTED SEXP rs_workspace_unwrap(SEXP environment, SEXP names)
{
    for (ptrdiff_t i = 0; i < wr.Rf_xlength(names); i++) {
        SEXP symbol = wr.Rf_installTrChar(wr.STRING_ELT(names, i));
        if (wr.R_existsVarInFrame(environment, symbol) && !wr.R_BindingIsActive(symbol, environment) &&
            !wr.R_BindingIsLocked(symbol, environment)) {
            SEXP value = wr.Rf_findVarInFrame(environment, symbol);
            if (is_loaded_promise(value)) {
                wr.Rf_defineVar(symbol, wr.PRVALUE(value), environment);
            }
        }
    }
    return nothing();
}

static void become_writer(bool is_background)
{
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "rsession-writer");
    setpgid(0, 0);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_DFL);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGABRT, SIG_DFL); /* R's own handlers of a crash would ask the user what to do */
    signal(SIGBUS, SIG_DFL);
    signal(SIGSEGV, SIG_DFL);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    /* ours is a fork of R: whatever would talk must not end up in the user's console */
    dup2(nowhere, STDIN_FILENO);
    dup2(nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
    if (is_background) {
        setpriority(PRIO_PROCESS, 0, BACKGROUND_PRIORITY);
    }
}

/* rs_workspace_snapshot(facts, attached, c(progress, compresses, is_background, limit, in_stages), R's version): the child's pid and
 * whether it writes only a stage. */
EXPORTED SEXP rs_workspace_snapshot(SEXP facts, SEXP attached, SEXP numbers, SEXP version)
{
    const double *wishes = wr.REAL(numbers);
    struct snapshot_wish wish = {
        .facts = facts, .attached = attached, .progress = (int)wishes[0], .compresses = wishes[1] != 0,
        .is_background = wishes[2] != 0, .limit = wishes[3], .r_version = wr.R_CHAR(wr.STRING_ELT(version, 0))};
    bool is_stage = tracked_prepare(attached, &workspace.catalog, wishes[4] != 0 ? tracked_stage_bytes() : SIZE_MAX);
    pid_t parent = getpid(), child = fork();
    if (child != 0) {
        tracked_forked();
    }
    if (child < 0) {
        return workspace_refusal(strerror(errno));
    }
    if (child == 0) {
        become_writer(wish.is_background);
        tracked_enter_child();
        if (getppid() != parent) {
            _exit(1);
        }
        (is_stage ? snapshot_write_stage : snapshot_write)(&wish);
    }
    SEXP answer = wr.Rf_allocVector(R_INTEGERS, 2);
    wr.INTEGER(answer)[0] = child;
    wr.INTEGER(answer)[1] = is_stage;
    return answer;
}

/* rs_workspace_wait(pid): until the writer has ended. */
EXPORTED SEXP rs_workspace_wait(SEXP pid)
{
    int status = 0;
    while (waitpid(wr.Rf_asInteger(pid), &status, 0) < 0 && errno == EINTR) {
    }
    return wr.Rf_ScalarInteger(status);
}

/* Unloaded objects keep their tickets, whose entries now have other numbers. */
static bool renumber_tickets(void)
{
    const struct catalog *catalog = &workspace.catalog;
    bool is_pending = false;
    for (uint32_t i = 0; i < workspace.ticket_count; i++) {
        workspace.tickets[i] = NO_NUMBER;
    }
    for (uint32_t i = 0; i < catalog->heading.entries; i++) {
        const struct entry *entry = &catalog->entries[i];
        if (entry->flags & FLAG_CARRIED && entry->kind == ENTRY_BINDING && entry->ticket < workspace.ticket_count) {
            workspace.tickets[entry->ticket] = i;
            is_pending = true;
        }
    }
    return is_pending;
}

/* rs_workspace_settle(): take over the manifest that a writer has left, remove what it does not name. */
EXPORTED SEXP rs_workspace_settle(void)
{
    struct catalog catalog;
    const char *complaint = catalog_read(&catalog, workspace.folder);
    if (complaint != NULL) {
        return workspace_refusal(complaint);
    }
    if (!workspace_take_catalog(&catalog)) {
        return workspace_refusal(catalog_no_memory);
    }
    if (!renumber_tickets()) {
        workspace_forget_restored();
    }
    catalog_sweep(&workspace.catalog, workspace.folder);
    return nothing();
}

/* rs_workspace_leave(status): the process ends with this status before R reads another line. */
EXPORTED SEXP rs_workspace_leave(SEXP status)
{
    request_exit(wr.Rf_asInteger(status));
    return nothing();
}

/* rs_workspace_keep_seed(): the random state that the running job sets is meant to stay. */
EXPORTED SEXP rs_workspace_keep_seed(void)
{
    job_sets_seed = true;
    return nothing();
}
