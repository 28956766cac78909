"""The worker's options as one typed value, made from the greeting of the master."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from rserver.sign_in.cookie_life import CookieLife
from rserver.sign_in.policy import SignInPolicy
from rserver.sign_in.set_cookie import CookieStyle
from rserver_core.security_headers import transport_field


class SettingsError(Exception):
    """The master handed over an option of the wrong type; the text names it."""


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """Options of rserver.conf that the worker heeds, named as there with underscores."""

    www_root_path: str = "/"
    www_trusted_proxies: tuple[str, ...] = ()
    www_frame_origin: str = "none"
    www_same_site: str = ""
    www_enable_origin_check: bool = False
    www_allow_origin: tuple[str, ...] = ()
    www_max_connections: int = 16384
    www_max_connections_per_address: int = 2000
    www_max_connections_per_user: int = 500
    www_header_timeout_seconds: int = 20
    www_body_timeout_seconds: int = 60
    www_send_timeout_seconds: int = 120
    www_min_data_rate: int = 100
    server_add_header: tuple[str, ...] = ()
    ssl_enabled: bool = False
    ssl_protocols: tuple[str, ...] = ("TLSv1.2", "TLSv1.3")
    ssl_hsts: bool = True
    ssl_hsts_max_age: int = 15552000
    ssl_hsts_include_subdomains: bool = False
    auth_minimum_user_id: int = 1000
    auth_required_user_group: str = ""
    admin_group: str = ""
    auth_timeout_minutes: int = 60
    auth_stay_signed_in_days: int = 30
    auth_login_page_html: str = ""
    auth_cookies_force_secure: bool = False
    auth_token: str = ""
    remote_token_seconds: int = 3600
    server_multiple_sessions: bool = True
    session_limit: int = 0
    rsession_which_r: str = ""
    rsession_config_file: str = ""
    rsession_ld_library_path: str = ""
    r_versions_scan: bool = True
    r_versions_multiple: bool = True
    r_versions_path: str = ""
    modules_bin_path: str = ""
    rsession_proxy_max_wait_secs: int = 60
    server_data_dir: str = "/run/rstudio-server"
    server_lib_dir: str = "/var/lib/rstudio-server"
    server_shared_storage_path: str = ""
    server_project_sharing_root_dir: str = ""

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> "WorkerSettings":
        """Names not in options keep their default; names not here belong to others. SettingsError on a wrong type."""
        known: dict[str, Any] = {}
        for field in fields(cls):
            name = field.name.replace("_", "-")
            if options.get(name) is not None:
                known[field.name] = _checked(name, options[name], type(field.default))
        return cls(**known)

    @property
    def root_path(self) -> str:
        """www-root-path with one slash at both ends."""
        inner = self.www_root_path.strip("/")
        return f"/{inner}/" if inner else "/"

    @property
    def shared_storage(self) -> str:
        """Folder of what users of the server share."""
        return self.server_shared_storage_path or os.path.join(self.server_lib_dir, "shared-storage")

    @property
    def tls_headers(self) -> tuple[str, ...]:
        """What answers over TLS have besides."""
        if not (self.ssl_enabled and self.ssl_hsts):
            return ()
        return (transport_field(self.ssl_hsts_max_age, include_subdomains=self.ssl_hsts_include_subdomains),)

    @property
    def policy(self) -> SignInPolicy:
        """Who may come in."""
        return SignInPolicy(self.auth_minimum_user_id, _names(self.auth_required_user_group))

    @property
    def admin_groups(self) -> frozenset[str]:
        """Whose members see the pages below /admin."""
        return _names(self.admin_group)

    @property
    def cookie_life(self) -> CookieLife:
        """How long a sign-in lasts."""
        return CookieLife(self.auth_timeout_minutes, self.auth_stay_signed_in_days)

    @property
    def cookie_style(self) -> CookieStyle:
        """What our cookies have in common."""
        return CookieStyle(self.www_same_site, self.auth_cookies_force_secure)


def _names(text: str) -> frozenset[str]:
    return frozenset(text.replace(",", " ").split())


def _checked(name: str, value: object, kind: type) -> object:
    if isinstance(value, (list, tuple)):
        value = tuple(map(str, value)) if kind is tuple else ",".join(map(str, value))
    if kind is int and value == "auto":
        value = 1000
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise SettingsError(f"{name}={value!r} is no {kind.__name__}")
    return value
