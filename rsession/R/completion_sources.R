# Where names to complete come from. A source is list(text, kind, detail) of equally long character vectors.

KEYWORDS <- c(
  "if", "else", "for", "while", "repeat", "function", "break", "next", "in", "TRUE", "FALSE", "NULL", "NA", "NaN", "Inf",
  "NA_integer_", "NA_real_", "NA_character_", "NA_complex_"
)
FILE_LIMIT <- 20000L

candidates <- function(text, kind, detail = "") {
  text <- as.character(text)
  n <- length(text)
  list(text = text, kind = rep_len(kind, n), detail = rep_len(detail, n))
}

combine <- function(...) {
  sources <- list(...)
  parts <- lapply(c(text = "text", kind = "kind", detail = "detail"), function(field) {
    unlist(lapply(sources, `[[`, field), use.names = FALSE)
  })
  keep <- !duplicated(paste(parts$text, parts$kind == "argument"))
  lapply(parts, function(part) part[keep])
}

select <- function(source, keep) lapply(source, `[`, keep)

# Exact beginnings first, then those that differ in upper and lower case
matching <- function(source, token) {
  names <- if (startsWith(token, "`")) source$text else sub("^`", "", source$text)
  exact <- startsWith(names, token)
  loose <- !exact & startsWith(tolower(names), tolower(token))
  select(source, c(which(exact), which(loose)))
}

backquoted <- function(names) {
  plain <- make.names(names) == names
  names[!plain] <- paste0("`", gsub("`", "\\`", names[!plain], fixed = TRUE), "`")
  names
}

# Kinds without touching a promise or an active binding
binding_candidates <- function(env, names, detail = "") {
  types <- if (length(names)) probe(env, names)[[1L]] else integer()
  candidates(backquoted(names), ifelse(is_function_type(types, env), "function", "variable"), detail)
}

# What a namespace has not loaded yet is nearly always a function
is_function_type <- function(types, env) types %in% c(3L, 7L, 8L) | (types == UNFORCED & isNamespace(env))

search_candidates <- function(token) {
  hidden <- startsWith(token, ".")
  found <- lapply(seq_along(search()), function(i) {
    env <- as.environment(i)
    if (startsWith(search()[[i]], "package:")) return(matching(attached_candidates(env, search()[[i]]), token))
    names <- ls(env, all.names = hidden, sorted = FALSE)
    names <- names[startsWith(tolower(names), tolower(token))]
    binding_candidates(env, by_name(names))
  })
  do.call(combine, found)
}

attached <- new.env()

# An attached package is locked, so its names are read once
attached_candidates <- function(env, name) {
  count <- length(env)
  cached <- attached[[name]]
  if (!is.null(cached) && identical(cached$env, env) && cached$count == count) return(cached$source)
  names <- by_name(ls(env, all.names = TRUE, sorted = FALSE))
  names <- names[!startsWith(names, ".__") & !names %in% KEYWORDS]
  types <- probe(env, names)[[1L]]
  package <- substring(name, 9L)
  is_data <- types == UNFORCED & names %in% data_names(package)
  is_function <- types %in% c(3L, 7L, 8L) | (types == UNFORCED & !is_data)
  source <- candidates(backquoted(names), ifelse(is_function, "function", "variable"), package)
  assign(name, list(env = env, count = count, source = source), envir = attached)
  source
}

data_names <- function(package) {
  data <- tryCatch(getNamespaceInfo(asNamespace(package), "lazydata"), error = function(e) NULL)
  if (is.environment(data)) by_name(ls(data, all.names = TRUE, sorted = FALSE)) else character()
}

keyword_candidates <- function() candidates(KEYWORDS, "keyword")

package_candidates <- function(suffix = "") {
  candidates(paste0(installed_packages(), suffix), "package")
}

installed <- new.env()

# Read anew when a library's folder has changed
installed_packages <- function() {
  libraries <- list(.libPaths(), file.mtime(.libPaths()))
  if (!identical(installed$libraries, libraries)) {
    installed$names <- by_name(unique(unlist(lapply(libraries[[1L]], packages_in))))
    installed$libraries <- libraries
  }
  installed$names
}

packages_in <- function(library) {
  names <- list.files(library)
  names[file.exists(file.path(library, names, "DESCRIPTION"))]
}

exported <- new.env()

# What a package exports, without loading it when it is not loaded
export_candidates <- function(package, internal = FALSE) {
  if (package %in% loadedNamespaces()) return(loaded_exports(package, internal))
  if (is.null(exported[[package]])) assign(package, installed_exports(package), envir = exported)
  candidates(backquoted(exported[[package]]), "function", package)
}

loaded_exports <- function(package, internal) {
  namespace <- asNamespace(package)
  if (internal) {
    names <- by_name(ls(namespace, all.names = TRUE, sorted = FALSE))
    return(binding_candidates(namespace, names[!startsWith(names, ".__")], package))
  }
  exports <- if (package == "base") ls(namespace, sorted = FALSE) else getNamespaceExports(namespace)
  functions <- candidates(backquoted(by_name(exports)), "function", package)
  combine(functions, candidates(backquoted(data_names(package)), "variable", package))
}

installed_exports <- function(package) {
  tryCatch({
    home <- find.package(package)
    info <- readRDS(file.path(home, "Meta", "nsInfo.rds"))
    code <- names(readRDS(file.path(home, "R", paste0(package, ".rdx")))$variables)
    patterns <- unlist(lapply(info$exportPatterns, function(pattern) grep(pattern, code, value = TRUE)))
    data <- file.path(home, "data", "Rdata.rdx")
    by_name(unique(c(info$exports, patterns, if (file.exists(data)) names(readRDS(data)$variables))))
  }, error = function(e) character())
}

# `path` is what the string holds so far
file_candidates <- function(path) {
  folder <- sub("[^/]*$", "", path)
  start <- substring(path, nchar(folder) + 1L)
  inside <- path.expand(if (nzchar(folder)) folder else ".")
  if (grepl("^[[:alpha:]][[:alnum:]+.-]*://", path)) return(candidates(character(), "file"))
  names <- list.files(inside, all.files = startsWith(start, "."), no.. = TRUE)
  names <- names[startsWith(tolower(names), tolower(start))]
  names <- names[validUTF8(names)][seq_len(min(length(names), FILE_LIMIT))]
  is_folder <- dir.exists(file.path(inside, names))
  candidates(paste0(names, ifelse(is_folder, "/", "")), "file", ifelse(is_folder, "folder", ""))
}
