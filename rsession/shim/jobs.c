/* Calls of R functions in the session's hidden environment while R waits for a line. */
#define _GNU_SOURCE
#include "asking.h"
#include "engine.h"
#include "json.h"
#include "queue.h"
#include "r_api.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESULT_LIMIT ((size_t)64 << 20)
#define EMIT_LIMIT ((size_t)8 << 20)

enum result_kind { RESULT_JSON, RESULT_RAW, RESULT_ERROR };

bool job_runs, job_sets_seed;

static const char PREPARE[] =
    "(function(emit, ask, files) {\n"
    "  environment <- new.env(parent = .BaseNamespaceEnv)\n"
    "  environment$.rs_emit <- function(type, value = NULL) invisible(.Call(emit, type, value))\n"
    "  environment$.rs_ask <- function(type, text = '') .Call(ask, type, text)\n"
    "  failed <- character()\n"
    "  for (file in files) tryCatch(\n"
    "    sys.source(file, environment, keep.source = FALSE),\n"
    "    error = function(e) failed <<- c(failed, paste0(file, ': ', conditionMessage(e))))\n"
    "  run <- function(name, ...) tryCatch(\n"
    "    suppressWarnings(get(name, envir = environment, mode = 'function', inherits = FALSE)(...)),\n"
    "    error = function(e) structure(list(conditionMessage(e)), class = 'rs_error'),\n"
    "    interrupt = function(e) structure(list('interrupted'), class = 'rs_error'))\n"
    "  own <- c(run, as.list(environment, all.names = TRUE))\n"
    "  list(run, own, if (length(failed)) structure(list(paste(failed, collapse = '\\n')), class = 'rs_error'))\n"
    "})";

static SEXP runner;
static struct buffer emitted = {.limit = EMIT_LIMIT};

struct evaluation {
    struct job *job;
    struct buffer result;
    enum result_kind kind;
    bool finished;
};

static void post_result(long long number, struct evaluation *evaluation)
{
    exchange_lock();
    put_segment(RESULT, number * 4 + evaluation->kind, evaluation->result.data, evaluation->result.size, NULL, 0);
    wake_reactor(true);
    exchange_unlock();
}

static void set_error(struct evaluation *evaluation, const char *message)
{
    evaluation->result.size = 0;
    evaluation->result.overflow = false;
    evaluation->kind = RESULT_ERROR;
    json_write_text(&evaluation->result, message, strlen(message));
}

static void convert(struct evaluation *evaluation, SEXP value)
{
    const char *refusal = NULL;
    if (r.TYPEOF(value) == RAW_VECTOR) {
        evaluation->kind = RESULT_RAW;
        buffer_append(&evaluation->result, (const char *)r.RAW(value), (size_t)r.Rf_xlength(value));
        refusal = evaluation->result.overflow ? "the value is too large" : NULL;
    } else if (r.Rf_inherits(value, "rs_error")) {
        evaluation->kind = RESULT_ERROR;
        refusal = json_write(&evaluation->result, r.VECTOR_ELT(value, 0));
    } else {
        refusal = json_write(&evaluation->result, value);
    }
    if (refusal != NULL) {
        set_error(evaluation, refusal);
    }
}

/* Evaluates `call` (protected by the caller) in base; NULL after an error, which is then the result. */
static SEXP evaluate(struct evaluation *evaluation, SEXP call)
{
    int failed = 0;
    SEXP value = r.R_tryEvalSilent(call, *r.R_BaseEnv, &failed);
    if (failed) {
        set_error(evaluation, r.R_curErrorBuf());
        return NULL;
    }
    return value;
}

static SEXP argument_list(const struct job *job)
{
    SEXP arguments = *r.R_NilValue;
    for (int i = job->arguments - 1; i >= 0; i--) {
        r.Rf_protect(arguments);
        SEXP text = r.Rf_protect(r.Rf_mkCharLenCE(job->texts[i], (int)job->sizes[i], ENCODED_UTF8));
        SEXP string = r.Rf_protect(r.Rf_ScalarString(text));
        arguments = r.Rf_cons(string, arguments);
        r.Rf_unprotect(3);
    }
    return arguments;
}

static void evaluate_job(void *data)
{
    struct evaluation *evaluation = data;
    SEXP arguments = r.Rf_protect(argument_list(evaluation->job));
    SEXP call = r.Rf_protect(r.Rf_lcons(runner, arguments));
    SEXP value = evaluate(evaluation, call);
    if (value != NULL) {
        r.Rf_protect(value);
        convert(evaluation, value);
        r.Rf_unprotect(1);
    }
    r.Rf_unprotect(2);
    evaluation->finished = true;
}

/* NULL for an active binding: to look at it would run what the user bound, which may fail. */
static SEXP random_seed(SEXP name)
{
    bool exists = true;
    if (r.R_existsVarInFrame != NULL) {
        exists = r.R_existsVarInFrame(*r.R_GlobalEnv, name);
    } else if (r.Rf_findVarInFrame3 != NULL) {
        exists = r.Rf_findVarInFrame3(*r.R_GlobalEnv, name, 0) != *r.R_UnboundValue;
    }
    if (!exists) {
        return *r.R_UnboundValue;
    }
    return r.R_BindingIsActive(name, *r.R_GlobalEnv) ? NULL : r.Rf_findVarInFrame(*r.R_GlobalEnv, name);
}

static void restore_seed(SEXP name, SEXP seed)
{
    SEXP now = seed == NULL ? NULL : random_seed(name);
    if (now == NULL || now == seed) {
        return;
    }
    if (seed == *r.R_UnboundValue) {
        r.R_removeVarFromFrame(name, *r.R_GlobalEnv);
    } else {
        r.Rf_defineVar(name, seed, *r.R_GlobalEnv);
    }
}

