# Plots and the device they are drawn on, from one process of a session to the next.

DEVICE_RECORDING <- "device.snapshot"

plots_store <- function() file.path(dirname(workspace$folder), "graphics-r3")

# Recordings and pictures outlive the temporary directory in the folder of the session
keep_plots <- function() {
  write_recording()
  write_device()
  here <- list.files(plots$folder)
  if (!length(here)) {
    unlink(plots_store(), recursive = TRUE)
    return(invisible())
  }
  dir.create(plots_store(), showWarnings = FALSE, mode = "0700")
  unlink(file.path(plots_store(), setdiff(list.files(plots_store()), here)))
  for (name in here) {
    kept <- file.path(plots_store(), name)
    is_there <- name != DEVICE_RECORDING && isTRUE(file.size(kept) == file.size(file.path(plots$folder, name)))
    if (!is_there) file.copy(file.path(plots$folder, name), kept, overwrite = TRUE)
  }
}

# The device may show what is no page of the history: settings for the next plot, or one that was removed
write_device <- function() {
  path <- file.path(plots$folder, DEVICE_RECORDING)
  if (!is.null(plots$kept_device)) return(invisible())
  unlink(path)
  if (!has_device() || is_page_recorded()) return(invisible())
  recorded <- on_device(plots$device, grDevices::recordPlot())
  attr(recorded, "pid") <- 0L
  if (utils::object.size(recorded) <= ONE_RECORDING_BYTES) saveRDS(recorded, file.path(plots_folder(), DEVICE_RECORDING), compress = FALSE)
  if (isTRUE(file.size(path) > ONE_RECORDING_BYTES)) unlink(path)
}

is_page_recorded <- function() {
  identical(plots$current, plots$recorded_id) && length(plots$recorded[[1L]]) == length(device_entries()) &&
    file.exists(recording_path(plots$current))
}

device_entries <- function() on_device(plots$device, grDevices::recordPlot())[[1L]]

# NULL: no device, or one whose drawing is too large to be kept
device_facts <- function() {
  if (!is.null(plots$kept_device)) return(plots$kept_device)
  if (!has_device()) return(NULL)
  name <- if (is_page_recorded()) paste0(plots$current, ".snapshot") else DEVICE_RECORDING
  if (file.exists(file.path(plots$folder, name))) list(recording = name, page = plots$current, size = plots$device_size)
}

restore_plots <- function(kept, same_version) {
  files <- list.files(plots_store(), full.names = TRUE)
  if (!length(files)) return(invisible())
  file.copy(files, plots_folder())
  if (same_version) plots$kept_device <- kept$device
  if (!length(kept$pages)) return(invisible())
  plots$pages <- c(kept$pages, plots$pages)
  plots$changed <- FALSE
  .rs_emit("plots_changed", plots_state())
}

# Once R has nothing else to do; a graphics call of the user that comes earlier does it itself
plots_draw_again <- function() {
  if (is.null(plots$kept_device) || has_device()) return(invisible())
  others <- grDevices::dev.cur()
  plot_device()
  if (others > 1L) grDevices::dev.set(others)
  invisible()
}

# A new device with what was on the earlier one; where the drawing does not fit the page it gets the size that it had
open_device_again <- function(kept) {
  recorded <- tryCatch(readRDS(file.path(plots$folder, kept$recording)), error = function(e) NULL)
  open_device()
  if (is.null(recorded)) return(invisible())
  drawn <- can_replay(recorded)
  if (!drawn) {
    close_device()
    open_device(kept$size)
    drawn <- can_replay(recorded)
  }
  if (drawn) go_on_with(kept$page, recorded)
}

can_replay <- function(recorded) {
  tryCatch({
    suppressWarnings(replay(recorded))
    TRUE
  }, error = function(e) FALSE)
}

go_on_with <- function(page, recorded) {
  plots$length <- length(grDevices::recordPlot()[[1L]])
  plots$current <- page
  if (!is.null(page)) {
    plots$recorded_id <- page
    plots$recorded <- recorded
  }
  # The call that opened the device may be the one for the next panel of the same page
  plots$turning <- plots$turning && graphics::par("page")
}
