# What a session without a terminal and without a screen needs, and nothing that changes what ordinary code prints.

session_options <- function() {
  options(help_type = "text", pager = print_files, browser = show_address, editor = refuse_to_edit, menu.graphics = FALSE)
}

# Help and other long texts go to the console; overstriking for bold and underlined is taken out
print_files <- function(files, header = rep("", length(files)), title = NULL, delete.file = FALSE) {
  for (i in seq_along(files)) {
    if (nzchar(header[[i]])) cat(header[[i]], "\n\n", sep = "")
    cat(gsub(".\b", "", readLines(files[[i]], warn = FALSE), perl = TRUE), sep = "\n")
    cat("\n")
  }
  if (delete.file) unlink(files)
  invisible()
}

show_address <- function(url) {
  text <- paste("R wants to show this page:", url)
  .rs_emit("show_message", list(kind = "info", text = text, url = address_from_outside(url)))
  invisible()
}

# A server on this machine is reached through ours
address_from_outside <- function(url) {
  pattern <- "^https?://(127\\.0\\.0\\.1|localhost|\\[::1\\]):([0-9]+)(/.*|[?#].*|)$"
  parts <- regmatches(url, regexec(pattern, url))[[1L]]
  session <- Sys.getenv("RS_SESSION_URL")
  if (length(parts) == 0L || !nzchar(session)) return(url)
  paste0(session, "p/", parts[[3L]], "/", sub("^/", "", parts[[4L]]))
}

refuse_to_edit <- function(name = NULL, file = "", title = NULL) {
  what <- if (nzchar(paste0("", file))[[1L]]) paste0(" (", file[[1L]], ")") else ""
  stop("there is no editor in the console; open the file in the source editor", what, call. = FALSE)
}
