"""Which file holds the keys that sign cookies."""

from collections.abc import Mapping
from pathlib import Path

from rserver_core import conf_file
from rserver_core.options.rserver import RserverSettings


def cookie_key_file(settings: RserverSettings, environ: Mapping[str, str]) -> Path:
    """secure-cookie-key-file, or the one in the configuration directory, or our own."""
    if settings.secure_cookie_key_file:
        return Path(settings.secure_cookie_key_file)
    configured = Path(conf_file.directory(environ)) / "secure-cookie-key"
    return configured if configured.exists() else Path(settings.server_lib_dir) / "secure-cookie-key"
