# Writes the examples of a package's help pages, one file per page, into a directory.
arguments <- commandArgs(trailingOnly = TRUE)
pages <- tools::Rd_db(arguments[[1L]])
for (name in names(pages)) {
    tools::Rd2ex(pages[[name]], file.path(arguments[[2L]], sub("[.][Rr]d$", ".R", name)))
}
