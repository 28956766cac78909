# The store of the session's objects: what shim/workspace_calls.c offers, and what is known of the objects that are not loaded.

ENTRY_FACT <- 1
ENTRY_BINDING <- 2
ENTRY_ENVIRONMENT <- 3
BINDING_LOCKED <- 1
BINDING_ACTIVE <- 2
HOLDS_POINTER <- 4
IS_PROMISE <- 8
IS_ATTACHED <- 32
NOT_WRITTEN <- 128
EAGER_BYTES <- 65536
CHEAP_BYTES <- 16384
CHEAP_LENGTH <- 1000
ATOMIC_TYPES <- c(10, 13, 14, 15, 16, 24)
DESCRIBED_AT_ONCE <- 150L
CRASH_SIGNALS <- c(6L, 7L, 11L)

# calls: the entry points. described: name → list(print, description). waiting: names that were not loaded yet, in order.
# wanted: namespaces that are to be loaded again.
workspace <- new.env()
workspace$calls <- NULL
workspace$folder <- ""
workspace$described <- new.env()
workspace$waiting <- character()
workspace$wanted <- character()
workspace$position <- 0L
workspace$damaged <- character()
workspace$ephemeral <- character()

workspace_calls <- function(library) {
  names <- c("open", "entries", "state", "r_version", "load", "bind", "adopt", "unloaded", "unwrap", "snapshot", "wait", "settle",
    "leave", "keep_seed", "class_key", "track", "distrust", "settle_stage", "load_vectors", "drop_stages")
  dll <- dyn.load(library)
  calls <- lapply(names, function(name) getNativeSymbolInfo(paste0("rs_workspace_", name), dll)$address)
  names(calls) <- names
  calls
}

is_refusal <- function(x) inherits(x, "rs_refusal")

# Before the default packages are attached the user's profile is still running
is_started <- function() all(paste0("package:", getOption("defaultPackages")) %in% search())

# {"early"}: ask again at the prompt; {"complaint"}: what is there cannot be used, with "of_r" by this R; {"restored"}: report, or null for an empty store.
# One call, so that no line of the user comes between.
workspace_begin <- function(library, folder, is_late, ephemeral, skipped_profile) {
  if (is_late != "1" && !is_started()) return(list(early = TRUE))
  if (is.null(workspace$calls)) {
    workspace$calls <- workspace_calls(library)
    workspace$ephemeral <- strsplit(ephemeral, ":", fixed = TRUE)[[1L]]
    note_baseline()
  }
  workspace$folder <- folder
  refused <- .Call(workspace$calls$open, folder, workspace_fetch)
  if (isFALSE(refused)) return(list(complaint = "this version of R is too old for that", of_r = TRUE))
  if (is_refusal(refused)) return(list(complaint = as.character(refused)))
  .Call(workspace$calls$class_key, class_key())
  untracked <- .Call(workspace$calls$track)
  list(restored = if (.Call(workspace$calls$state)[[1L]] > 0) workspace_restore(skipped_profile == "1"), untracked = untracked)
}

class_key <- function() {
  if (!"methods" %in% loadedNamespaces()) return(NULL)
  tryCatch(get(".newExternalptr", asNamespace("methods"))(), error = function(e) NULL)
}

# What the promise of an unloaded object calls
workspace_fetch <- function(ticket) {
  tryCatch(.Call(workspace$calls$load, ticket), error = function(e) {
    note_damage(ticket, conditionMessage(e))
    renew_promise(ticket)
    stop(conditionMessage(e), call. = FALSE)
  })
}

# R warns when a promise that made an error is evaluated again
renew_promise <- function(ticket) {
  name <- workspace$columns$name[match(ticket, workspace$columns$ticket)]
  for (env in c(list(globalenv()), attached_environments())) {
    if (!identical(.Call(workspace$calls$unloaded, env, name), ticket)) next
    locked <- bindingIsLocked(name, env)
    if (locked) unlockBinding(name, env)
    bind_unloaded(env, name, ticket)
    if (locked) lockBinding(name, env)
  }
}

