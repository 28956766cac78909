from pathlib import Path

import pytest

from rserver_core.server_warnings import warnings
from tests.rserver_core.options.test_table import parse

PLAIN = "without ssl-enabled=1"


def test_options_of_https_that_do_nothing_are_named() -> None:
    def of_https(text: str) -> list[str]:
        return [each for each in warnings(parse(text), {}) if each.startswith("ssl-")]

    assert of_https("") == []
    assert of_https("ssl-enabled=1\nssl-redirect-http-port=8080") == []
    (certificate, port) = of_https("ssl-certificate=/a.pem\nssl-redirect-http-port=8080")
    assert certificate.startswith(f"ssl-certificate does nothing {PLAIN}")
    assert port.endswith(PLAIN)
    lines = ["ssl-hsts-max-age=60", "ssl-hsts-include-subdomains=1", "ssl-protocols=TLSv1.3", "ssl-password-file=/p"]
    assert of_https("\n".join([*lines, "ssl-enabled=1"])) == []
    found = of_https("\n".join(lines))
    assert sorted(found) == sorted(f"{line.partition('=')[0]} does nothing {PLAIN}" for line in lines)
    assert of_https("ssl-protocols=TLSv1.2 TLSv1.3\nssl-hsts-max-age=15552000") == []
    (port,) = of_https("ssl-enabled=1\nssl-redirect-http=0\nssl-redirect-http-port=8080")
    assert port.endswith("with ssl-redirect-http=0")


@pytest.mark.parametrize(
    ("name", "mode", "more", "says"),
    [
        ("there", 0o711, "", []),
        ("there", 0o700, "", ["not every user can enter"]),
        ("missing", 0o755, "", ["is no folder: only projects in homes can be shared"]),
        ("there", 0o755, "server-project-sharing=0", ["does nothing with server-project-sharing=0"]),
    ],
)
def test_the_folder_of_projects_outside_of_homes(
    tmp_path: Path, name: str, mode: int, more: str, says: list[str]
) -> None:
    (tmp_path / "there").mkdir(mode=mode)
    settings = parse(f"server-project-sharing-root-dir={tmp_path / name}\n{more}")
    found = [each for each in warnings(settings, {}) if each.startswith("server-project-sharing-root-dir")]
    assert [said in each for said, each in zip(says, found, strict=True)] == [True] * len(says)
