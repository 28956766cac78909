from pathlib import Path

import pytest

from rserver.sign_in.single_user import SingleUser
from tests.rserver.web.house import ALICE, Browser, House, location

TOKEN = "t" * 32
OWN_PORT, ROOTS_PORT = 5000, 5001


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Alice's own server: her programs connect from one port, root's from another."""
    made = House(tmp_path, {"auth-token": TOKEN}, single_user={"user": "alice", "uid": 1001})
    uids = {OWN_PORT: 1001, ROOTS_PORT: 0}
    made.worker.gate.single_user = SingleUser(ALICE, lambda peer: uids.get(peer[1]) if peer[0] == "127.0.0.1" else None)
    return made


def browser(house: House, port: int = OWN_PORT, host: str = "localhost:8787", address: str = "127.0.0.1") -> Browser:
    return Browser(house, address, host, port)


@pytest.mark.parametrize("host", ["localhost", "localhost:8787", "127.0.0.1:8787", "[::1]:8787", "r.localhost:1"])
@pytest.mark.parametrize("port", [OWN_PORT, ROOTS_PORT])
def test_the_owner_and_root_need_no_sign_in(house: House, host: str, port: int) -> None:
    assert browser(house, port, host).user() == "alice"
    assert location(browser(house, port, host).get("/")) == f"/s/{house.session_of().id}/"


def test_other_users_of_the_machine_meet_an_explanation(house: House) -> None:
    stranger = browser(house, 6000)
    assert stranger.user() is None
    response = stranger.get("/auth-sign-in")
    assert response.status == 403
    assert "one user only" in response.body.decode()
    assert stranger.post("/auth-do-sign-in", username="alice", password="x").status == 403
    assert not house.master.asked("check_password")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8787", "localhost.evil.example", "127.0.0.1.evil.example", ""]
)
def test_a_name_that_was_bound_anew_to_this_machine_opens_nothing(house: House, host: str) -> None:
    assert browser(house, host=host).user() is None


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "via"])
def test_a_proxy_of_the_owner_is_not_the_owner(house: House, header: str) -> None:
    visitor = browser(house)
    visitor.headers[header] = "192.0.2.1"
    assert visitor.user() is None


def test_the_printed_link_opens_it_from_elsewhere(house: House) -> None:
    visitor = browser(house, 6000, "r.example", "192.0.2.1")
    assert location(visitor.get(f"/auth-token?token={TOKEN}")) == "/"
    assert visitor.user() == "alice"


@pytest.mark.parametrize("token", ["", "x", TOKEN + "x", TOKEN[:-1], "%ff", "é"])
def test_another_token_does_not(house: House, token: str) -> None:
    visitor = browser(house, 6000, "r.example", "192.0.2.1")
    assert visitor.get(f"/auth-token?token={token}").status == 403
    assert visitor.user() is None


def test_without_a_token_no_link_opens_it(tmp_path: Path) -> None:
    house = House(tmp_path, single_user={"user": "alice", "uid": 1001})
    assert browser(house, 6000).get("/auth-token?token=").status == 403
    assert House(tmp_path, {"auth-token": TOKEN}).browse().get(f"/auth-token?token={TOKEN}").status == 403
