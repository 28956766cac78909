# The device that plots are drawn on: never shown itself, its display list is recorded and replayed at the size of the page.
#
# length: entries of the display list when it was last recorded. current: id of the page on the device, NULL before it is
# recorded. turning: a new page was asked for and has not come about yet.

DEVICE_NAME <- "rsession"
BASE_RESOLUTION <- 96
SMALLEST_DEVICE <- c(400, 300)
SETTINGS <- c("C_par", "C_layout", "palette", "palette2")

# A device of the best kind there is, width and height in pixels; `path` is the picture to write, NULL for none
open_bitmap <- function(width, height, resolution, path = NULL) {
  if (!has_ragg()) {
    path <- gsub("%", "%%", if (is.null(path)) "/dev/null" else path, fixed = TRUE)
    grDevices::png(path, width, height, res = resolution, type = "cairo")
  } else if (is.null(path)) {
    ragg::agg_capture(width, height, res = resolution, background = "white")
  } else {
    ragg::agg_png(gsub("%", "%%", path, fixed = TRUE), width, height, res = resolution, background = "white")
  }
  invisible()
}

has_ragg <- function() {
  if (is.null(plots$ragg)) plots$ragg <- requireNamespace("ragg", quietly = TRUE)
  plots$ragg
}

# ragg draws a random number for a name, and replayed code may draw some: the user's random numbers must not change
keep_random_state <- function(code) {
  # A promise or an active binding, which may fail, is nothing that R keeps its state in
  if (exists(".Random.seed", globalenv(), inherits = FALSE) && !is_readable(globalenv(), ".Random.seed")) return(code)
  seed <- globalenv()[[".Random.seed"]]
  on.exit({
    if (!is.null(seed)) assign(".Random.seed", seed, envir = globalenv())
    else suppressWarnings(rm(".Random.seed", envir = globalenv()))
  })
  code
}

# The value of options("device"). Another device is opened only for another page size.
plot_device <- function(...) {
  keep_random_state({
    if (has_device()) {
      record_page()
      close_device()
    }
    kept <- plots$kept_device
    plots$kept_device <- NULL
    if (is.null(kept)) open_device() else open_device_again(kept)
  })
}

open_device <- function(size = plots$size) {
  size <- pmax(size[1:2], SMALLEST_DEVICE)
  open_bitmap(size[[1L]], size[[2L]], BASE_RESOLUTION)
  grDevices::dev.control("enable")
  plots$device <- as.integer(grDevices::dev.cur())
  name_device(plots$device)
  plots$device_size <- size
  plots$length <- 0L
  plots$current <- NULL
}

# ragg gives its devices random names, which the user would see
name_device <- function(device) {
  names <- .Devices
  names[[device]] <- DEVICE_NAME
  assign(".Devices", as.pairlist(names), envir = baseenv())
  assign(".Device", DEVICE_NAME, envir = baseenv())
}

has_device <- function() {
  open <- grDevices::dev.list()
  plots$device > 0L && plots$device %in% open && names(open)[open == plots$device] == DEVICE_NAME
}

is_drawing <- function() has_device() && grDevices::dev.cur() == plots$device

close_device <- function() {
  if (has_device()) on_device(plots$device, grDevices::dev.off())
  plots$device <- 0L
  plots$current <- NULL
}

# Run code while the device is current, and return to the one that was
on_device <- function(device, code) {
  before <- grDevices::dev.cur()
  if (before == device) return(code)
  grDevices::dev.set(device)
  on.exit(if (before > 1L) grDevices::dev.set(before))
  code
}

# Record what the device shows when it changed since the last time
record_page <- function() {
  if (!has_device()) {
    plots$device <- 0L
    plots$current <- NULL
    plots$turning <- FALSE
    return(invisible())
  }
  recorded <- on_device(plots$device, grDevices::recordPlot())
  entries <- length(recorded[[1L]])
  failed <- plots$turning
  changed <- entries != plots$length && !failed && has_drawn(recorded[[1L]], plots$length)
  plots$length <- entries
  plots$turning <- FALSE
  if (changed) keep_page(recorded)
  if (failed) keep_error(geterrmessage())
  invisible()
}

# Whether the display list draws anything behind its first `known` entries; a shorter one is a new drawing
has_drawn <- function(entries, known) {
  entries <- as.list(entries)
  if (known > 0L && known < length(entries)) entries <- entries[-seq_len(known)]
  for (entry in entries) {
    symbol <- entry[[2L]][[1L]]
    if (!is.list(symbol) || !symbol$name %in% SETTINGS) return(TRUE)
  }
  FALSE
}

keep_error <- function(message) {
  plots$error <- sub("^Error( in [^\n]*?)? ?: *", "", trimws(message), perl = TRUE)
  plots$changed <- TRUE
}

# Hooks before.plot.new and before.grid.newpage
page_is_ending <- function(always) {
  if (grDevices::dev.cur() == 1L) {
    plots$turning <- TRUE
  } else if (is_drawing() && (always || graphics::par("page"))) {
    plots$turning <- FALSE
    record_page()
    tell_page(when_due = TRUE)
    plots$turning <- TRUE
  }
}

# Hooks plot.new and grid.newpage
page_has_begun <- function() {
  if (!plots$turning || !is_drawing()) return(invisible())
  plots$turning <- FALSE
  plots$current <- NULL
  plots$length <- 0L
}

# Nothing in a forked child: its plots are its own, and the files here are its parent's
quietly <- function(code) {
  if (Sys.getpid() == plots$pid) keep_random_state(suppressWarnings(suppressMessages(try(code, silent = TRUE))))
}

set_page_hooks <- function() {
  setHook("before.plot.new", function(...) quietly(page_is_ending(FALSE)), "append")
  setHook("before.grid.newpage", function(...) quietly(page_is_ending(TRUE)), "append")
  setHook("plot.new", function(...) quietly(page_has_begun()), "append")
  setHook("grid.newpage", function(...) quietly(page_has_begun()), "append")
  addTaskCallback(function(...) {
    if (plots$device > 0L || plots$turning) quietly({
      record_page()
      tell_page(when_due = TRUE)
    })
    TRUE
  }, name = "rsession.plots")
}
