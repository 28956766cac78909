# Everything about a session that is not an object: taken down before a snapshot, set again after a resume.

PRIVATE_VARIABLES <- paste0("^(RS_.*|RSTUDIO.*|R_HOME|R_SHARE_DIR|R_INCLUDE_DIR|R_DOC_DIR|R_ARCH|R_SESSION_TMPDIR|R_LIBS|R_LIBS_USER|",
  "R_LIBS_SITE|R_PLATFORM|LD_LIBRARY_PATH|PWD|OLDPWD|SHLVL|_|HOME|USER|LOGNAME|XDG_.*|TMPDIR)$")
LOCALE_CATEGORIES <- c("LC_COLLATE", "LC_CTYPE", "LC_MONETARY", "LC_NUMERIC", "LC_TIME")
OWN_OPTIONS <- c("device", "pager", "browser", "editor")

note_baseline <- function() {
  workspace$options <- options()
  workspace$variables <- Sys.getenv()
  workspace$libraries <- .libPaths()
  workspace$locale <- current_locale()
}

# What the profiles of this process had set, for a later process that does not run the user's
profile_facts <- function() {
  at_start <- names(variables_at_start())
  made <- workspace$variables[setdiff(names(workspace$variables), at_start)]
  options <- workspace$options[setdiff(names(workspace$options), OWN_OPTIONS)]
  list(options = options, variables = own_variables(made))
}

variables_at_start <- function() {
  file <- file("/proc/self/environ", "rb")
  on.exit(close(file))
  bytes <- readBin(file, "raw", 1048576L)
  bytes[bytes == 0L] <- as.raw(10L)
  lines <- strsplit(rawToChar(bytes), "\n", fixed = TRUE, useBytes = TRUE)[[1L]]
  lines <- lines[grepl("^[A-Za-z_][A-Za-z0-9_]*=", lines, useBytes = TRUE)]
  structure(sub("^[^=]*=", "", lines, useBytes = TRUE), names = sub("=.*", "", lines, useBytes = TRUE))
}

# A variable that is here already comes from the system or from .Renviron, which may have changed
set_as_profile_did <- function(profile) {
  now <- options()
  set <- profile$options
  differs <- vapply(names(set), function(name) !identical(set[[name]], now[[name]]), NA)
  for (name in names(set)[differs]) try(options(set[name]), silent = TRUE)
  missing <- profile$variables[setdiff(names(profile$variables), names(Sys.getenv()))]
  if (length(missing)) do.call(Sys.setenv, missing)
}

current_locale <- function() vapply(LOCALE_CATEGORIES, Sys.getlocale, "")

# A .Random.seed that makes an error, when it is a promise or an active binding, is no reason to keep nothing
kind_of_random_numbers <- function() tryCatch(RNGkind(), error = function(e) NULL)

session_facts <- function() {
  list(
    search = search(),
    attached = names_of(attached_environments()),
    namespaces = setdiff(c(loadedNamespaces(), workspace$wanted), c("base", sub("^package:", "", search()))),
    libraries = .libPaths(),
    directory = tryCatch(getwd(), error = function(e) NULL),
    options = changed_options(),
    variables = changed_variables(),
    locale = current_locale(),
    kind = kind_of_random_numbers(),
    umask = as.integer(Sys.umask(NA)),
    plots = c(mget(c("pages", "count"), envir = plots), list(device = device_facts())),
    callbacks = task_callbacks(),
    devices = other_devices()
  )
}

changed_options <- function() {
  now <- options()
  before <- workspace$options
  same <- vapply(names(now), function(name) identical(now[[name]], before[[name]]), NA)
  list(set = now[!same], unset = setdiff(names(before), names(now)))
}

changed_variables <- function() {
  now <- Sys.getenv()
  before <- workspace$variables
  set <- now[is.na(match(names(now), names(before))) | now != before[names(now)]]
  unset <- setdiff(names(before), names(now))
  list(set = own_variables(set), unset = setdiff(unset[!grepl(PRIVATE_VARIABLES, unset)], workspace$ephemeral))
}

own_variables <- function(values) {
  values <- unclass(values)
  as.list(values[!grepl(PRIVATE_VARIABLES, names(values)) & !names(values) %in% workspace$ephemeral])
}

