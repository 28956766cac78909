"""The contexts of the worker's listeners: one for each certificate, chosen by the name that the browser asks for."""

import os
import ssl
from collections.abc import Mapping, Sequence
from typing import Any

from twisted.logger import Logger

from rserver.tls import ticket_keys

# Forward secrecy and authenticated encryption only; TLS 1.3 has nothing else.
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
_LEAST = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}

_log = Logger()


class TlsContexts:
    """`default` is what a listener is given; it stays the same object when certificates are replaced.

    seed: of the keys of session tickets, the same wherever they are to be resumed.
    """

    def __init__(self, materials: Sequence[Mapping[str, Any]], protocols: Sequence[str], seed: bytes) -> None:
        self._protocols = tuple(protocols)
        # Tickets are read and written with the keys of the context that the connection began with, this one.
        self.default, self._share_tickets = _new_context()
        self._set_up(self.default)
        self.renew_tickets(seed)
        self._by_name: dict[str, ssl.SSLContext] = {}
        self.replace(materials)

    def replace(self, materials: Sequence[Mapping[str, Any]]) -> None:
        """New handshakes use these from now on: `chain` and `key` (PEM) and `names` of each; ssl.SSLError, OSError."""
        by_name: dict[str, ssl.SSLContext] = {}
        for number, material in enumerate(materials):
            context = self.default if number == 0 else self._make()
            _load(context, material)
            for name in material["names"]:
                by_name.setdefault(name, context)
        self._by_name = by_name
        # Called in every handshake: for one certificate there is nothing to choose.
        self.default.sni_callback = self._choose if len(materials) > 1 else None

    def renew_tickets(self, seed: bytes) -> None:
        """Sessions of tickets that were made with another seed are not resumed: their browsers shake hands anew."""
        try:
            self._share_tickets(seed)
        except ticket_keys.NotShared as why:
            _log.warn("session tickets of other workers are not resumed: {why}", why=str(why))

    def _make(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._set_up(context)
        return context

    def _set_up(self, context: ssl.SSLContext) -> None:
        context.minimum_version = _LEAST[self._protocols[0]]
        context.maximum_version = _LEAST[self._protocols[-1]]
        context.set_ciphers(_CIPHERS)
        context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        # The second one would cost a twentieth of a handshake; who comes again is given a new one each time.
        context.num_tickets = 1

    def _choose(self, connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        wanted = (name or "").lower()
        found = self._by_name.get(wanted) or self._by_name.get(f"*.{wanted.partition('.')[2]}")
        if found is not None and found is not self.default:
            connection.context = found


def _new_context() -> tuple[ssl.SSLContext, ticket_keys.Share]:
    try:
        return ticket_keys.make_context()
    except ticket_keys.NotShared as error:
        reason = error

    def refuse(_seed: bytes) -> None:
        raise reason

    return ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), refuse


def _load(context: ssl.SSLContext, material: Mapping[str, Any]) -> None:
    """OpenSSL's loader wants a file: one that lies in memory, is nameless and is ours alone."""
    descriptor = os.memfd_create("tls", os.MFD_CLOEXEC)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(material["chain"] + material["key"])
        file.flush()
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
