"""Options that people bring along: where ours belong, and RStudio Server's that this server does not have."""

BELONGS_IN = {
    "session-default-working-dir": "rsession.conf",
    "session-save-action-default": "rsession.conf",
    "session-connections-block-suspend": "rsession.conf",
    "session-disconnected-timeout-minutes": "rsession.conf",
    "session-ephemeral-env-vars": "rsession.conf",
    "session-external-pointers-block-suspend": "rsession.conf",
    "session-quit-child-processes-on-exit": "rsession.conf",
    "session-rprofile-on-resume-default": "rsession.conf",
    "session-suspend-on-incomplete-statement": "rsession.conf",
    "session-timeout-kill-hours": "rsession.conf",
    "session-timeout-minutes": "rsession.conf",
    "session-timeout-suspend": "rsession.conf",
    "websocket-ping-seconds": "rsession.conf",
}

_NAMES = """
admin-enabled admin-superuser-group allow-external-publish allow-file-downloads allow-file-uploads
allow-full-ui allow-launcher-jobs allow-package-installation allow-publish allow-r-cran-repos-edit
allow-remove-public-folder allow-rpubs-publish allow-shell allow-terminal-websockets allow-vcs
allow-vcs-executable-edit audit-data-path audit-r-console audit-r-console-compress audit-r-console-format
audit-r-console-user-limit-mb audit-r-console-user-limit-months audit-r-sessions audit-r-sessions-format
audit-r-sessions-limit-mb audit-r-sessions-limit-months auth-encrypt-password auth-google-accounts auth-openid
auth-openid-base-uri auth-openid-issuer auth-openid-scopes auth-openid-username-claim auth-pam-require-password-prompt
auth-pam-sessions-close auth-pam-sessions-use-password auth-proxy auth-proxy-sign-in-delay auth-proxy-sign-in-url
auth-proxy-sign-out-url auth-proxy-user-header auth-proxy-user-header-rewrite auth-saml auth-saml-metadata-path
auth-saml-metadata-url auth-saml-sp-attribute-username auth-saml-sp-base-uri auth-saml-sso-initiation
auth-sign-in-throttle-seconds auth-validate-users database-config-file db-connection-timeout directory-view-allow-list
group-provisioning-start-gid launcher-address launcher-default-cluster launcher-port
launcher-sessions-callback-address launcher-sessions-callback-timeout launcher-sessions-connection-timeout-seconds
launcher-sessions-container-forward-groups launcher-sessions-container-image launcher-sessions-container-images
launcher-sessions-container-run-as-root launcher-sessions-create-container-user launcher-sessions-enabled
launcher-sessions-forward-container-environment load-balancing-enabled metrics-enabled metrics-port
monitor-data-path monitor-graphite-enabled monitor-interval-seconds monitor-rrd-enabled monitor-stderr-enabled
r-cran-repos r-libs-user restrict-directory-view rldpath-path
rsession-diagnostics-dir rsession-diagnostics-enabled rsession-diagnostics-strace-enabled rsession-exec-command
rsession-memory-limit-mb rsession-no-profile rsession-process-limit
rsession-stack-limit-mb
server-access-log server-health-check-enabled
server-user-home-page session-async-rpc-enabled
session-async-rpc-timeout-ms session-create-profile session-create-public-folder
session-handle-offline-enabled session-handle-offline-timeout-ms session-port-range session-preflight-script
session-use-file-storage
user-provisioning-enabled user-provisioning-start-uid websocket-connect-timeout websocket-handshake-timeout
workbench-api-admin-enabled workbench-api-enabled workbench-api-super-admin-enabled
www-proxy-localhost www-stats-monitor-seconds www-thread-pool-size
www-verify-user-agent
"""

UNSUPPORTED = frozenset(_NAMES.split())
