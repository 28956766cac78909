"""Fields that every answer of ours has, whoever gives it: pages of the worker, files that nginx sends. Pure."""

import re
from collections.abc import Iterable

Field = tuple[str, str]

STRICT_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# What no page of ours uses. Programs below a session's address are answered for by themselves.
_PERMISSIONS = (
    "camera=(), display-capture=(), geolocation=(), hid=(), microphone=(), midi=(), payment=(), serial=(), usb=()"
)
_ANCESTORS = {"none": "'none'", "same": "'self'", "any": "*"}
_FRAME_OPTIONS = {"none": "DENY", "same": "SAMEORIGIN"}
_FRAME_ANCESTORS = re.compile(r"(?:; *)?frame-ancestors[^;]*")


def security_fields(frame_origin: str, added: Iterable[str]) -> tuple[Field, ...]:
    """The fields, without the policy of the content, which differs.

    frame_origin: www-frame-origin; added: lines of server-add-header, which replace ours of the same name.
    """
    own = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": _PERMISSIONS,
    }
    if frame_origin in _FRAME_OPTIONS:
        own["X-Frame-Options"] = _FRAME_OPTIONS[frame_origin]
    more = [(name, value) for name, _, value in (line.partition(": ") for line in added)]
    replaced = {name.lower() for name, _ in more}
    return (*((name, value) for name, value in own.items() if name.lower() not in replaced), *more)


def content_policy(csp: str, frame_origin: str) -> str:
    """csp with the frame-ancestors of www-frame-origin in place of its own."""
    ancestors = f"frame-ancestors {_ANCESTORS.get(frame_origin, frame_origin)}"
    rest = _FRAME_ANCESTORS.sub("", csp).strip("; ")
    return f"{rest}; {ancestors}" if rest else ancestors


def transport_field(max_age: int, *, include_subdomains: bool) -> str:
    """The line that has browsers come over HTTPS only."""
    below = "; includeSubDomains" if include_subdomains else ""
    return f"Strict-Transport-Security: max-age={max_age}{below}"
