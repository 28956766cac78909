"""Checks of what the server itself needs: account, directories, port, PAM services, web page."""

import errno
import os
import pwd
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

from rserver_admin import installation
from rserver_admin.server import Server
from rserver_admin.verify.check import Check, bad, good
from rserver_core.nginx_path import NginxMissing, nginx_path
from rserver_core.options.rserver import RserverSettings

_PAM_FOLDERS = (Path("/etc/pam.d"), Path("/usr/lib/pam.d"))
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
# A Unix socket's address is 108 bytes with the final NUL; below the run directory comes /sessions/<21 digits>.sock
_LONGEST_RUN_DIR = 107 - len("/sessions/") - 21 - len(".sock")


def server_checks(server: Server) -> Iterator[Check]:
    """All of them."""
    root = os.geteuid() == 0
    if root:
        yield account(server.settings.server_user)
    yield run_directory(server.run_dir)
    yield directory("server-lib-dir", server.lib_dir)
    yield port(server.settings.www_address, server.settings.www_port)
    if server.settings.server_http:
        yield nginx(server.settings.server_http_nginx)
    if root:
        yield from pam_services(server.settings)
    yield web_page()


def account(name: str) -> Check:
    """The account of the worker."""
    what = "server-user"
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return bad(what, f"there is no account {name}", f"useradd --system --user-group {name}")
    if entry.pw_uid == 0:
        return bad(what, f"{name} is root", "name an account without rights in server-user")
    return good(what, f"{name}, uid {entry.pw_uid}")


def run_directory(path: Path) -> Check:
    """server-data-dir, in which sockets lie."""
    if len(os.fsencode(path)) > _LONGEST_RUN_DIR:
        return bad("server-data-dir", f"{path} is too long a path for sockets", f"at most {_LONGEST_RUN_DIR} bytes")
    return directory("server-data-dir", path)


def directory(name: str, path: Path) -> Check:
    """A directory that is ours alone to write, or can be made."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return _can_be_made(name, path)
    except OSError as error:
        return bad(name, f"{path}: {error.strerror}", f"name another directory in {name}")
    if not stat.S_ISDIR(found.st_mode):
        return bad(name, f"{path} is no directory", f"remove it, or name another directory in {name}")
    if found.st_uid != os.geteuid():
        return bad(name, f"{path} belongs to uid {found.st_uid}", f"chown {os.geteuid()} {path}")
    if found.st_mode & _WRITABLE_BY_OTHERS:
        return bad(name, f"{path} can be written by others", f"chmod go-w {path}")
    if not os.access(path, os.W_OK):
        return bad(name, f"{path} cannot be written", "is the file system mounted read-only?")
    return good(name, str(path))


def _can_be_made(name: str, path: Path) -> Check:
    parent = next(parent for parent in path.parents if parent.exists())
    if parent.is_dir() and os.access(parent, os.W_OK | os.X_OK):
        return good(name, f"{path}, made at the first start")
    return bad(name, f"{path} is not there and cannot be made in {parent}", f"name another directory in {name}")


def port(address: str, number: int) -> Check:
    """The port that browsers connect to."""
    host = None if address in {"", "*"} else address
    try:
        found = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        return bad("www-address", f"{address}: {error.strerror}", "name an address of this machine in www-address")
    for family, _, _, _, where in found:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                probe.bind(where)
                probe.listen(1)
            except OSError as error:
                return _no_port(f"{where[0]}:{number}", error)
    return good("www-port", f"{address}:{number} is free")


def _no_port(where: str, error: OSError) -> Check:
    if error.errno == errno.EADDRINUSE:
        number = where.rpartition(":")[2]
        mend = f"`ss -ltnp 'sport = :{number}'` names the program; stop it or set another www-port"
        return bad("www-port", f"{where} is in use by another program", mend)
    return bad("www-port", f"{where}: {error.strerror}", "set another www-address or www-port")


def nginx(named: str) -> Check:
    """The nginx that runs in front."""
    try:
        return good("server-http", nginx_path(named))
    except NginxMissing as error:
        return bad("server-http", str(error), "apt-get install nginx-light; or name it in server-http-nginx")


def pam_services(settings: RserverSettings) -> Iterator[Check]:
    """The files of the PAM services; without them PAM refuses everybody."""
    services = {"auth-pam-service": (settings.auth_pam_service, "rstudio")}
    if settings.auth_pam_sessions_enabled:
        services["auth-pam-sessions-profile"] = (settings.auth_pam_sessions_profile, "rstudio-session")
    for option, (service, shipped) in services.items():
        found = [folder / service for folder in _PAM_FOLDERS if (folder / service).is_file()]
        if found:
            yield good(option, str(found[0]))
        else:
            source = os.path.join(installation.ROOT, "etc", "pam.d", shipped)
            yield bad(option, f"there is no PAM service {service}", f"install -m 644 {source} /etc/pam.d/{service}")


def web_page() -> Check:
    """The page that browsers load."""
    if os.path.isfile(installation.WEB_PAGE):
        return good("web page", os.path.dirname(installation.WEB_PAGE))
    return bad(
        "web page", f"{installation.WEB_PAGE} is missing", "`make setup` builds it; or install the package again"
    )
