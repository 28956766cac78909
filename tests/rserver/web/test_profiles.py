"""What a profile allows, at the web door."""

from pathlib import Path

from rserver_core.profiles import published
from rserver_core.profiles.file import parse
from tests.rserver.web.house import House


def publish(directory: Path, text: str) -> None:
    """As the master does."""
    published.write(str(directory), parse(text, "profiles"))


def created(house: House, user: str, count: int) -> list[int]:
    """Statuses of so many wishes for a session."""
    browser = house.browse(user)
    return [browser.json("POST", "/api/sessions", {})[0] for _ in range(count)]


def test_session_limit_by_user_and_group(tmp_path: Path) -> None:
    publish(tmp_path, "[*]\nsession-limit=1\n[@stat]\nsession-limit=2\n")
    house = House(tmp_path, {"session-limit": 5})
    assert created(house, "alice", 4) == [201, 201, 409, 409]
    assert created(house, "bob", 2) == [201, 409]
    status, refused = house.browse("bob").json("POST", "/api/sessions", {})
    assert (status, refused["error"]["code"]) == (409, 20)
    assert refused["error"]["message"] == (
        "You have 1 session, and the profile [*] of this server allows you 1. Quit one that you do not need."
    )
    _, refused = house.browse("alice").json("POST", "/api/sessions", {})
    assert "the profile [@stat] of this server allows you 2." in refused["error"]["message"]
    assert "You have 2 of 2 sessions" in house.browse("alice").get("/home").body.decode()


def test_zero_lifts_the_servers_limit(tmp_path: Path) -> None:
    publish(tmp_path, "[alice]\nsession-limit=0\n")
    house = House(tmp_path, {"session-limit": 1})
    assert created(house, "alice", 3) == [201] * 3
    assert created(house, "bob", 2) == [201, 409]
    _, refused = house.browse("bob").json("POST", "/api/sessions", {})
    assert "and this server allows 1." in refused["error"]["message"]


def test_profiles_read_again_count_at_once(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert created(house, "alice", 1) == [201]
    publish(tmp_path, "[*]\nsession-limit=1\n")
    house.worker.on_event(
        {"event": "options", "options": {"server-data-dir": str(tmp_path)}, "cookie_keys": ["61" * 32]}
    )
    assert created(house, "alice", 1) == [409]


def test_time_outs_reach_the_session(tmp_path: Path) -> None:
    publish(tmp_path, "[alice]\nsession-timeout-minutes=7\nsession-timeout-kill-hours=0\n")
    house = House(tmp_path)
    assert created(house, "alice", 1) == created(house, "bob", 1) == [201]
    launched = {request["launch"]["user"]: request["launch"]["argv"] for request in house.master.asked("launch")}
    said = [argument for argument in launched["alice"] if "timeout" in argument]
    assert said == ["--session-timeout-minutes=7", "--session-timeout-kill-hours=0"]
    assert not [argument for argument in launched["bob"] if "timeout" in argument]