note_damage <- function(ticket, text) {
  if (text %in% workspace$damaged) return(invisible())
  workspace$damaged <- c(workspace$damaged, text)
  .rs_emit("workspace_damaged", list(text = text))
}

entries <- function() {
  columns <- .Call(workspace$calls$entries)
  names(columns) <- c("kind", "name", "type", "flags", "bytes", "length", "owner", "ticket")
  columns$ticket <- as.integer(columns$ticket)
  columns
}

has_flag <- function(flags, flag) bitwAnd(as.integer(flags), as.integer(flag)) != 0L

# Names of the objects that were stored without what cannot be stored
unkeepable <- function() {
  all <- entries()
  is_binding <- all$kind == ENTRY_BINDING & all$owner == -1
  list(
    pointers = json_array(by_name(all$name[is_binding & has_flag(all$flags, HOLDS_POINTER)])),
    failed = json_array(by_name(all$name[is_binding & has_flag(all$flags, NOT_WRITTEN)]))
  )
}

type_names <- c("0" = "NULL", "1" = "symbol", "3" = "closure", "4" = "environment", "5" = "promise", "6" = "language", "10" = "logical",
  "13" = "integer", "14" = "double", "15" = "complex", "16" = "character", "19" = "list", "20" = "expression", "22" = "externalptr",
  "24" = "raw", "25" = "S4")

# What is said in the list of objects about a promise: of ours, what was known when it was stored
describe_unforced <- function(env, name) {
  ticket <- if (is.null(workspace$calls) || !identical(env, globalenv())) NA else .Call(workspace$calls$unloaded, env, name)
  if (is.na(ticket)) return(describe_opaque(name, "promise", "<promise not evaluated yet>"))
  entry <- workspace$columns
  row <- match(ticket, entry$ticket)
  if (entry$type[row] %in% ATOMIC_TYPES && entry$bytes[row] <= CHEAP_BYTES) return(describe_read_back(env, name, entry$length[row]))
  known <- workspace$described[[name]]
  if (!is.null(known)) return(c(known$description, list(loaded = FALSE)))
  type <- type_names[as.character(entry$type[row])]
  described <- describe_opaque(name, "value", "<not loaded yet>")
  described[c("type", "length", "size")] <- list(unname(type), entry$length[row], entry$bytes[row])
  c(described, list(loaded = FALSE))
}

describe_read_back <- function(env, name, length) {
  tryCatch(
    describe_value(name, .subset2(env, name), length),
    error = function(e) describe_opaque(name, "value", "<cannot be read back>")
  )
}

# Describes some of the objects that the list shows; NULL when all are done, or where to go on
workspace_describe <- function(from) {
  from <- as.integer(from)
  if (from == 1L) workspace$describing <- shown_names()
  names <- workspace$describing
  if (from > length(names)) return(NULL)
  part <- names[from:min(length(names), from + DESCRIBED_AT_ONCE - 1L)]
  seen <- probe(globalenv(), part)
  for (i in seq_along(part)) describe_once(part[[i]], seen[[1L]][[i]], seen[[2L]][[i]], seen[[3L]][[i]])
  if (from + DESCRIBED_AT_ONCE > length(names)) NULL else from + DESCRIBED_AT_ONCE
}

# Those of which reading them back would not be quicker than describing them
shown_names <- function() {
  names <- by_name(ls(globalenv(), sorted = FALSE))
  names <- names[seq_len(min(length(names), OBJECT_LIMIT))]
  seen <- probe(globalenv(), names)
  names[seen[[1L]] >= 0L & !(seen[[1L]] %in% ATOMIC_TYPES & seen[[2L]] <= CHEAP_LENGTH)]
}

describe_once <- function(name, type, length, print) {
  known <- workspace$described[[name]]
  if (type < 0L || (!is.null(known) && identical(known$print, print))) return(invisible())
  assign(name, list(print = print, description = describe_binding(globalenv(), name, type, length)), envir = workspace$described)
}
