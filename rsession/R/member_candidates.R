# Members behind $, @ and inside [ and [[, and arguments of calls.

# S3 classes may define how they are completed; that hook is the one method that is called
member_candidates <- function(x) {
  if (is.environment(x)) return(environment_members(x))
  names <- attr(x, "names", exact = TRUE)
  if (is.object(x) && !inherits(x, "data.frame")) names <- c(names, hook_names(x))
  names <- unique(names[nzchar(names) & !is.na(names)])
  if (is.list(x)) list_members(x, names) else candidates(backquoted(names), "variable")
}

environment_members <- function(x) {
  names <- by_name(ls(x, all.names = TRUE, sorted = FALSE))
  binding_candidates(x, names[!startsWith(names, ".__")])
}

list_members <- function(x, names) {
  kind <- if (inherits(x, "data.frame")) "column" else "variable"
  values <- .subset(x, match(names, attr(x, "names", exact = TRUE)))
  kinds <- ifelse(vapply(values, is.function, NA), "function", kind)
  candidates(backquoted(names), kinds, vapply(values, function(value) class(value)[[1L]], ""))
}

hook_names <- function(x) {
  has_hook <- vapply(class(x), function(class) !is.null(utils::getS3method(".DollarNames", class, optional = TRUE)), NA)
  if (!any(has_hook)) return(NULL)
  sub("[ (].*$", "", tryCatch(as.character(utils::.DollarNames(x, "")), error = function(e) character()))
}

slot_candidates <- function(x) {
  names <- if (isS4(x)) slot_names(x) else names(attributes(x))
  candidates(backquoted(as.character(names)), "variable")
}

# Names that may stand in quotes between the brackets of an index
index_candidates <- function(x) {
  dimnames <- attr(x, "dimnames", exact = TRUE)
  names <- if (is.environment(x)) ls(x, sorted = TRUE) else c(unlist(dimnames[-1L]), attr(x, "names", exact = TRUE))
  if (is.null(attr(x, "names", exact = TRUE)) && length(dimnames)) names <- c(names, dimnames[[1L]])
  names <- unique(as.character(names))
  candidates(gsub("\"", "\\\"", names[nzchar(names)], fixed = TRUE), if (inherits(x, "data.frame")) "column" else "variable")
}

arguments <- new.env()

argument_candidates <- function(chain) {
  f <- function_value(chain)
  if (is.null(f)) return(candidates(character(), "argument"))
  cached <- arguments[[chain]]
  if (is.null(cached) || !identical(cached$f, f)) {
    if (length(arguments) > 500L) rm(list = ls(arguments, all.names = TRUE), envir = arguments)
    cached <- list(f = f, names = argument_names(f, sub("^.*[:$@]", "", chain)))
    assign(chain, cached, envir = arguments)
  }
  candidates(if (length(cached$names)) paste0(backquoted(cached$names), " = "), "argument", chain)
}

argument_names <- function(f, name) {
  described <- args(f)
  own <- if (is.function(described)) names(formals(described))
  methods <- if (is_generic(f)) unlist(lapply(methods_of(f, name), function(method) names(formals(method))))
  setdiff(unique(c(own, methods)), "...")
}

is_generic <- function(f) !is.primitive(f) && "UseMethod" %in% all.names(body(f))

# By name from the table of registered methods: utils::methods() takes 300 ms for plot
methods_of <- function(f, name) {
  default <- function_value(paste0(name, ".default"))
  table <- topenv(environment(f))[[".__S3MethodsTable__."]]
  if (!is.environment(table)) return(list(default)[!is.null(default)])
  known <- by_name(ls(table, sorted = FALSE))
  c(list(default)[!is.null(default)], mget(known[startsWith(known, paste0(name, "."))], envir = table))
}
