# The list of what the global environment holds, and what changed in it since the last prompt.

OBJECT_LIMIT <- 2000L
CHANGE_LIMIT <- 500L

known <- new.env()
known$names <- character()
known$prints <- numeric()

environment_state <- function() {
  names <- by_name(ls(globalenv(), sorted = FALSE))
  total <- length(names)
  shown <- names[seq_len(min(total, OBJECT_LIMIT))]
  list(name = "R_GlobalEnv", objects = describe_bindings(globalenv(), shown), total = total, truncated = total > OBJECT_LIMIT)
}

# NULL when nothing changed since the call before
environment_changes <- function() {
  names <- ls(globalenv(), sorted = FALSE)
  prints <- probe(globalenv(), names)[[3L]]
  if (identical(prints, known$prints) && identical(names, known$names)) return(NULL)
  before <- known$prints[match(names, known$names)]
  changed <- names[is.na(before) | before != prints]
  removed <- known$names[is.na(match(known$names, names))]
  known$names <- names
  known$prints <- prints
  changes_between(changed, removed, length(names))
}

changes_between <- function(changed, removed, total) {
  if (length(changed) + length(removed) > CHANGE_LIMIT) return(list(reset = TRUE))
  if (!length(changed) && !length(removed)) return(NULL)
  changed <- by_name(changed)
  list(changed = describe_bindings(globalenv(), changed), removed = json_array(removed), total = total)
}

json_array <- function(x) structure(x, class = "rs_array")

describe_bindings <- function(env, names) {
  seen <- probe(env, names)
  objects <- vector("list", length(names))
  for (i in seq_along(names)) objects[[i]] <- describe_binding(env, names[[i]], seen[[1L]][[i]], seen[[2L]][[i]])
  objects
}

describe_binding <- function(env, name, type, length) {
  if (type == UNFORCED) return(describe_unforced(env, name))
  if (type < 0L) return(describe_opaque(name, "active", "<active binding>"))
  tryCatch(
    describe_value(name, .subset2(env, name), length),
    error = function(e) describe_opaque(name, "value", "<cannot be described>")
  )
}

describe_opaque <- function(name, kind, summary) {
  list(name = name, kind = kind, class = json_array(character()), type = kind, length = 0L, size = NULL, summary = summary)
}

describe_value <- function(name, x, length) {
  list(
    name = name,
    kind = value_kind(x),
    class = json_array(as.character(class(x))),
    type = typeof(x),
    length = length,
    size = cheap_size(x, length),
    summary = one_line(summarize(x, length))
  )
}

value_kind <- function(x) {
  if (is.function(x)) "function"
  else if (is.list(x) || isS4(x) || is.environment(x) || !is.null(attr(x, "dim", exact = TRUE))) "data"
  else "value"
}
