# Values of chains such as a$b, pkg::a and a@b, read without evaluating a call, a promise or an active binding.

# list(value = …) or NULL when it cannot be had without running something
chain_value <- function(chain) {
  parsed <- tryCatch(parse(text = chain, keep.source = FALSE)[[1L]], error = function(e) NULL)
  if (is.null(parsed)) NULL else expression_value(parsed)
}

expression_value <- function(e) {
  if (is.symbol(e)) return(symbol_value(as.character(e)))
  if (!is.call(e) || length(e) != 3L || !is.symbol(e[[1L]])) return(NULL)
  operator <- as.character(e[[1L]])
  name <- as.character(e[[3L]])
  if (operator %in% c("::", ":::")) return(package_value(as.character(e[[2L]]), name))
  if (!operator %in% c("$", "@")) return(NULL)
  of <- expression_value(e[[2L]])
  if (is.null(of)) NULL else if (operator == "$") member_value(of$value, name) else slot_value(of$value, name)
}

symbol_value <- function(name) {
  env <- where_bound(name)
  if (is.null(env)) NULL else bound_value(env, name)
}

bound_value <- function(env, name) {
  if (is_readable(env, name)) list(value = .subset2(env, name)) else NULL
}

package_value <- function(package, name) {
  if (!package %in% loadedNamespaces()) return(NULL)
  namespace <- asNamespace(package)
  if (exists(name, envir = namespace, inherits = FALSE)) return(bound_value(namespace, name))
  attached <- match(paste0("package:", package), search())
  if (is.na(attached) || !exists(name, envir = as.environment(attached), inherits = FALSE)) return(NULL)
  bound_value(as.environment(attached), name)
}

member_value <- function(x, name) {
  if (is.environment(x)) return(if (exists(name, envir = x, inherits = FALSE)) bound_value(x, name))
  if (!is.list(x) || !name %in% attr(x, "names", exact = TRUE)) return(NULL)
  list(value = .subset2(x, name))
}

slot_value <- function(x, name) {
  if (isS4(x) && name %in% slot_names(x)) list(value = attr(x, name, exact = TRUE)) else NULL
}

slot_names <- function(x) {
  definition <- methods::getClassDef(class(x)[[1L]])
  if (is.null(definition)) character() else names(definition@slots)
}

# The function a call would find: like R, a variable of that name that is no function is passed over
function_value <- function(chain) {
  if (grepl("[:$@]", chain)) {
    found <- chain_value(chain)
    return(if (!is.null(found) && is.function(found$value)) found$value)
  }
  name <- gsub("`", "", chain, fixed = TRUE)
  env <- globalenv()
  while (!identical(env, emptyenv())) {
    if (exists(name, envir = env, inherits = FALSE)) {
      found <- bound_value(env, name)
      if (is.null(found)) return(NULL)
      if (is.function(found$value)) return(found$value)
    }
    env <- parent.env(env)
  }
  NULL
}
