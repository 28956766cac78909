#!/bin/sh
# rsession-run PROGRAM [ARGUMENT ...]: runs the R session as after a login, in the process it was started in.
#
# The project may want another R than the server chose. Then come the administrator's rsession-profile, the environment
# modules and the script of the R version, and bash as a login shell, which reads /etc/profile and the user's own
# profile. Then the program takes its place. Descriptor 3, the session's socket, is handed through untouched.

if [ -n "$RS_R_VERSIONS" ]; then
    chosen=$("$@" --choose-r=1) && eval "$chosen"
    unset RS_R_VERSIONS chosen
fi

# Modules and scripts are written for bash; what the profile defines must still be there for them.
if [ -n "$RSTUDIO_R_MODULE$RSTUDIO_R_PRELAUNCH_SCRIPT" ] && [ -z "$BASH_VERSION" ] && command -v bash >/dev/null; then
    exec bash "$0" "$@"
fi

profile="${RSTUDIO_CONFIG_DIR:-/etc/rstudio}/rsession-profile"
if [ -r "$profile" ]; then
    . "$profile"
fi

# give_up CODE SENTENCE: the server tells the user the sentence of the code, and what was written.
give_up() {
    trap - EXIT
    echo "rsession-run: $2" >&2
    exit "$1"
}

path_before=$PATH
if [ -n "$RSTUDIO_R_MODULE" ]; then
    if [ -n "$RS_MODULES_BIN_PATH" ]; then
        [ -r "$RS_MODULES_BIN_PATH" ] || give_up 71 "modules-bin-path: $RS_MODULES_BIN_PATH cannot be read"
        trap 'give_up 71 "$RS_MODULES_BIN_PATH ended the start"' EXIT
        . "$RS_MODULES_BIN_PATH"
        trap - EXIT
    fi
    command -v module >/dev/null || give_up 71 "there is no command \`module\`; is modules-bin-path set?"
    # Several names are separate words.
    module load $RSTUDIO_R_MODULE || give_up 71 "module load $RSTUDIO_R_MODULE failed with exit code $?"
    for module in ${LOADEDMODULES+$RSTUDIO_R_MODULE}; do
        case ":$LOADEDMODULES:" in
            *":$module:"* | *":$module/"*) ;;
            *) give_up 71 "module load $RSTUDIO_R_MODULE did not load $module" ;;
        esac
    done
fi

if [ -n "$RSTUDIO_R_PRELAUNCH_SCRIPT" ]; then
    [ -r "$RSTUDIO_R_PRELAUNCH_SCRIPT" ] || give_up 72 "$RSTUDIO_R_PRELAUNCH_SCRIPT cannot be read"
    trap 'give_up 72 "$RSTUDIO_R_PRELAUNCH_SCRIPT ended the start with exit code $?"' EXIT
    . "$RSTUDIO_R_PRELAUNCH_SCRIPT" || give_up 72 "$RSTUDIO_R_PRELAUNCH_SCRIPT failed with exit code $?"
    trap - EXIT
fi

# To be suspended or ended by USR1 and USR2 is for a session that can heed them; Python and R take a moment to start.
shell=$(command -v bash) || shell=/bin/sh
case "$PATH" in
    *?"$path_before")
        # /etc/profile sets PATH anew on many systems; what a module put before it must not be lost.
        export RS_PATH="${PATH%"$path_before"}"
        exec "$shell" -l -c 'PATH=$RS_PATH$PATH; unset RS_PATH; trap "" USR1 USR2; exec "$@"' rsession "$@"
        ;;
esac
exec "$shell" -l -c 'trap "" USR1 USR2; exec "$@"' rsession "$@"
