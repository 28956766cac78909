# What is bound to a name, without evaluating promises or running active bindings: answers of rs_probe in shim/bindings.c.

UNFORCED <- -1L
ACTIVE <- -2L

bindings <- new.env()

bindings_load <- function(library) {
  address <- getNativeSymbolInfo("rs_probe", dyn.load(library))$address
  bindings$probe <- function(env, names) .Call(address, env, names)
  invisible()
}

# list(type, length, fingerprint), each as long as `names`
probe <- function(env, names) bindings$probe(env, names)

is_readable <- function(env, name) {
  type <- probe(env, name)[[1L]]
  type >= 0L || (type == UNFORCED && is_package_env(env))
}

# A package's promises are its lazily loaded objects: reading them runs nothing of the user's.
is_package_env <- function(env) {
  isNamespace(env) || identical(env, baseenv()) || startsWith(as.character(environmentName(env))[1L], "package:") ||
    startsWith(paste0("", attr(env, "name", exact = TRUE)), "package:")
}

# The first environment of the search path that has the name, or NULL
where_bound <- function(name) {
  env <- globalenv()
  while (!identical(env, emptyenv())) {
    if (exists(name, envir = env, inherits = FALSE)) return(env)
    env <- parent.env(env)
  }
  NULL
}

# In byte order, whatever the locale; names that are not valid in the session's encoding stay unsorted
by_name <- function(names) tryCatch(sort(names, method = "radix"), error = function(e) names)
