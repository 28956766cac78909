# What programs that use the session from outside ask: objects in and out of the workspace as JSON.

remote_assign <- function(name, code) {
  assign(name, eval(parse(text = code, encoding = "UTF-8"), baseenv()), envir = globalenv())
  NULL
}

# found, the value in the form that JSON gets, or why there is none
remote_output <- function(name) {
  if (!exists(name, envir = globalenv(), inherits = FALSE)) return(list(why = paste0("object '", name, "' not found")))
  tryCatch(list(value = remote_boxed(get(name, envir = globalenv(), inherits = FALSE), 0L)), error = function(e) {
    list(why = paste0("object '", name, "' has no JSON form: ", conditionMessage(e)))
  })
}

remote_error <- function() geterrmessage()

# As jsonlite does without unboxing: every vector is an array, a data.frame a map of columns, a matrix an array of rows
remote_boxed <- function(x, depth) {
  if (depth > 50L) stop("it is nested too deeply")
  if (is.null(x)) return(NULL)
  if (is.data.frame(x)) return(remote_columns(x, depth))
  if (is.factor(x)) return(remote_array(as.character(x)))
  if (inherits(x, c("Date", "POSIXt"))) return(remote_array(as.character(x)))
  if (is.list(x)) return(lapply(unclass(x), remote_boxed, depth + 1L))
  if (is.complex(x) || is.raw(x)) x <- structure(as.character(x), dim = dim(x))
  if (!is.atomic(x)) stop("it is a ", typeof(x), "; get it from the workspace as a file")
  if (is.matrix(x)) return(lapply(seq_len(nrow(x)), function(row) remote_array(as.vector(x[row, ]))))
  remote_array(as.vector(x))
}

remote_columns <- function(x, depth) {
  columns <- lapply(unclass(x), remote_boxed, depth + 1L)
  attributes(columns) <- list(names = names(x))
  columns
}

remote_array <- function(x) structure(x, class = "rs_array")

remote_names <- function() structure(setdiff(ls(globalenv(), all.names = TRUE), ".Random.seed"), class = "rs_array")

remote_exists <- function(name) exists(name, envir = globalenv(), inherits = FALSE)

remote_remove <- function(name) {
  rm(list = name, envir = globalenv())
  NULL
}

# As save() does, or in the byte order of this machine, which load() reads as well
remote_save <- function(path, name, native) {
  to <- file(path, "wb")
  on.exit(close(to))
  if (!nzchar(native)) {
    save(list = name, envir = globalenv(), file = to)
  } else {
    writeBin(charToRaw("RDB3\n"), to)
    serialize(as.pairlist(mget(name, envir = globalenv())), to, xdr = FALSE, version = 3L)
  }
  NULL
}

# Nothing is changed before all of it has been read
remote_load <- function(path, name) {
  from <- file(path, "rb")
  on.exit(close(from))
  loaded <- new.env()
  names <- load(from, envir = loaded)
  if (length(names) == 1L) assign(name, loaded[[names]], envir = globalenv())
  else for (each in names) assign(each, loaded[[each]], envir = globalenv())
  NULL
}

# Plots that no device of the user's was opened for: files of the working directory, overwritten when a plot is drawn on
remote <- new.env()
remote$plots <- list()

remote_plots <- function(folder) {
  size <- c(getOption("rserver.plot.width", 400), getOption("rserver.plot.height", 400), 1)
  keep_random_state(record_page())
  for (page in plots$pages) {
    known <- remote$plots[[page$id]]
    if (identical(known$revision, page$revision)) next
    number <- if (is.null(known)) length(remote$plots) + 1L else known$number
    remote$plots[[page$id]] <- list(number = number, revision = page$revision)
    keep_random_state(try(remote_picture(page$id, size, file.path(folder, sprintf("unnamedplot%03d.png", number))), silent = TRUE))
  }
  NULL
}

remote_picture <- function(id, size, path) {
  recorded <- read_recording(id)
  if (is.null(recorded)) file.copy(kept_picture(id), path, overwrite = TRUE)
  else draw_enlarged(recorded, size, path)
}
