"""The verb diagnose: what reverse proxies in front of the running server do wrong."""

import os
import ssl
import time

from rserver_admin.verb import EXIT_FAILED, EXIT_STOPPED, EXIT_USAGE, Context, Refused, Result
from rserver_core import diagnose_token
from rserver_core.cookie_key_file import cookie_key_file
from rserver_diagnose.address import Address, BadAddress, parse
from rserver_diagnose.diagnosis import SILENCE_SECONDS, diagnosed

_MOST_SECONDS = 120


def diagnose(context: Context) -> Result:
    """Everything that is found; exit code 1 when something is wrong."""
    own = context.invocation.own
    address, seconds = _address(own.get("url", ""), own.get("connect", "")), _seconds(own.get("seconds", ""))
    if context.server.process() is None:
        raise Refused("rserver does not run. Start it first: rstudio-server start", EXIT_STOPPED)
    _check_authorities(own.get("ca-file", ""))
    token = diagnose_token.make(_key(context), time.time())
    report = diagnosed(address, token, own.get("ca-file", ""), seconds)
    return Result(report.text(), report.data(), 0 if report.is_good else EXIT_FAILED)


def _check_authorities(ca_file: str) -> None:
    try:
        ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:
        reason = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise Refused(f"{ca_file} cannot be used as --ca-file: {reason}.", EXIT_USAGE) from None


def _address(url: str, connect: str) -> Address:
    if not url:
        raise Refused("Usage: rstudio-server diagnose --url=https://r.example.org/r/", EXIT_USAGE)
    try:
        return parse(url, connect)
    except BadAddress as error:
        raise Refused(str(error), EXIT_USAGE) from None


def _seconds(text: str) -> int:
    if not text:
        return SILENCE_SECONDS
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST_SECONDS):
        raise Refused(f"--seconds is a whole number from 1 to {_MOST_SECONDS}.", EXIT_USAGE)
    return int(text)


def _key(context: Context) -> bytes:
    """The first key that signs cookies, as the server reads them."""
    path = cookie_key_file(context.server.settings, context.environ)
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), encoding="utf-8") as file:
            lines = [line.strip() for line in file.read(65536).splitlines()]
        return next(line.encode() for line in lines if line and not line.startswith("#"))
    except (OSError, ValueError, StopIteration) as error:
        raise Refused(f"The key {path} cannot be read: {error}.") from None
