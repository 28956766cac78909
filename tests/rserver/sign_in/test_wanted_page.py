import pytest

from rserver.sign_in.wanted_page import safe_page


@pytest.mark.parametrize(
    "page",
    [
        "/",
        "/s/0123456789abcdef01234/",
        "/s/0123456789abcdef01234/graphics/1.png?width=3&x=a%2Fb",
        "/x?next=%2F%2Fy",
        "/a%20b",
    ],
)
def test_our_own_pages_are_kept(page: str) -> None:
    assert safe_page(page) == page


@pytest.mark.parametrize(
    "page",
    [
        None,
        "",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "http://evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/%2Fevil.example",
        "/%5Cevil.example",
        "/%252Fevil.example",
        "%2F%2Fevil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/%09/evil.example",
        "/x\r\nSet-Cookie: a=b",
        "/.//evil.example",
        "/x/..//evil.example",
        "/x/%2e%2e/%2fevil.example",
        "/" + "x" * 5000,
        "/\x00",
    ],
)
def test_anything_else_leads_to_the_front_page(page: str | None) -> None:
    assert safe_page(page) == "/"
