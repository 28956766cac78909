#!/bin/sh
# rsession-run PROGRAM [ARGUMENT ...]: runs the R session as after a login, in the process it was started in.
#
# The administrator's rsession-profile comes first, then bash as a login shell reads /etc/profile and the user's own
# profile, then the program takes its place. Descriptor 3, the session's socket, is handed through untouched.

profile="${RSTUDIO_CONFIG_DIR:-/etc/rstudio}/rsession-profile"
if [ -r "$profile" ]; then
    . "$profile"
fi

shell=$(command -v bash) || shell=/bin/sh
exec "$shell" -l -c 'exec "$@"' rsession "$@"