# Environments that attach() made of data, as they stand on the search path
attached_environments <- function() {
  environments <- list()
  for (position in seq_along(search())[-1L]) {
    env <- as.environment(position)
    if (!is_package_env(env) && search()[[position]] != "Autoloads") environments <- c(environments, list(env))
  }
  environments
}

names_of <- function(environments) vapply(environments, function(env) paste0("", attr(env, "name", exact = TRUE))[[1L]], "")

# Sets what it can; returns sentences about the rest
apply_facts <- function(facts, same_version) {
  complaints <- character()
  attempt <- function(what, code) {
    tryCatch(code, error = function(e) complaints <<- c(complaints, paste0(what, ": ", conditionMessage(e))))
  }
  attempt("environment variables", set_variables(facts$variables))
  attempt("locale", set_locale(facts$locale))
  if (same_version) attempt("library paths", set_libraries(facts$libraries))
  complaints <- c(complaints, attach_packages(facts$search))
  attempt("options", set_options(facts$options))
  attempt("working directory", set_directory(facts$directory))
  attempt("random numbers", set_kind(facts$kind))
  attempt("umask", if (!is.null(facts$umask)) Sys.umask(as.octmode(facts$umask)))
  attempt("plots", restore_plots(facts$plots, same_version))
  c(complaints, not_kept(facts))
}

# R shows no more of them than their names
task_callbacks <- function() setdiff(getTaskCallbackNames(), c("rsession.plots", "rsession.batch"))

# Those that are no plots of the page, as files of pdf()
other_devices <- function() {
  open <- grDevices::dev.list()
  names(open)[open != plots$device | !has_device()]
}

not_kept <- function(facts) {
  callbacks <- setdiff(facts$callbacks, task_callbacks())
  c(
    if (length(callbacks)) paste0("These task callbacks are not kept, call addTaskCallback() again: ", paste(callbacks, collapse = ", "), "."),
    if (length(facts$devices)) paste0("These graphics devices were closed: ", paste(facts$devices, collapse = ", "), ".")
  )
}

set_variables <- function(variables) {
  if (length(variables$set)) do.call(Sys.setenv, variables$set)
  Sys.unsetenv(variables$unset)
}

set_locale <- function(locale) {
  for (category in names(locale)) {
    if (!identical(Sys.getlocale(category), locale[[category]])) Sys.setlocale(category, locale[[category]])
  }
}

set_libraries <- function(libraries) {
  if (!identical(libraries, .libPaths())) .libPaths(libraries)
}

set_options <- function(changed) {
  changed$set <- changed$set[setdiff(names(changed$set), OWN_OPTIONS)]
  for (name in names(changed$set)) try(options(changed$set[name]), silent = TRUE)
  for (name in changed$unset) options(structure(list(NULL), names = name))
}

set_directory <- function(directory) {
  if (is.null(directory)) return(invisible())
  if (!dir.exists(directory)) stop("the folder ", directory, " is not there any more")
  setwd(directory)
}

set_kind <- function(kind) {
  if (is.null(kind) || identical(kind, kind_of_random_numbers())) return(invisible())
  .Call(workspace$calls$keep_seed)
  if (any(kind == "user-supplied")) stop("a user-supplied generator must be set again")
  suppressWarnings(RNGkind(kind[[1L]], kind[[2L]], kind[[3L]]))
}

# Where to attach what was not yet attached: before the next thing behind it that is there
search_place <- function(name, wanted) {
  behind <- match(wanted[seq_along(wanted) > match(name, wanted, nomatch = 1L)], search())
  behind <- behind[!is.na(behind)]
  max(2L, if (length(behind)) behind[[1L]] else 2L)
}

# From the end of the search path to its front
attach_packages <- function(wanted) {
  packages <- rev(sub("^package:", "", wanted[startsWith(wanted, "package:")]))
  missing <- character()
  for (package in packages) {
    if (paste0("package:", package) %in% search()) next
    attached <- tryCatch(
      library(package, pos = search_place(paste0("package:", package), wanted), character.only = TRUE, warn.conflicts = FALSE, quietly = TRUE, logical.return = TRUE),
      error = function(e) FALSE
    )
    if (!attached) missing <- c(missing, package)
  }
  if (length(missing)) paste0("These packages cannot be attached again: ", paste(missing, collapse = ", "), ".") else character()
}
