"""PAM modules such as pam_access and pam_faillock learn where a visitor comes from."""

import secrets
from pathlib import Path

import pytest

from tests.system.accounts import Account
from tests.system.running_server import running_server
from tests.system.visitor import Visitor

pytestmark = pytest.mark.root


def test_pam_is_told_the_address(alice: Account, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    script = tmp_path / "note"
    script.write_text(f'#!/bin/sh\necho "$PAM_USER $PAM_RHOST" > {seen}\n')
    script.chmod(0o755)
    service = Path(f"/etc/pam.d/rstest-address-{secrets.token_hex(3)}")
    service.write_text(f"auth required pam_exec.so {script}\nauth required pam_unix.so\naccount required pam_unix.so\n")
    try:
        with running_server(auth_pam_service=service.name) as server:
            assert Visitor(server.port).sign_in(alice.name, alice.password).location == "/"
    finally:
        service.unlink()
    assert seen.read_text() == f"{alice.name} 127.0.0.1\n"
