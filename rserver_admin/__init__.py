"""The `rstudio-server` command: what an administrator does to a server and its sessions."""
