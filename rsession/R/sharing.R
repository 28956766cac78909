# The working directory is below a folder that the user may not enter any more
leave_directory <- function(folder) {
  here <- tryCatch(getwd(), error = function(e) NULL)
  if (is.null(here) || here == folder || startsWith(here, paste0(folder, "/"))) setwd(path.expand("~"))
  NULL
}