/* Runs `body` so that neither an R error nor its traces reach the user. */
static void run_silently(void (*body)(void *), struct evaluation *evaluation)
{
    int visible = *r.R_Visible;
    SEXP name = r.Rf_install(".Random.seed"), seed = random_seed(name);
    r.Rf_protect(seed == NULL ? *r.R_NilValue : seed);
    evaluation->result.limit = RESULT_LIMIT;
    job_runs = true;
    r.R_ToplevelExec(body, evaluation);
    if (!evaluation->finished) {
        set_error(evaluation, "interrupted");
    }
    job_runs = false;
    if (!job_sets_seed) {
        restore_seed(name, seed);
    }
    job_sets_seed = false;
    r.Rf_unprotect(1);
    *r.R_Visible = visible;
}

void job_run(void)
{
    exchange_lock();
    struct job *job = take_job();
    exchange_unlock();
    if (job != NULL) {
        struct evaluation evaluation = {.job = job};
        run_silently(evaluate_job, &evaluation);
        post_result(job->number, &evaluation);
        job_free(job);
    }
}

static void put_emitted(const char *type)
{
    char *text = malloc(emitted.size ? emitted.size : 1);
    if (text != NULL) {
        memcpy(text, emitted.data, emitted.size);
        exchange_lock();
        if (!job_runs) {
            wait_for_room();
        }
        put_segment(EMITTED, 0, strdup(type), strlen(type), text, emitted.size);
        wake_reactor(true);
        exchange_unlock();
    }
}

/* .Call entry of `.rs_emit`. */
static SEXP emit(SEXP type, SEXP value)
{
    if (r.TYPEOF(type) != STRING_VECTOR || r.Rf_xlength(type) != 1) {
        r.Rf_error("the type of an event must be one string");
    }
    emitted.size = 0;
    emitted.overflow = false;
    const char *refusal = json_write(&emitted, value);
    if (refusal != NULL) {
        r.Rf_error("%s", refusal);
    }
    if (!in_child) {
        put_emitted(r.R_CHAR(r.STRING_ELT(type, 0)));
    }
    return *r.R_NilValue;
}

static SEXP source_paths(void)
{
    SEXP paths = r.Rf_protect(r.Rf_allocVector(STRING_VECTOR, start.sources));
    for (int i = 0; i < start.sources; i++) {
        const char *path = start.source_paths[i];
        r.SET_STRING_ELT(paths, i, r.Rf_mkCharLenCE(path, (int)strlen(path), ENCODED_UTF8));
    }
    r.Rf_unprotect(1);
    return paths;
}

static SEXP entry_point(void *function)
{
    return r.R_MakeExternalPtrFn(function, r.Rf_install("native symbol"), *r.R_NilValue);
}

static SEXP parsed_prepare_call(void)
{
    int status;
    SEXP text = r.Rf_protect(r.Rf_mkString(PREPARE));
    SEXP parsed = r.Rf_protect(r.R_ParseVector(text, -1, &status, *r.R_NilValue));
    SEXP paths = r.Rf_protect(source_paths());
    SEXP arguments = r.Rf_protect(r.Rf_cons(paths, *r.R_NilValue));
    arguments = r.Rf_protect(r.Rf_cons(r.Rf_protect(entry_point((void *)ask_from_r)), arguments));
    arguments = r.Rf_protect(r.Rf_cons(r.Rf_protect(entry_point((void *)emit)), arguments));
    SEXP call = r.Rf_lcons(r.VECTOR_ELT(parsed, 0), arguments);
    r.Rf_unprotect(8);
    return call;
}

/* Compiling our functions would load R's compiler, 15 MB, into sessions whose users never compile anything. */
static void keep_uncompiled(SEXP functions)
{
    for (ptrdiff_t i = 0; r.SET_NOJIT != NULL && i < r.Rf_xlength(functions); i++) {
        SEXP function = r.VECTOR_ELT(functions, i);
        if (r.TYPEOF(function) == CLOSURE) {
            r.SET_NOJIT(function);
        }
    }
}

static void evaluate_prepare(void *data)
{
    struct evaluation *evaluation = data;
    SEXP call = r.Rf_protect(parsed_prepare_call());
    SEXP value = evaluate(evaluation, call);
    if (value != NULL) {
        r.Rf_protect(value);
        runner = r.VECTOR_ELT(value, 0);
        r.R_PreserveObject(runner);
        keep_uncompiled(r.VECTOR_ELT(value, 1));
        convert(evaluation, r.VECTOR_ELT(value, 2));
        r.Rf_unprotect(1);
    }
    r.Rf_unprotect(1);
    evaluation->finished = true;
}

bool jobs_prepare(void)
{
    static bool tried;
    if (!tried) {
        tried = true;
        struct evaluation evaluation = {0};
        run_silently(evaluate_prepare, &evaluation);
        post_result(0, &evaluation);
        malloc_trim(0);
    }
    return true;
}

static char *text_of(struct evaluation *evaluation)
{
    struct buffer *result = &evaluation->result;
    char *text = result->size > 0 || evaluation->kind != RESULT_RAW ? calloc(1, result->size + 1) : NULL;
    if (text != NULL && result->size > 0) {
        memcpy(text, result->data, result->size);
    }
    free(result->data);
    return text;
}

char *call_hidden(const char *name)
{
    size_t size = strlen(name);
    char *texts[] = {(char *)name};
    struct job job = {.arguments = 1, .sizes = &size, .texts = texts};
    struct evaluation evaluation = {.job = &job};
    jobs_prepare();
    if (runner == NULL) {
        return strdup("the session's own R code is missing");
    }
    run_silently(evaluate_job, &evaluation);
    return text_of(&evaluation);
}
