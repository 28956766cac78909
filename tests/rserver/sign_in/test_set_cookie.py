import pytest

from rserver.sign_in.set_cookie import CookieStyle


def test_a_cookie_is_out_of_reach_of_scripts_and_of_other_sites() -> None:
    assert CookieStyle().set("user-id", "v", secure=False, root_path="") == "user-id=v; Path=/; SameSite=Lax; HttpOnly"


def test_the_token_can_be_read_by_scripts() -> None:
    assert "HttpOnly" not in CookieStyle().set("rs-csrf-token", "v", secure=False, root_path="", script=True)


@pytest.mark.parametrize(("forced", "tls"), [(True, False), (False, True)])
def test_secure_when_forced_or_over_tls(forced: bool, tls: bool) -> None:
    assert CookieStyle(force_secure=forced).set("n", "v", secure=tls, root_path="").endswith("; Secure")


def test_the_root_path_bounds_it() -> None:
    assert "Path=/r/;" in CookieStyle().set("n", "v", secure=False, root_path="/r")


@pytest.mark.parametrize(
    ("option", "tls", "shown"),
    [
        ("", True, "Lax"),
        ("lax", True, "Lax"),
        ("none", True, "None"),
        ("none", False, "Lax"),
        ("strict", False, "Strict"),
    ],
)
def test_same_site(option: str, tls: bool, shown: str) -> None:
    assert f"SameSite={shown}" in CookieStyle(same_site=option).set("n", "v", secure=tls, root_path="")


def test_clearing_makes_the_browser_forget() -> None:
    assert (
        CookieStyle()
        .clear("user-id", secure=False, root_path="")
        .startswith("user-id=; Path=/; SameSite=Lax; Max-Age=0")
    )
