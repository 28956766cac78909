# Saving the workspace on the way out: aside, proven whole by the session's other half, then put in its place.

IMAGE_NAME <- ".RData"
# R reads an image of more objects than this only with a larger stack than it has
IMAGE_OBJECTS <- 20000L

# Raw bytes of what went wrong, none when all went well
quit_save_image <- function() {
  aside <- file.path(getwd(), paste0(IMAGE_NAME, "Tmp", Sys.getpid()))
  complaint <- tryCatch({
    if (write_image(aside)) .rs_ask("image_written", aside) else ""
  }, error = function(e) {
    unlink(aside)
    # By then R has removed what it wrote, and there is room again
    is_full <- grepl(gettext("error writing to connection", domain = "R"), conditionMessage(e), fixed = TRUE)
    .rs_ask("image_failed", if (is_full) "" else conditionMessage(e))
  })
  charToRaw(enc2utf8(complaint))
}

# Whether there is a file to be put in its place
write_image <- function(aside) {
  count <- length(ls(globalenv(), all.names = TRUE, sorted = FALSE))
  if (count > IMAGE_OBJECTS) {
    stop("R could not read a file of ", count, " objects again; put them into lists or environments, or suspend the session, which keeps any number")
  }
  # R's own way out: whoever defines a function of this name takes the saving over
  own <- get0("sys.save.image", globalenv(), mode = "function", inherits = FALSE)
  if (!is.null(own)) {
    own(IMAGE_NAME)
    return(FALSE)
  }
  closeAllConnections()
  save.image(aside, safe = FALSE)
  TRUE
}
