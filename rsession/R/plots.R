# What the session asks of the plots: draw one at a size, follow the size of the page, say what changed.

PICTURES_PER_PLOT <- 4L
ENLARGEMENTS <- c(1, 2, 4)
TELL_SHARE <- 0.1
TELL_CREDIT <- 1
LEAST_COST <- 0.02

plots_start <- function(prefix) {
  plots$prefix <- prefix
  plots$pid <- Sys.getpid()
  plots$folder <- file.path(tempdir(), ".rsession-plots")
  options(device = plot_device)
  set_page_hooks()
  plots_folder()
}

# After a prompt: TRUE when the state was told
plots_check <- function() {
  record_page()
  told <- tell_page(when_due = FALSE)
  plots$credit <- TELL_CREDIT
  told
}

# While code runs, drawing for the page may take a second, then a tenth of the time: a thousand plots stay quick
tell_page <- function(when_due) {
  now <- proc.time()[[3L]]
  plots$credit <- min(TELL_CREDIT, plots$credit + TELL_SHARE * (now - plots$told))
  plots$told <- now
  if (!plots$changed || (when_due && plots$credit <= 0)) return(FALSE)
  newest <- if (length(plots$pages)) plots$pages[[length(plots$pages)]]$id
  shown <- if (is.null(plots$current)) newest else plots$current
  if (!is.null(shown)) try(draw_picture(shown, plots$size), silent = TRUE)
  plots$told <- proc.time()[[3L]]
  plots$credit <- max(-TELL_CREDIT, plots$credit - max(LEAST_COST, plots$told - now))
  plots$changed <- FALSE
  .rs_emit("plots_changed", plots_state())
  TRUE
}

plots_resize <- function(width, height, dpr, id) {
  plots$size <- c(width = as.numeric(width), height = as.numeric(height), dpr = as.numeric(dpr))
  record_page()
  fit_device()
  if (nzchar(id) && !is.na(page_index(id))) try(draw_picture(id, plots$size), silent = TRUE)
  plots_state()
}

# Give the device the size of the page, so that what is drawn next is laid out for it; where its drawing does not fit, it stays
fit_device <- function() {
  if (!has_device() || identical(plots$device_size, pmax(plots$size[1:2], SMALLEST_DEVICE))) return(invisible())
  old <- mget(c("device", "device_size", "length", "current"), envir = plots)
  recorded <- on_device(old$device, grDevices::recordPlot())
  before <- grDevices::dev.cur()
  open_device()
  fits <- tryCatch({
    replay(recorded)
    TRUE
  }, error = function(e) FALSE)
  unwanted <- if (fits) old$device else plots$device
  if (fits) {
    plots$length <- length(grDevices::recordPlot()[[1L]])
    plots$current <- old$current
  } else {
    list2env(old, plots)
  }
  grDevices::dev.off(unwanted)
  wanted <- if (before == old$device) plots$device else before
  if (wanted > 1L) grDevices::dev.set(wanted)
  invisible()
}

picture_name <- function(id, revision, size) {
  sprintf("%s-%d-%dx%d@%d.png", id, revision, as.integer(size[[1L]]), as.integer(size[[2L]]), as.integer(round(size[[3L]] * 100)))
}

# The bytes of a picture; an error when the plot is gone or does not fit
plots_picture <- function(id, width, height, dpr) {
  path <- keep_random_state(draw_picture(id, as.numeric(c(width, height, dpr))))
  readBin(path, "raw", file.size(path))
}

draw_picture <- function(id, size) {
  at <- page_index(id)
  if (is.na(at)) stop("There is no such plot.")
  path <- file.path(plots_folder(), picture_name(id, plots$pages[[at]]$revision, size))
  if (file.exists(path)) return(path)
  recorded <- read_recording(id)
  if (is.null(recorded)) return(kept_picture(id))
  aside <- paste0(path, ".part")
  on.exit(unlink(aside))
  draw_enlarged(recorded, size, aside)
  file.rename(aside, path)
  drop_old_pictures(id)
  path
}

kept_picture <- function(id) {
  pictures <- pictures_of(id)
  if (!length(pictures)) stop("This plot was too large to keep.")
  pictures[[1L]]
}

# A plot whose margins do not fit is drawn larger; the page scales it down
draw_enlarged <- function(recorded, size, path) {
  least <- max(1, SMALLEST_DEVICE / size[1:2])
  for (factor in unique(c(1, least * ENLARGEMENTS))) {
    fits <- tryCatch({
      draw(recorded, size * c(factor, factor, 1), path)
      TRUE
    }, error = function(e) FALSE)
    if (fits) return(invisible())
  }
  stop("This plot does not fit at this size.")
}

draw <- function(recorded, size, path) {
  before <- grDevices::dev.cur()
  open_bitmap(size[[1L]] * size[[3L]], size[[2L]] * size[[3L]], BASE_RESOLUTION * size[[3L]], path)
  opened <- grDevices::dev.cur()
  on.exit({
    grDevices::dev.off(opened)
    if (before > 1L) grDevices::dev.set(before)
  })
  replay(recorded)
}

# A recording from a file attaches the packages of its graphics systems; the search path is the user's
replay <- function(recorded) {
  before <- search()
  on.exit(for (name in setdiff(search(), before)) detach(name, character.only = TRUE))
  grDevices::replayPlot(recorded)
}

pictures_of <- function(id) {
  pictures <- list.files(plots$folder, pattern = paste0("^", id, "-.*\\.png$"), full.names = TRUE)
  pictures[order(file.mtime(pictures), decreasing = TRUE)]
}

drop_old_pictures <- function(id) {
  pictures <- pictures_of(id)
  unlink(pictures[seq_along(pictures) > PICTURES_PER_PLOT])
}
