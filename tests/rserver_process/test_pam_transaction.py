"""The PAM binding: real libpam, pam_matrix as user database, no root needed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rserver_process.pam_library import PAM_RHOST, PAM_TTY, PROMPT_ECHO_OFF, PROMPT_ECHO_ON
from rserver_process.pam_transaction import PamError, Transaction
from tests.rserver_process.pam_services import GET_ITEMS, MATRIX, ServiceDirectory

pytestmark = pytest.mark.skipif(not os.path.exists(MATRIX), reason="needs pam_wrapper (Debian: libpam-wrapper)")

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def services(tmp_path: Path) -> ServiceDirectory:
    """A directory of services."""
    return ServiceDirectory(tmp_path)


def test_right_and_wrong_password(services: ServiceDirectory) -> None:
    """The error names the call and PAM's code."""
    services.matrix("m", "ann:geheim")
    good = Transaction("m", "ann", lambda _style, _prompt: "geheim", services.path)
    good.authenticate()
    good.acct_mgmt()
    good.end()
    bad = Transaction("m", "ann", lambda _style, _prompt: "falsch", services.path)
    with pytest.raises(PamError) as caught:
        bad.authenticate()
    assert (caught.value.call, caught.value.code) == ("authenticate", 7)
    bad.end()


def test_password_with_any_byte(services: ServiceDirectory) -> None:
    """UTF-8 and what is none arrive as they were."""
    password = "pä ß\U0001f600:\udcff\\\"'"
    database = Path(services.path, "m.passdb")
    services.matrix("m")
    database.write_bytes(b"ann:" + password.replace(":", ";").encode("utf-8", "surrogateescape") + b":m\n")
    transaction = Transaction("m", "ann", lambda _style, _prompt: password.replace(":", ";"), services.path)
    transaction.authenticate()
    transaction.end()


def test_zero_byte_is_refused_before_pam_sees_it(services: ServiceDirectory) -> None:
    """C would cut the text there."""
    services.matrix("m", "ann:geheim")
    with pytest.raises(ValueError, match="NUL"):
        Transaction("m", "ann\0root", confdir=services.path)
    transaction = Transaction("m", "ann", lambda _style, _prompt: "geheim\0x", services.path)
    with pytest.raises(PamError):
        transaction.authenticate()
    transaction.end()


def test_refused_prompt_is_remembered_and_fails_the_call(services: ServiceDirectory) -> None:
    """With what was asked, for the log."""
    services.matrix("m", "ann:geheim")
    transaction = Transaction("m", "ann", confdir=services.path)
    with pytest.raises(PamError):
        transaction.authenticate()
    assert transaction.unanswered == ["Password: "]
    transaction.end()


def test_exception_in_an_answer_does_not_cross_into_c(services: ServiceDirectory) -> None:
    """It is a refusal."""
    services.matrix("m", "ann:geheim")

    def broken(_style: int, _prompt: str) -> str:
        raise RuntimeError("no")

    transaction = Transaction("m", "ann", broken, services.path)
    with pytest.raises(PamError):
        transaction.authenticate()
    transaction.end()


def test_messages_of_modules_are_collected(services: ServiceDirectory, tmp_path: Path) -> None:
    """In whatever phase: the conversation lives until the end, so a session module may speak."""
    (tmp_path / "said").write_text("mind the gap é")
    text = f"pam_echo.so file={tmp_path / 'said'}\n"
    services.add(
        "e",
        f"auth required pam_permit.so\naccount required {text}session required {text}session required pam_permit.so\n",
    )
    transaction = Transaction("e", "ann", confdir=services.path)
    transaction.authenticate()
    transaction.acct_mgmt()
    for _ in range(100):
        transaction.open_session()
        transaction.close_session()
    transaction.end()
    assert transaction.messages[:2] == ["mind the gap é", "mind the gap é"]
    assert len(transaction.messages) == 64


def test_environment_of_modules(services: ServiceDirectory, tmp_path: Path) -> None:
    """pam_env, values with spaces and equals signs."""
    (tmp_path / "env").write_text('A=1\nB="two words"\nC=x=y\n')
    (tmp_path / "conf").write_text("HOMEDIR DEFAULT=@{PAM_USER}/x\n")
    services.add(
        "v",
        "auth required pam_permit.so\nsession required pam_env.so "
        f"conffile={tmp_path / 'conf'} readenv=1 envfile={tmp_path / 'env'}\n",
    )
    transaction = Transaction("v", "ann", confdir=services.path)
    transaction.authenticate()
    assert transaction.environment() == {}
    transaction.open_session()
    assert transaction.environment() == {"A": "1", "B": "two words", "C": "x=y", "HOMEDIR": "ann/x"}
    transaction.end()


def test_items_are_seen_by_modules(services: ServiceDirectory) -> None:
    """The remote host and the terminal, for pam_access, pam_faillock and the like."""
    services.add("i", f"auth required {GET_ITEMS}\n")
    transaction = Transaction("i", "ann", confdir=services.path)
    transaction.set_item(PAM_RHOST, "192.0.2.7")
    transaction.set_item(PAM_TTY, "rserver")
    transaction.authenticate()
    seen = transaction.environment()
    assert (seen["PAM_RHOST"], seen["PAM_TTY"], seen["PAM_USER"]) == ("192.0.2.7", "rserver", "ann")
    transaction.end()


def test_change_of_a_password(services: ServiceDirectory) -> None:
    """Different answers for old and new."""
    services.matrix("m", "ann:geheim")
    prompts: list[tuple[int, str]] = []

    def answer(style: int, prompt: str) -> str:
        prompts.append((style, prompt))
        return "neu" if "new" in prompt.lower() else "geheim"

    transaction = Transaction("m", "ann", answer, services.path)
    transaction.chauthtok(0)
    transaction.end()
    assert {style for style, _ in prompts} <= {PROMPT_ECHO_OFF, PROMPT_ECHO_ON}
    fresh = Transaction("m", "ann", lambda _style, _prompt: "neu", services.path)
    fresh.authenticate()
    fresh.end()


def test_module_that_does_not_exist(services: ServiceDirectory) -> None:
    """A failure of PAM, not of the user."""
    services.add("x", "auth required pam_is_not_there.so\n")
    transaction = Transaction("x", "ann", confdir=services.path)
    with pytest.raises(PamError) as caught:
        transaction.authenticate()
    assert caught.value.code in {1, 28}
    transaction.end()


def test_nothing_after_the_end(services: ServiceDirectory) -> None:
    """A second end is harmless, another call an error in Python rather than a crash in C."""
    services.matrix("m", "ann:geheim")
    transaction = Transaction("m", "ann", confdir=services.path)
    transaction.end()
    transaction.end()
    for call in (transaction.authenticate, transaction.environment, transaction.open_session):
        with pytest.raises(ValueError, match="ended"):
            call()


def test_thousand_transactions_do_not_grow(services: ServiceDirectory) -> None:
    """Environment lists and answers are freed."""
    script = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from rserver_process.pam_transaction import Transaction
def size():
    return int(open("/proc/self/statm").read().split()[1])
def once():
    t = Transaction("m", "ann", lambda s, p: "geheim", {services.path!r})
    t.authenticate(); t.open_session()
    for _ in range(20): t.environment()
    t.close_session(); t.end()
for _ in range(200): once()
before = size()
for _ in range(1000): once()
print(size() - before)
"""
    services.matrix("m", "ann:geheim")
    grown = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], check=True, capture_output=True, text=True
    ).stdout
    assert int(grown) * 4096 < 600_000
