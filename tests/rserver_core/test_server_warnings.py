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
    (port,) = of_https("ssl-enabled=1\nssl-redirect-http=0\nssl-redirect-http-port=8080")
    assert port.endswith("with ssl-redirect-http=0")
