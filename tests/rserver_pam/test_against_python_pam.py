"""python-pam as the oracle: same verdicts; and its traps, which ours must not have."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rserver_pam.verdict import check_password
from tests.rserver_process.pam_services import installed_service
from tests.system.accounts import Account, account

pytestmark = pytest.mark.root

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def user() -> Iterator[Account]:
    """A throw-away account."""
    with account("rsc") as made:
        yield made


def oracle(user: str, password: str, service: str) -> int:
    """PAM's code as python-pam reports it."""
    import pam  # type: ignore[import-untyped]

    authenticator = pam.PamAuthenticator()
    authenticator.authenticate(user, password, service, resetcreds=False)
    return int(authenticator.code)


@pytest.mark.parametrize("stack", ["pam_unix.so", "pam_permit.so", "pam_deny.so", "pam_is_not_there.so"])
def test_same_code_as_python_pam(user: Account, stack: str) -> None:
    """Right, wrong and unknown, on real stacks."""
    with installed_service(f"auth required {stack}\naccount required {stack}\n") as service:
        for name, password in ((user.name, user.password), (user.name, "wrong"), ("rsc-nobody-here", "wrong")):
            expected = oracle(name, password, service)
            code, line = check_password(name, password, service)
            assert (code == 0) == (expected == 0)
            assert expected == 0 or f"({expected})" in line


TALKING_SESSION = """
import sys
sys.path.insert(0, {root!r})
from rserver_process.pam_transaction import Transaction
transaction = Transaction(sys.argv[1], sys.argv[2], lambda style, prompt: sys.argv[3])
transaction.authenticate()
transaction.acct_mgmt()
junk = [bytes(range(256)) * n for n in range(200)]
transaction.open_session()
transaction.close_session()
transaction.end()
print(transaction.messages)
"""


def test_session_module_that_talks(user: Account, tmp_path: Path) -> None:
    """python-pam frees its conversation after authenticate(): pam_echo in the session then crashes it. Ours answers."""
    (tmp_path / "text").write_text("hello from the session")
    echo = f"session required pam_echo.so file={tmp_path}/text\nsession required pam_permit.so\n"
    with installed_service(f"auth required pam_unix.so\naccount required pam_unix.so\n{echo}") as service:
        script = TALKING_SESSION.format(root=str(ROOT))
        argv = [sys.executable, "-I", "-S", "-c", script, service, user.name, user.password]
        for _ in range(4):
            done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
            assert (done.returncode, done.stdout) == (0, "['hello from the session']\n")
