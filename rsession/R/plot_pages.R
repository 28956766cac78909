# The pages of the plot history: which there are, their recordings, and the bounds on both.

PAGE_LIMIT <- 100L
RECORDING_BYTES <- 64 * 2^20
ONE_RECORDING_BYTES <- 24 * 2^20

# pages: list of list(id, revision, bytes), oldest first. recorded: the recording of the page `recorded_id`, in memory while it
# may still change. device, length, current, turning: see plot_device.R. kept_device: what an earlier process had on its device,
# NULL once it is drawn again.
plots <- new.env()
plots$folder <- NULL
plots$prefix <- ""
plots$count <- 0L
plots$pages <- list()
plots$recorded_id <- ""
plots$recorded <- NULL
plots$error <- NULL
plots$size <- c(width = 800, height = 600, dpr = 1)
plots$device <- 0L
plots$length <- 0L
plots$current <- NULL
plots$turning <- FALSE
plots$kept_device <- NULL
plots$changed <- FALSE
plots$told <- 0
plots$credit <- 1

plots_state <- function() {
  pages <- lapply(plots$pages, function(page) page[c("id", "revision")])
  list(plots = pages, error = plots$error)
}

page_index <- function(id) match(id, vapply(plots$pages, `[[`, "", "id"))

plots_folder <- function() {
  dir.create(plots$folder, showWarnings = FALSE, mode = "0700", recursive = TRUE)
  plots$folder
}

recording_path <- function(id) file.path(plots_folder(), paste0(id, ".snapshot"))

# Keep what the device shows: a new page, or a new revision of the page it showed before
keep_page <- function(recorded) {
  at <- if (is.null(plots$current)) NA else page_index(plots$current)
  if (is.na(at)) {
    write_recording()
    plots$count <- plots$count + 1L
    plots$current <- sprintf("%s%06x", plots$prefix, plots$count)
    plots$pages <- c(plots$pages, list(list(id = plots$current, revision = 1L, bytes = 0)))
    bound_pages()
  } else {
    plots$pages[[at]]$revision <- plots$pages[[at]]$revision + 1L
  }
  plots$recorded_id <- plots$current
  plots$recorded <- recorded
  plots$error <- NULL
  plots$changed <- TRUE
}

# Bring the recording in memory to disk before another takes its place. One that would be too large (a plot may hold whole
# environments) leaves only its picture.
write_recording <- function() {
  at <- page_index(plots$recorded_id)
  if (is.na(at) || is.null(plots$recorded)) return(invisible())
  path <- recording_path(plots$recorded_id)
  recorded <- plots$recorded
  attr(recorded, "pid") <- 0L
  if (utils::object.size(recorded) <= ONE_RECORDING_BYTES) try(saveRDS(recorded, path, compress = FALSE), silent = TRUE)
  if (!isTRUE(file.size(path) <= ONE_RECORDING_BYTES)) {
    try(draw_picture(plots$recorded_id, plots$size), silent = TRUE)
    unlink(path)
  }
  plots$pages[[at]]$bytes <- max(0, file.size(path), na.rm = TRUE)
  invisible()
}

read_recording <- function(id) {
  if (identical(id, plots$recorded_id)) return(plots$recorded)
  path <- recording_path(id)
  if (file.exists(path)) readRDS(path) else NULL
}

bound_pages <- function() {
  bytes <- vapply(plots$pages, `[[`, 0, "bytes")
  newest_first <- rev(cumsum(rev(bytes)))
  surplus <- seq_along(bytes) <= length(bytes) - PAGE_LIMIT | newest_first > RECORDING_BYTES
  for (page in plots$pages[surplus]) forget_files(page$id)
  plots$pages <- plots$pages[!surplus]
}

forget_files <- function(id) unlink(list.files(plots$folder, pattern = paste0("^", id, "[-.]"), full.names = TRUE))

plots_remove <- function(id) {
  at <- page_index(id)
  if (!is.na(at)) {
    plots$pages <- plots$pages[-at]
    forget_files(id)
  }
  if (identical(id, plots$recorded_id)) plots$recorded <- NULL
  if (identical(id, plots$current)) plots$current <- NULL
  if (identical(id, plots$kept_device$page)) plots$kept_device <- NULL
  plots_state()
}

plots_clear <- function() {
  close_device()
  plots$kept_device <- NULL
  for (page in plots$pages) forget_files(page$id)
  plots$pages <- list()
  plots$recorded <- NULL
  plots$error <- NULL
  plots_state()
}
