# Reading the store: promises in the places of the objects, then one object after the other while R has nothing else to do.

SLICE_SECONDS <- 0.03
NAMES_AT_ONCE <- 64L
# What R looks up in the global environment by itself: one that makes an error stops code that never asked for it
READ_BY_R <- c(".Random.seed", ".Last", ".__S3MethodsTable__.", "sys.save.image")
SETTINGS_LOST <- "The settings of the session could not be read back: packages, options, folder and plots are those of a new session."

workspace_restore <- function(skipped_profile) {
  all <- entries()
  workspace$columns <- all
  state <- .Call(workspace$calls$state)
  written_by <- .Call(workspace$calls$r_version)
  same_version <- identical(minor_version(written_by), minor_version(as.character(getRversion())))
  facts <- read_fact(all, "session")
  note_descriptions(read_fact(all, "described"))
  if (skipped_profile && same_version) set_as_profile_did(read_fact(all, "profile"))
  complaints <- if (is.null(facts)) SETTINGS_LOST else apply_facts(facts, same_version)
  workspace$wanted <- as.character(facts$namespaces)
  roots <- attach_roots(all, facts$attached, facts$search)
  for (owner in c(-1, roots$ticket)) restore_bindings(all, owner, roots)
  .Call(workspace$calls$keep_seed)
  is_suspended <- file.exists(file.path(workspace$folder, "suspended"))
  unlink(file.path(workspace$folder, "suspended"))
  list(
    objects = sum(all$kind == ENTRY_BINDING), bytes = state[[3L]], created = state[[2L]], suspended = is_suspended,
    r_version = if (same_version) NULL else written_by, damaged_packs = state[[4L]],
    complaints = json_array(complaints), lost = unkeepable()
  )
}

minor_version <- function(version) sub("^([0-9]+\\.[0-9]+).*", "\\1", version)

read_fact <- function(all, name) {
  at <- match(TRUE, all$kind == ENTRY_FACT & all$name == name)
  if (is.na(at)) NULL else tryCatch(.Call(workspace$calls$load, all$ticket[at]), error = function(e) NULL)
}

note_descriptions <- function(described) {
  for (name in names(described)) {
    assign(name, list(print = NULL, description = described[[name]]), envir = workspace$described)
  }
}

# list(ticket, environment): empty environments on the search path in the places of the attached ones
attach_roots <- function(all, names, wanted) {
  tickets <- all$ticket[all$kind == ENTRY_ENVIRONMENT & has_flag(all$flags, IS_ATTACHED)]
  environments <- vector("list", length(tickets))
  for (i in rev(seq_along(tickets))) {
    name <- if (i <= length(names)) names[[i]] else "restored"
    environments[[i]] <- attach(NULL, pos = search_place(name, wanted), name = name, warn.conflicts = FALSE)
    .Call(workspace$calls$adopt, environments[[i]], tickets[[i]])
  }
  list(ticket = tickets, environment = environments)
}

restore_bindings <- function(all, owner, roots) {
  env <- if (owner == -1) globalenv() else roots$environment[[match(owner, roots$ticket)]]
  rows <- which(all$kind == ENTRY_BINDING & all$owner == owner & !has_flag(all$flags, NOT_WRITTEN))
  locked <- has_flag(all$flags[rows], BINDING_LOCKED)
  active <- has_flag(all$flags[rows], BINDING_ACTIVE)
  special <- active | has_flag(all$flags[rows], IS_PROMISE)
  free_names(env, all$name[rows])
  for (row in rows[!special]) bind_unloaded(env, all$name[[row]], all$ticket[[row]])
  for (row in rows[special]) restore_special(env, all$name[[row]], all$ticket[[row]])
  if (owner == -1) load_hidden(all, rows[!special])
  for (name in intersect(all$name[rows[locked]], ls(env, all.names = TRUE, sorted = FALSE))) lockBinding(name, env)
  if (owner == -1) {
    workspace$waiting <- all$name[rows[!special]]
    workspace$position <- 0L
  }
}

bind_unloaded <- function(env, name, ticket) {
  .Internal(delayedAssign(name, as.call(list(workspace_fetch, ticket)), baseenv(), env))
}

# The profile may have made a binding of that name that would stand in the way
free_names <- function(env, names) {
  here <- intersect(names, ls(env, all.names = TRUE, sorted = FALSE))
  for (name in here) {
    if (bindingIsLocked(name, env)) unlockBinding(name, env)
  }
  rm(list = here, envir = env)
}

restore_special <- function(env, name, ticket) {
  tryCatch(.Call(workspace$calls$bind, env, name, ticket), error = function(e) note_damage(ticket, conditionMessage(e)))
}

# What others may read by name
load_hidden <- function(all, rows) {
  names <- all$name[rows]
  hidden <- names[names %in% READ_BY_R | (startsWith(names, ".") & all$bytes[rows] <= EAGER_BYTES)]
  failed <- hidden[!vapply(hidden, can_load, NA)]
  .Call(workspace$calls$unwrap, globalenv(), setdiff(hidden, failed))
  leave_out(intersect(failed, READ_BY_R))
}

can_load <- function(name) {
  tryCatch({
    get(name, envir = globalenv())
    TRUE
  }, error = function(e) FALSE)
}

leave_out <- function(names) {
  rm(list = names, envir = globalenv())
  for (name in names) .rs_emit("workspace_left_out", name)
}

# Loads objects for a moment; what is left
workspace_load_some <- function() {
  end <- proc.time()[[3L]] + SLICE_SECONDS
  bytes <- 0
  while (workspace$position < length(workspace$waiting) && proc.time()[[3L]] < end) {
    bytes <- bytes + load_names(end)
  }
  vectors <- load_vectors(max(0, end - proc.time()[[3L]]))
  left <- length(workspace$waiting) - workspace$position
  list(left = left + vectors[[1L]], bytes = bytes + vectors[[2L]])
}

# One that cannot be read makes its error again when it is touched
load_vectors <- function(seconds) {
  tryCatch(.Call(workspace$calls$load_vectors, seconds), error = function(e) .Call(workspace$calls$load_vectors, 0))
}

load_names <- function(end) {
  part <- workspace$waiting[seq(workspace$position + 1L, min(length(workspace$waiting), workspace$position + NAMES_AT_ONCE))]
  tickets <- .Call(workspace$calls$unloaded, globalenv(), part)
  bytes <- 0
  for (i in seq_along(part)) {
    workspace$position <- workspace$position + 1L
    if (is.na(tickets[[i]])) next
    try(get(part[[i]], envir = globalenv()), silent = TRUE)
    bytes <- bytes + workspace$columns$bytes[[match(tickets[[i]], workspace$columns$ticket)]]
    if (proc.time()[[3L]] >= end) break
  }
  .Call(workspace$calls$unwrap, globalenv(), part[seq_len(i)])
  bytes
}

# Before any line of the user: methods of these packages belong to the objects. One whose loading was interrupted is told as missing.
workspace_load_namespaces <- function() {
  missing <- character()
  if (length(workspace$wanted)) .rs_emit("workspace_packages", length(workspace$wanted))
  while (length(workspace$wanted)) {
    name <- workspace$wanted[[1L]]
    if (!has_loaded(name)) missing <- c(missing, name)
    workspace$wanted <- workspace$wanted[-1L]
  }
  json_array(missing)
}

has_loaded <- function(name) {
  fails <- function(condition) FALSE
  tryCatch({
    loadNamespace(name)
    TRUE
  }, error = fails, interrupt = fails)
}
