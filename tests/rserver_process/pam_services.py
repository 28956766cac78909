"""PAM services of a test: in a directory of its own where that will do, else under an unused name in /etc/pam.d."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_WRAPPER = next(
    (path for path in Path("/usr/lib").glob("*/pam_wrapper/pam_matrix.so")), Path("/usr/lib/pam_wrapper/pam_matrix.so")
)
MATRIX = str(_WRAPPER)
CHATTY = str(_WRAPPER.with_name("pam_chatty.so"))
GET_ITEMS = str(_WRAPPER.with_name("pam_get_items.so"))


@contextmanager
def installed_service(text: str) -> Iterator[str]:
    """The name of a service that all programs see while the test runs. Needs root."""
    name = f"rstest-{os.getpid()}-{secrets.token_hex(3)}"
    path = Path("/etc/pam.d") / name
    path.write_text(text)
    try:
        yield name
    finally:
        path.unlink()


class ServiceDirectory:
    """A directory of services for pam_start_confdir, with passwords for pam_matrix. Works without root."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder)
        self._folder = folder
        (folder / "other").write_text("auth required pam_deny.so\naccount required pam_deny.so\n")

    def add(self, name: str, text: str) -> str:
        """A service."""
        (self._folder / name).write_text(text)
        return name

    def matrix(self, name: str, *users: str) -> str:
        """A service that knows these `user:password` pairs, with all four management groups."""
        database = self._folder / f"{name}.passdb"
        database.write_text("".join(f"{user}:{name}\n" for user in users))
        groups = ("auth", "account", "password", "session")
        return self.add(name, "".join(f"{group} required {MATRIX} passdb={database}\n" for group in groups))
