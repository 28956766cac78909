"""The front of the server: supervisor (master) and unprivileged Twisted worker."""
