# Writing the store: a forked process writes what the session is at this moment.

# c(pid of the writer, 1 when it writes only a stage), or a refusal
begin_snapshot <- function(progress, compresses, limit, is_background, in_stages = FALSE) {
  try(keep_plots(), silent = TRUE)
  facts <- list(session = session_facts(), described = described_objects(), profile = profile_facts())
  wishes <- c(as.numeric(progress), compresses == "1", is_background, as.numeric(limit), in_stages)
  .Call(workspace$calls$snapshot, facts, attached_environments(), wishes, as.character(getRversion()))
}

described_objects <- function() {
  names <- ls(workspace$described, all.names = TRUE, sorted = FALSE)
  gone <- names[is.na(match(names, ls(globalenv(), sorted = FALSE)))]
  rm(list = gone, envir = workspace$described)
  lapply(as.list(workspace$described), `[[`, "description")
}

# The writer met memory that was kept from it: from now on it reads everything
workspace_distrust <- function() .Call(workspace$calls$distrust)

workspace_checkpoint <- function(progress, compresses, limit, in_stages) {
  begun <- begin_snapshot(progress, compresses, limit, TRUE, in_stages == "1")
  if (is_refusal(begun)) list(error = as.character(begun)) else list(pid = begun[[1L]], is_stage = begun[[2L]] == 1L)
}

workspace_settle_stage <- function() {
  settled <- .Call(workspace$calls$settle_stage)
  if (is_refusal(settled)) list(error = as.character(settled)) else list()
}

workspace_drop_stages <- function() {
  dropped <- .Call(workspace$calls$drop_stages)
  if (is_refusal(dropped)) list(error = as.character(dropped)) else list()
}

# After a writer has ended, however it did
workspace_settle <- function() {
  settled <- .Call(workspace$calls$settle)
  workspace$columns <- entries()
  if (is_refusal(settled)) return(list(error = as.character(settled)))
  lost <- unkeepable()
  blocking <- lost$pointers[!vapply(lost$pointers, stands_in_no_way, NA)]
  workspace$unwritable <- vapply(unclass(lost$failed), address_of, "")
  c(lost, list(blocking = json_array(blocking)))
}

# Open connections are a matter of their own, closed ones stand in nobody's way; what was not loaded since it came back has lost
# its pointers already
stands_in_no_way <- function(name) {
  if (!exists(name, envir = globalenv(), inherits = FALSE) || bindingIsActive(name, globalenv())) return(FALSE)
  if (!is_readable(globalenv(), name)) return(!is.na(.Call(workspace$calls$unloaded, globalenv(), name)))
  inherits(get(name, envir = globalenv()), "connection")
}

# R waits here until all is written: nothing may change any more. Then the process ends, unless something stands against it.
workspace_suspend <- function(progress, compresses, limit, heeds_failed, heeds_pointers, exit_status) {
  for (attempt in 1:2) {
    pid <- begin_snapshot(progress, compresses, limit, FALSE)[[1L]]
    if (is.character(pid)) return(list(error = pid))
    .rs_emit("workspace_writer", pid)
    status <- .Call(workspace$calls$wait, pid)
    if (!bitwAnd(status, 127L) %in% CRASH_SIGNALS) break
    workspace_distrust()
  }
  settled <- workspace_settle()
  if (status != 0L) return(list(written = FALSE))
  if (!is.null(settled$error)) return(settled)
  is_blocked <- length(settled$blocking) && heeds_pointers == "1" || length(settled$failed) && heeds_failed == "1"
  if (is_blocked) return(list(written = TRUE, blocked = TRUE, lost = settled, saved = last_snapshot()))
  file.create(file.path(workspace$folder, "suspended"))
  workspace_leave(exit_status)
  list(written = TRUE, blocked = FALSE, lost = settled, saved = last_snapshot())
}

# The process ends before R reads another line
workspace_leave <- function(status) .Call(workspace$calls$leave, as.integer(status))

last_snapshot <- function() {
  state <- .Call(workspace$calls$state)
  list(created = state[[2L]], bytes = state[[5L]], written = state[[6L]], unread = state[[7L]])
}

# Reasons that only R knows
workspace_blockers <- function() {
  connections <- showConnections(all = FALSE)
  list(
    connections = json_array(if (nrow(connections)) connection_words(connections) else character()),
    sinks = sink.number(),
    message_sink = sink.number("message") != 2L
  )
}

CONNECTION_WORDS <- c(textConnection = "text connection %s", pipe = "output of the command %s", sockconn = "network connection %s")

# A file is known by its name
connection_words <- function(connections) {
  words <- CONNECTION_WORDS[connections[, "class"]]
  words[is.na(words)] <- "%s"
  unname(mapply(sprintf, words, connections[, "description"]))
}

# Of these objects those that still hold something outside of R
workspace_pointers_left <- function(...) {
  names <- c(...)
  budget <- new.env()
  json_array(names[vapply(names, holds_pointer_still, NA, budget)])
}

# Of these objects that R could not write those that are still there
workspace_unwritable_left <- function(...) {
  names <- c(...)
  json_array(names[vapply(names, function(name) nzchar(at <- address_of(name)) && identical(at, workspace$unwritable[[name]]), NA)])
}

address_of <- function(name) {
  if (!exists(name, envir = globalenv(), inherits = FALSE) || !is_readable(globalenv(), name)) return("")
  deparse(.Internal(address(get(name, envir = globalenv()))))
}

POINTER_SEARCH_LIMIT <- 20000L

holds_pointer_still <- function(name, budget) {
  if (!exists(name, envir = globalenv(), inherits = FALSE)) return(FALSE)
  if (!is_readable(globalenv(), name)) return(TRUE)
  budget$left <- POINTER_SEARCH_LIMIT
  budget$seen <- list()
  has_pointer(get(name, envir = globalenv()), budget)
}

# What is too large to be looked through counts as if it did
has_pointer <- function(x, budget) {
  budget$left <- budget$left - 1L
  if (budget$left <= 0L) return(TRUE)
  if (typeof(x) == "externalptr") return(!identical(deparse(x), "<pointer: (nil)>"))
  for (part in attributes(x)) if (has_pointer(part, budget)) return(TRUE)
  if (is.environment(x)) return(environment_has_pointer(x, budget))
  if (is.function(x)) return(!is.primitive(x) && environment_has_pointer(environment(x), budget))
  if (is.list(x)) for (part in unclass(x)) if (has_pointer(part, budget)) return(TRUE)
  FALSE
}

environment_has_pointer <- function(env, budget) {
  if (isNamespace(env) || identical(env, globalenv()) || is_package_env(env)) return(FALSE)
  for (seen in budget$seen) if (identical(seen, env)) return(FALSE)
  budget$seen <- c(budget$seen, list(env))
  for (name in ls(env, all.names = TRUE, sorted = FALSE)) {
    if (is_readable(env, name) && has_pointer(get(name, envir = env), budget)) return(TRUE)
  }
  FALSE
}
