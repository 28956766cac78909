# One line about a value, and its size: never by S3 or S4 methods, which would run other people's code at every prompt.

SUMMARY_WIDTH <- 100L
SHOWN_ELEMENTS <- 10L
STRING_WIDTH <- 60L
SIZED_ELEMENTS <- 500L
SIZED_STRINGS <- 20000L

ABBREVIATIONS <- c(
  logical = "logi", integer = "int", double = "num", complex = "cplx", character = "chr", raw = "raw"
)

one_line <- function(text) {
  text <- gsub("[[:cntrl:]]+", " ", paste(text, collapse = " "))
  if (nchar(text) > SUMMARY_WIDTH) paste0(substr(text, 1L, SUMMARY_WIDTH - 1L), "\u2026") else text
}

summarize <- function(x, length) {
  if (is.function(x)) return(summarize_function(x))
  if (inherits(x, "data.frame")) return(summarize_frame(x, length))
  if (isS4(x)) return(paste("Formal class", class(x)[[1L]]))
  switch(typeof(x),
    "NULL" = "NULL",
    list = summarize_list(x, length),
    environment = summarize_environment(x),
    symbol = as.character(x),
    language = deparse(x, width.cutoff = 100L, nlines = 1L),
    expression = paste0("expression of ", length),
    logical = , integer = , double = , complex = , character = , raw = summarize_atomic(x, length),
    paste0("<", typeof(x), ">")
  )
}

summarize_function <- function(f) {
  if (is.primitive(f)) f <- args(f)
  paste0("function (", paste(names(formals(f)), collapse = ", "), ")")
}

summarize_frame <- function(x, length) {
  rows <- .row_names_info(x, 2L)
  paste0(plain_number(rows), " obs. of ", length, if (length == 1) " variable" else " variables")
}

summarize_list <- function(x, length) {
  if (inherits(x, "POSIXlt")) return(paste0("POSIXlt, ", length, " fields"))
  of <- attr(x, "class", exact = TRUE)
  paste0("List of ", plain_number(length), if (!is.null(of)) paste0(" (", of[[1L]], ")"))
}

summarize_environment <- function(x) {
  of <- attr(x, "class", exact = TRUE)
  if (is.null(of)) "<environment>" else paste("Environment of class", of[[1L]])
}

summarize_atomic <- function(x, length) {
  head <- .subset(x, seq_len(min(length, SHOWN_ELEMENTS)))
  if (inherits(x, "factor")) return(summarize_factor(x, head, length))
  label <- atomic_label(x)
  if (length == 0) return(paste0(label, "(0)"))
  shown <- show_elements(x, head, length)
  if (length == 1 && is.null(attr(x, "dim", exact = TRUE))) {
    return(if (is.object(x) && !inherits(x, "Date") && !inherits(x, "POSIXct")) paste(label, shown) else shown)
  }
  paste0(label, " ", extent(x, length), " ", paste(shown, collapse = " "), if (length > SHOWN_ELEMENTS) " \u2026")
}

atomic_label <- function(x) {
  if (inherits(x, "Date")) "Date"
  else if (inherits(x, "POSIXct")) "POSIXct"
  else if (inherits(x, "difftime")) paste0("difftime in ", attr(x, "units", exact = TRUE))
  else if (is.object(x)) paste0("'", class(x)[[1L]], "' ", ABBREVIATIONS[[typeof(x)]])
  else ABBREVIATIONS[[typeof(x)]]
}

extent <- function(x, length) {
  dim <- attr(x, "dim", exact = TRUE)
  if (is.null(dim)) paste0("[1:", plain_number(length), "]") else paste0("[", paste0("1:", dim, collapse = ", "), "]")
}

summarize_factor <- function(x, head, length) {
  levels <- as.character(attr(x, "levels", exact = TRUE))
  shown <- paste(show_strings(levels[seq_len(min(base::length(levels), 5L))]), collapse = ",")
  more <- if (base::length(levels) > 5L) ",\u2026"
  codes <- paste0(": ", paste(head, collapse = " "), if (length > SHOWN_ELEMENTS) " \u2026")
  paste0("Factor w/ ", plain_number(base::length(levels)), " levels ", shown, more, codes)
}

show_elements <- function(x, head, length) {
  if (inherits(x, "Date")) return(paste0("\"", format.Date(.Date(as.numeric(head))), "\""))
  if (inherits(x, "POSIXct")) return(show_times(x, head))
  switch(typeof(head),
    character = show_strings(head),
    logical = as.character(head),
    raw = as.character(head),
    integer = as.character(head),
    if (length == 1) as.character(head) else format.default(head, trim = TRUE, digits = 3L, drop0trailing = TRUE)
  )
}

show_times <- function(x, head) {
  zone <- attr(x, "tzone", exact = TRUE)
  zone <- if (is.character(zone) && base::length(zone)) zone[[1L]] else ""
  paste0("\"", format.POSIXct(.POSIXct(as.numeric(head), zone)), "\"")
}

show_strings <- function(strings) {
  long <- nchar(strings, "bytes") > STRING_WIDTH
  strings[long] <- paste0(substr(strings[long], 1L, STRING_WIDTH - 1L), "\u2026")
  encodeString(strings, quote = "\"", na.encode = FALSE)
}

plain_number <- function(n) if (n < 1e5) as.character(n) else format.default(n, scientific = FALSE, trim = TRUE)

# Bytes, or NULL where finding out would mean walking through a large structure
cheap_size <- function(x, length) {
  cheap <- switch(typeof(x),
    logical = , integer = , double = , complex = , raw = , "NULL" = TRUE,
    character = length <= SIZED_STRINGS,
    closure = TRUE,
    list = elements_left(x, SIZED_ELEMENTS) >= 0L,
    FALSE
  )
  if (cheap) as.numeric(utils::object.size(x)) else NULL
}

# What remains of `budget` after counting the elements of nested lists; negative when it does not suffice
elements_left <- function(x, budget) {
  fields <- unclass_shallow(x)
  budget <- budget - length(fields)
  if (budget < 0L) return(-1L)
  for (field in fields) {
    if (is.list(field)) budget <- elements_left(field, budget)
    else if (is.character(field) && (is.object(field) || length(field) > SIZED_STRINGS)) return(-1L)
    if (budget < 0L) return(-1L)
  }
  budget
}

unclass_shallow <- function(x) if (is.object(x)) unclass(x) else x
