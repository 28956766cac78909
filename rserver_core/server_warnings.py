"""What the server can do without, and its administrator should know all the same."""

import contextlib
import grp
import os
import pwd
import stat
from collections.abc import Iterator, Mapping, Sequence

from rserver_core import r_versions_file
from rserver_core.nginx_path import NginxMissing, nginx_path
from rserver_core.options.rserver import RSERVER, RserverSettings
from rserver_core.profiles import file as profiles_file
from rserver_core.profiles.doubts import Surroundings, doubts
from rserver_core.profiles.profiles import Profiles
from rserver_core.r_list import RSearch, list_versions
from rserver_core.r_version import RVersion

_ONLY_WITH_HTTPS = (
    "ssl-password-file",
    "ssl-protocols",
    "ssl-redirect-http-port",
    "ssl-hsts-max-age",
    "ssl-hsts-include-subdomains",
)


def warnings(settings: RserverSettings, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Sentences, such as about an R that cannot be used. The files are good. Asks the name service."""
    sources = RSearch(
        settings.rsession_which_r,
        environ.get("PATH", os.defpath),
        settings.r_versions_scan,
        settings.modules_bin_path,
        tuple(r_versions_file.read(environ)[0]),
    )
    listed = list_versions(sources)
    fault = (f"there is no default R: {listed.fault}",) if listed.fault else ()
    return (
        *_of_nginx(settings),
        *_of_https(settings),
        *_of_sharing(settings),
        *fault,
        *listed.warnings,
        *of_profiles(profiles_file.load(environ), listed.versions),
    )


def _of_nginx(settings: RserverSettings) -> tuple[str, ...]:
    try:
        if settings.server_http:
            nginx_path(settings.server_http_nginx)
    except NginxMissing as error:
        return (str(error),)
    return ()


def _of_https(settings: RserverSettings) -> tuple[str, ...]:
    """Options that do nothing as the others are."""
    if not settings.ssl_enabled:
        return tuple(_without_https(settings))
    if settings.ssl_redirect_http_port and not settings.ssl_redirect_http:
        return ("ssl-redirect-http-port does nothing with ssl-redirect-http=0",)
    return ()


def _without_https(settings: RserverSettings) -> Iterator[str]:
    if settings.ssl_certificate:
        yield "ssl-certificate does nothing without ssl-enabled=1: browsers come over plain HTTP"
    for name in _ONLY_WITH_HTTPS:
        option = RSERVER.options[name]
        if getattr(settings, option.attribute) != option.default({}, root=True):
            yield f"{name} does nothing without ssl-enabled=1"


def _of_sharing(settings: RserverSettings) -> tuple[str, ...]:
    """As far as this process can see the folder."""
    root = settings.server_project_sharing_root_dir
    if not root:
        return ()
    name = "server-project-sharing-root-dir"
    if not settings.server_project_sharing:
        return (f"{name} does nothing with server-project-sharing=0",)
    with contextlib.suppress(PermissionError):
        if not stat.S_ISDIR(_mode(root)):
            return (f"{name}: {root} is no folder: only projects in homes can be shared",)
        if not _mode(root) & stat.S_IXOTH:
            return (f"{name}: not every user can enter {root} (chmod o+x)",)
    return ()


def _mode(path: str) -> int:
    """0 where there is nothing. PermissionError."""
    try:
        return os.stat(path).st_mode
    except PermissionError:
        raise
    except OSError:
        return 0


def of_profiles(profiles: Profiles, versions: Sequence[RVersion]) -> tuple[str, ...]:
    """What the profiles name that is not on this machine. Asks the name service: may block."""
    processors = {number + 1 for number in os.sched_getaffinity(0)}
    return tuple(doubts(profiles, Surroundings(_is_user, _is_group, processors, versions)))


def _is_user(name: str) -> bool:
    with contextlib.suppress(KeyError):
        return bool(pwd.getpwnam(name))
    return False


def _is_group(name: str) -> bool:
    with contextlib.suppress(KeyError):
        return bool(grp.getgrnam(name))
    return False
