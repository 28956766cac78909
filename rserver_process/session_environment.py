"""The environment a session's program is started with."""

from collections.abc import Iterable, Mapping

from rserver_process.accounts import Account

_LIBRARIES = "LD_LIBRARY_PATH"
_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"


def session_environment(
    account: Account, base: Mapping[str, str], pam: Mapping[str, str], extra: Iterable[tuple[str, str]]
) -> dict[str, str]:
    """Base variables of the server, then PAM's, then those of the launch spec; later ones win.

    Who the user is (HOME USER LOGNAME SHELL) is said by the account and PAM alone.
    """
    identity = {
        "HOME": account.home,
        "USER": account.name,
        "LOGNAME": account.name,
        "SHELL": account.shell or "/bin/sh",
    }
    identity.update({name: pam[name] for name in identity if name in pam})
    wanted = dict(extra)
    if _LIBRARIES in wanted and _LIBRARIES in pam:
        # R's own libraries come first; without the others what PAM sets it for would be lost.
        wanted[_LIBRARIES] = f"{wanted[_LIBRARIES]}:{pam[_LIBRARIES]}"
    return {"PATH": _PATH, "LANG": "C.UTF-8", **base, **pam, **wanted, **identity}
