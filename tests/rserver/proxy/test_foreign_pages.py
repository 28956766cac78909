"""What pages of other servers send."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rserver.proxy.origin_policy import OriginPolicy
from rserver.proxy.settings import FrontSettings
from tests.rserver.proxy.world import SID, SWITCHED, UPGRADE, World, request, running_world

POLICY = OriginPolicy(["*.friend.test"], checks_requests=True)


@pytest.fixture
def careful_world(tmp_path: Path) -> Iterator[World]:
    """It looks at the Origin of requests."""
    (tmp_path / "careful").mkdir()
    with running_world(tmp_path / "careful", FrontSettings(origins=POLICY)) as running:
        yield running


def post(world: World, *fields: str) -> tuple[int, str]:
    wire = world.client()
    wire.send(request("/auth-do-sign-in", *fields, method="POST", body=b"a=b"))
    status, found, body = wire.answer()
    return status, found["content-type"] if status == 403 else body.decode()


def test_forms_of_foreign_pages_are_refused_when_asked_for(careful_world: World, world: World) -> None:
    assert post(careful_world, "Origin: http://evil.test", "Accept: text/html") == (403, "text/html; charset=utf-8")
    assert post(careful_world, "Referer: http://evil.test/x", "Accept: */*") == (403, "application/json")
    for fields in (("Origin: http://a.friend.test",), ("Origin: http://here",), ()):
        assert post(careful_world, *fields)[0] == 200
    assert post(world, "Origin: http://evil.test")[0] == 200


@pytest.mark.parametrize(("origin", "status"), [("https://a.friend.test", 101), ("https://evil.test", 403)])
def test_websockets_of_pages_that_are_allowed(careful_world: World, origin: str, status: int) -> None:
    wire = careful_world.client()
    fields = [field for field in UPGRADE if not field.startswith("Origin")]
    wire.send(request(f"/s/{SID}/events", f"Origin: {origin}", *fields))
    if status == 101:
        end = careful_world.session.accept()
        end.head()
        end.send(SWITCHED)
    assert wire.status_and_fields()[0] == status
