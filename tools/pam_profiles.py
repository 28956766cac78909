"""PAM profiles of etc/pam.d go to /etc/pam.d where there is none; one that is there is the administrator's."""

from pathlib import Path

from tools.layout import ROOT
from tools.steps import say

_SYSTEM = Path("/etc/pam.d")


def ensure() -> None:
    """Install those that are absent."""
    for profile in sorted((ROOT / "etc" / "pam.d").glob("*")):
        target = _SYSTEM / profile.name
        if not target.exists():
            say(f"PAM profile {target}")
            aside = target.with_name(f".{target.name}.new")
            aside.write_bytes(profile.read_bytes())
            aside.chmod(0o644)
            aside.rename(target)
