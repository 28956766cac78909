"""What is wrong with the certificate that is shown at the address."""

import socket
import ssl
import time
from dataclasses import dataclass

from rserver_diagnose import faults
from rserver_diagnose.address import Address
from rserver_diagnose.connection import CONNECT_SECONDS
from rserver_diagnose.finding import Fault, Finding

_SOON_SECONDS = 21 * 86400
# X509_V_FLAG_NO_CHECK_TIME, which the module ssl has no name for.
_NO_CHECK_TIME = 0x200000
_TIME, _NAME = frozenset({9, 10}), frozenset({62, 64})


@dataclass(frozen=True, slots=True)
class Seen:
    """Findings, and a context with which the connection is made all the same."""

    findings: tuple[Finding, ...]
    context: ssl.SSLContext | None


def looked_at(address: Address, ca_file: str = "") -> Seen:
    """OSError when nothing answers at all; each fault is passed over then, to find the next."""
    context = ssl.create_default_context(cafile=ca_file or None)
    if ca_file:
        context.load_default_certs()
    found: list[Finding] = []
    for _ in range(4):
        try:
            found += _ends_soon(address, context)
            break
        except ssl.SSLCertVerificationError as error:
            found.append(Finding(_fault(address, error), error.verify_message))
            _pass_over(context, error.verify_code)
        except ssl.SSLError as error:
            return Seen((*found, Finding(faults.NOT_TLS, str(error.reason or error))), None)
    return Seen(tuple(found), context)


def _ends_soon(address: Address, context: ssl.SSLContext) -> list[Finding]:
    with _connected(address, context) as connection:
        ends = (connection.getpeercert() or {}).get("notAfter")
    if not isinstance(ends, str) or int(context.verify_flags) & _NO_CHECK_TIME:
        return []
    soon = ssl.cert_time_to_seconds(ends) - time.time() < _SOON_SECONDS
    return [Finding(faults.ENDS_SOON, f"valid until {ends}")] if soon else []


def _pass_over(context: ssl.SSLContext, code: int) -> None:
    if code in _TIME:
        context.verify_flags |= _NO_CHECK_TIME
    elif code in _NAME:
        context.check_hostname = False
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE


def _fault(address: Address, error: ssl.SSLCertVerificationError) -> Fault:
    if error.verify_code in _TIME:
        return faults.EXPIRED
    if error.verify_code in _NAME:
        return faults.WRONG_NAME
    return faults.NO_CHAIN if error.verify_code in {20, 21} and _is_alone(address) else faults.UNKNOWN_ISSUER


def _is_alone(address: Address) -> bool:
    """The server sends its own certificate only. One signed by itself is another fault, with another code."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with _connected(address, context) as connection:
        # Public from Python 3.13 on, as get_unverified_chain of the socket itself.
        get_chain = getattr(connection._sslobj, "get_unverified_chain", list)  # type: ignore[attr-defined]
        return len(get_chain()) == 1


def _connected(address: Address, context: ssl.SSLContext) -> ssl.SSLSocket:
    plain = socket.create_connection(address.connect or (address.host, address.port), CONNECT_SECONDS)
    try:
        return context.wrap_socket(plain, server_hostname=address.host)
    except BaseException:
        plain.close()
        raise
