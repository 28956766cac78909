"""`make run`: the server in the foreground, and how to sign in."""

import os
from collections.abc import Sequence
from contextlib import suppress

from rserver_core.conf_file import Entry
from rserver_core.config_errors import ConfigErrors
from rserver_core.options.command_line import entries, load
from rserver_core.options.rserver import RSERVER, RserverSettings
from tools import accounts
from tools.layout import ROOT, VENV

_EVERYWHERE = ("0.0.0.0", "::")


def serve(arguments: Sequence[str]) -> None:
    """Become the server."""
    options = ["--server-daemonize=0", *_local_only(arguments), *arguments]
    # What is wrong with the configuration the server says itself.
    with suppress(ConfigErrors):
        _tell(load(RSERVER, options, os.environ))
    program = VENV / "bin" / "rserver"
    os.chdir(ROOT)
    os.execv(program, [str(program), *options])


def _local_only(arguments: Sequence[str]) -> list[str]:
    """Somebody who tries the server out shows it to nobody else, unless told so on the command line or in the file."""
    given = {entry.key for entry in entries(arguments) if isinstance(entry, Entry)}
    try:
        everywhere = load(RSERVER, arguments, os.environ).www_address in _EVERYWHERE
    except ConfigErrors:
        everywhere = False
    return ["--www-address=127.0.0.1"] if everywhere and "www-address" not in given else []


def _tell(settings: RserverSettings) -> None:
    host = "127.0.0.1" if settings.www_address in _EVERYWHERE else settings.www_address
    url = f"http://{host}:{settings.www_port}{settings.www_root_path}"
    print(f"R in the browser: {url}   (Ctrl-C stops the server)", flush=True)
    if settings.auth_none:
        print("Sessions run as you; the address to open, with the token that lets you in, follows", flush=True)
        return
    password = accounts.demo_password()
    if password is not None:
        print(f"Sign in as {accounts.DEMO} with the password {password}", flush=True)
    print("Sign in with the name and password of a Linux account of this machine", flush=True)
