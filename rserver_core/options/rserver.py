"""Options of `rserver`, in rserver.conf and on its command line."""

import posixpath
from collections.abc import Iterator
from typing import NamedTuple

from rserver_core.options.kinds import (
    Choice,
    Flag,
    FrameOrigin,
    Header,
    Integer,
    Names,
    Networks,
    OriginPattern,
    Path,
    Text,
    Words,
)
from rserver_core.options.option import option
from rserver_core.options.table import OptionTable
from rserver_core.options.uid_min import MinimumUid

_ACCOUNT = Text("an account name", r"[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?")
_SERVICE = Text("the name of a file in /etc/pam.d", r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_ADDRESS = Text("an IP address or a host name", r"[A-Za-z0-9_.:%-]{1,255}|\[[0-9a-fA-F:.]{2,45}\]")
_FOLDERS = Text("absolute paths with colons between them", r"(?:/[^:\n]*(?::/[^:\n]*)*)?")
_ROOT_PATH = Text("/ or a path like /r, of letters, digits and . _ ~ -", r"/|(/[A-Za-z0-9._~-]+)+/?")


class RserverSettings(NamedTuple):
    """Every option of rserver with its value."""

    config_file: str = option(
        Path(empty=True),
        "",
        "Read this file instead of rserver.conf in the configuration directory.",
        command_line_only=True,
    )
    server_user: str = option(
        _ACCOUNT, "rstudio-server", "Account of the process that talks to the network. Not used without root."
    )
    server_daemonize: bool = option(
        Flag(), "1", "1: go to the background after the start; 0: stay in the foreground.", without_root=("0",)
    )
    server_pid_file: str = option(
        Path(empty=True), "", "File that holds the process id of the master. Empty: rserver.pid in server-data-dir."
    )
    server_data_dir: str = option(
        Path(),
        "/run/rstudio-server",
        "Directory of sockets and run records; it may be lost when the machine is switched off.",
        without_root=("$XDG_RUNTIME_DIR/rstudio-server", "~/.local/share/rstudio-server/run"),
    )
    server_lib_dir: str = option(
        Path(),
        "/var/lib/rstudio-server",
        "Directory of the server's lasting state: the key that signs cookies, revoked cookies, audit log.",
        without_root=("~/.local/share/rstudio-server",),
    )
    server_working_dir: str = option(Path(), "/", "Working directory of the server.", without_root=("~",))
    server_set_umask: bool = option(
        Flag(), "1", "1: the server sets its umask to 022; 0: it keeps the one it was started with."
    )
    secure_cookie_key_file: str = option(
        Path(empty=True),
        "",
        "File with the key that signs cookies, mode 0600, at least 32 bytes. Empty: secure-cookie-key "
        "in the configuration directory when it exists, else in server-lib-dir, where it is made.",
    )
    www_address: str = option(_ADDRESS, "0.0.0.0", "Address to listen on for browsers.", without_root=("127.0.0.1",))
    www_port: int = option(
        Integer(0, 65535), "8787", "Port to listen on for browsers; 0 takes a free one and prints it."
    )
    www_root_path: str = option(_ROOT_PATH, "/", "Path under which a proxy in front shows this server.")
    www_trusted_proxies: tuple[str, ...] = option(
        Networks(),
        "",
        "Proxies in front whose X-Forwarded-For, -Proto, -Host, X-RStudio-Request and X-RStudio-Root-Path are "
        "believed. Empty: nobody's.",
    )
    www_frame_origin: str = option(
        FrameOrigin(),
        "none",
        "Who may show our pages in a frame: nobody, pages of the same origin, any page, or one origin.",
    )
    www_same_site: str = option(
        Choice(("", "none", "lax", "strict")),
        "",
        "SameSite attribute of our cookies; empty: lax. none needs ssl-enabled=1 or auth-cookies-force-secure=1.",
    )
    www_workers: int = option(
        Integer(1, 64),
        "1",
        "Processes that share the connections of browsers. One is enough for hundreds of users; at most one for each "
        "processor is of use.",
    )
    www_max_connections: int = option(
        Integer(8, 1000000),
        "16384",
        "Connections at once, of all clients; fewer when the limit on open files (ulimit -n) allows fewer. Whoever "
        "comes then is answered 503.",
    )
    www_max_connections_per_address: int = option(
        Integer(0, 1000000),
        "2000",
        "Connections at once from one address, WebSockets included; 0: any number. Does not hold for "
        "www-trusted-proxies. Each worker counts for itself.",
    )
    www_max_connections_per_user: int = option(
        Integer(0, 1000000),
        "500",
        "Requests to R sessions that one user may have open at once, WebSockets included; 0: any number. Each worker "
        "counts for itself.",
    )
    www_header_timeout_seconds: int = option(
        Integer(1, 3600), "20", "Seconds within which the head of a request must have come, or a TLS handshake."
    )
    www_body_timeout_seconds: int = option(
        Integer(1, 3600),
        "60",
        "Seconds after which it is looked whether a request's body comes with www-min-data-rate, again and again.",
    )
    www_send_timeout_seconds: int = option(
        Integer(1, 3600),
        "120",
        "Seconds after which it is looked whether a client that is owed data reads with www-min-data-rate, again and "
        "again. WebSockets and requests that wait are not concerned.",
    )
    www_min_data_rate: int = option(
        Integer(0, 1000000), "100", "Bytes a second that a client must send or read; 0: any at all will do."
    )
    server_add_header: tuple[str, ...] = option(
        Header(), "", "Header added to every response of the server, `Name: value`.", repeatable=True
    )
    www_enable_origin_check: bool = option(
        Flag(),
        "0",
        "1: requests that change something are refused when their Origin or Referer is another host. WebSockets are "
        "always checked.",
    )
    www_allow_origin: tuple[str, ...] = option(
        OriginPattern(),
        "",
        "Host, or pattern such as *.example.org, of a page that may send requests and open WebSockets although it has "
        "another address than the server.",
        repeatable=True,
    )
    server_http: bool = option(
        Flag(), "0", "1: the server runs an nginx of its own in front: TLS, HTTP/2, compression and files at its speed."
    )
    server_http_nginx: str = option(
        Path(empty=True), "", "The nginx program. Empty: the first one in the usual folders."
    )
    ssl_enabled: bool = option(Flag(), "0", "1: browsers come over HTTPS, on www-port.")
    ssl_certificate: tuple[str, ...] = option(
        Path(),
        "",
        "File with a certificate and those of its issuers: PEM, with or without the key, or PKCS #12 (PFX). Given "
        "several times: the one for the name that the browser asks for, else the first. Never given: a certificate "
        "signed by itself is made in server-lib-dir.",
        repeatable=True,
    )
    ssl_certificate_key: tuple[str, ...] = option(
        Path(),
        "",
        "File with the key of the certificate, PEM; the first belongs to the first certificate, and so on.",
        repeatable=True,
    )
    ssl_password_file: str = option(
        Path(empty=True), "", "File, mode 0600, whose first line is the password of the keys and PFX files."
    )
    ssl_protocols: tuple[str, ...] = option(
        Words(("TLSv1.2", "TLSv1.3")), "TLSv1.2 TLSv1.3", "Versions of TLS that are spoken."
    )
    ssl_redirect_http: bool = option(Flag(), "1", "1: who comes over HTTP on ssl-redirect-http-port is sent to HTTPS.")
    ssl_redirect_http_port: int = option(
        Integer(0, 65535), "0", "Port for HTTP beside HTTPS; 0: port 80 when www-port is 443, otherwise none."
    )
    ssl_hsts: bool = option(Flag(), "1", "1: browsers are told to come over HTTPS only (Strict-Transport-Security).")
    ssl_hsts_max_age: int = option(Integer(0, 63072000), "15552000", "Seconds for which they remember that.")
    ssl_hsts_include_subdomains: bool = option(Flag(), "0", "1: they remember it for all names below ours too.")
    remote_enabled: bool = option(
        Flag(), "0", "1: programs may run R here too, through a REST interface on remote-port."
    )
    remote_address: str = option(_ADDRESS, "127.0.0.1", "Address to listen on for programs.")
    remote_port: int = option(
        Integer(0, 65535), "12800", "Port to listen on for programs; 0 takes a free one and prints it."
    )
    remote_token_seconds: int = option(
        Integer(1, 86400), "3600", "Life of an access token; the refresh token that comes with it gives another."
    )
    server_multiple_sessions: bool = option(
        Flag(), "1", "1: a user may have several sessions and chooses on the page /home; 0: one session for each user."
    )
    session_limit: int = option(
        Integer(0, 1000), "0", "Sessions that a user may have, suspended ones included; 0: no limit."
    )
    rsession_which_r: str = option(
        Path(empty=True), "", "The R program that sessions run. Empty: the first R on the PATH."
    )
    rsession_preload: bool = option(
        Flag(),
        "0",
        "1: sessions are forked from a process that has started R already: they start sooner and share memory. "
        "0: each session starts R itself, as do those that cannot be forked with 1.",
    )
    rsession_ld_library_path: str = option(
        _FOLDERS, "", "Folders added to LD_LIBRARY_PATH of sessions after those of R, with colons between them."
    )
    r_versions_scan: bool = option(
        Flag(), "1", "1: look for R on the PATH and in the usual places; 0: only what r-versions lists."
    )
    r_versions_multiple: bool = option(
        Flag(), "1", "1: users may choose among the R versions of this server; 0: everybody gets the default."
    )
    r_versions_path: str = option(
        Path(empty=True),
        "",
        "File in which the server remembers the R versions that it found. Empty: db/r-versions in server-lib-dir.",
    )
    modules_bin_path: str = option(
        Path(empty=True), "", "Shell script that defines the command `module`, for R versions with a Module."
    )
    rsession_path: str = option(Path(empty=True), "", "The rsession program. Empty: the one installed beside rserver.")
    rsession_config_file: str = option(
        Path(empty=True), "", "Read by sessions instead of rsession.conf in the configuration directory."
    )
    rsession_proxy_max_wait_secs: int = option(
        Integer(1, 600), "60", "Seconds that a request waits for a session that is starting."
    )
    auth_none: bool = option(
        Flag(),
        "0",
        "1: no sign-in; every visitor works as the user who runs the server. Refused as root.",
        without_root=("1",),
    )
    auth_timeout_minutes: int = option(
        Integer(0, 525600),
        "60",
        "Minutes without activity after which a visitor is signed out; 0: auth-stay-signed-in-days counts.",
    )
    auth_stay_signed_in_days: int = option(
        Integer(1, 3650), "30", 'Days for which the box "stay signed in" keeps a visitor signed in.'
    )
    auth_required_user_group: tuple[str, ...] = option(
        Names(), "", "Only members of one of these groups may sign in. Empty: everybody."
    )
    admin_group: tuple[str, ...] = option(
        Names(), "", "Members of one of these groups see the pages below /admin. Empty: nobody does."
    )
    auth_minimum_user_id: int = option(
        MinimumUid(),
        "auto",
        "Accounts with a lower uid may not sign in; auto is UID_MIN of /etc/login.defs, else 1000.",
    )
    auth_login_page_html: str = option(
        Path(empty=True),
        "",
        "File with HTML shown on the sign-in page. Empty: login.html in the configuration directory, if it is there.",
    )
    auth_cookies_force_secure: bool = option(
        Flag(), "0", "1: cookies are sent over HTTPS only, also when a proxy in front does the TLS."
    )
    auth_pam_service: str = option(_SERVICE, "rstudio", "PAM service that checks passwords.")
    auth_pam_sessions_enabled: bool = option(
        Flag(),
        "1",
        "1: sessions are started inside a PAM session (limits, environment, home directory); 0: without PAM.",
        without_root=("0",),
    )
    auth_pam_sessions_profile: str = option(
        _SERVICE, "rstudio-session", "PAM service of these sessions; it asks for no password."
    )
    server_project_sharing: bool = option(
        Flag(),
        "1",
        "1: users may share projects with each other; 0: they may not. What was shared stays shared.",
        without_root=("0",),
    )
    server_shared_storage_path: str = option(
        Path(empty=True),
        "",
        "Directory of what users of the server share: shared-projects in it tells people of projects that are shared "
        "with them. Its file system must keep access control lists. Empty: shared-storage in server-lib-dir.",
    )
    server_project_sharing_root_dir: str = option(
        Path(empty=True),
        "",
        "Folder below which projects can be shared too, besides those in homes. Its users must be able to enter it.",
    )


def redirect_port(settings: RserverSettings) -> int:
    """Where HTTP is answered with a redirect to HTTPS; 0: nowhere."""
    if not (settings.ssl_enabled and settings.ssl_redirect_http):
        return 0
    return settings.ssl_redirect_http_port or (80 if settings.www_port == 443 else 0)


def _contradictions(settings: RserverSettings) -> Iterator[tuple[str, str]]:
    if settings.www_same_site == "none" and not (settings.auth_cookies_force_secure or settings.ssl_enabled):
        yield (
            "www-same-site",
            "none needs ssl-enabled=1 or auth-cookies-force-secure=1: browsers drop such cookies otherwise",
        )
    if len(settings.ssl_certificate_key) > len(settings.ssl_certificate):
        yield "ssl-certificate-key", "there are more keys than certificates"
    if posixpath.normpath(settings.server_project_sharing_root_dir) in {"/", "//"}:
        yield "server-project-sharing-root-dir", "must not be /: name a folder for projects, such as /srv/projects"
    if redirect_port(settings) == settings.www_port != 0:
        yield "ssl-redirect-http-port", "is the same as www-port"
    if settings.remote_enabled and settings.remote_port == settings.www_port != 0:
        yield "remote-port", "is the same as www-port"


RSERVER = OptionTable(
    "rserver",
    "rserver.conf",
    RserverSettings,
    "The server: signs people in and starts an R session for each of them.",
    {
        "config-file": "Configuration",
        "server-user": "The server itself",
        "www-address": "Web",
        "server-http": "nginx in front",
        "ssl-enabled": "TLS",
        "remote-enabled": "Programs",
        "server-multiple-sessions": "R sessions",
        "auth-none": "Signing in",
        "server-project-sharing": "Shared projects",
    },
    _contradictions,
)
