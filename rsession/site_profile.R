# In the place of the site's profile when the R version has repositories of its own: the site's profile, then those.
# The user's profile comes later and may set others.
local({
  own <- Sys.getenv("RS_OWN_PROFILE")
  files <- c(
    if (nzchar(own)) own,
    file.path(R.home("etc"), Sys.getenv("R_ARCH"), "Rprofile.site"),
    file.path(R.home("etc"), "Rprofile.site")
  )
  site <- Sys.getenv("RS_SITE_PROFILE")
  if (!nzchar(site)) site <- files[file.exists(files)][1L]
  if (nzchar(own)) Sys.setenv(R_PROFILE = if (identical(own, "/dev/null")) "" else own) else Sys.unsetenv("R_PROFILE")
  lines <- strsplit(Sys.getenv("RS_R_REPOSITORIES"), "\n", fixed = TRUE)[[1L]]
  Sys.unsetenv(c("RS_OWN_PROFILE", "RS_SITE_PROFILE", "RS_R_REPOSITORIES"))
  if (!is.na(site)) {
    tryCatch(sys.source(site, envir = baseenv()), error = function(e) message("Error in ", site, ": ", conditionMessage(e)))
  }
  options(repos = structure(sub("^[^=]*=", "", lines), names = sub("=.*", "", lines)))
})
