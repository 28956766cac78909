"""While the server is offline nothing reaches a session, and what was on its way is broken off."""

from rserver.web.responses import plain
from tests.rserver.proxy.world import UPGRADE, World, request

CLOSED = plain("closed", 503)


def test_nothing_is_carried(world: World) -> None:
    world.closed = CLOSED
    assert world.ask("/rpc/console_input", method="POST", body=b"{}").answer()[::2] == (503, b"closed")
    assert world.ask("/events", *UPGRADE).answer()[0] == 503
    for target in ("/", f"/s/{'a' * 21}", "/s/nonsense", "/api/sessions"):
        client = world.client()
        client.send(request(target))
        assert client.answer()[0] == 503
    assert world.session.nobody_comes()


def test_static_files_are_served(world: World) -> None:
    (world.folder / "static").mkdir()
    (world.folder / "static" / "pages.css").write_text("p {}")
    world.closed = CLOSED
    client = world.client()
    client.send(request("/static/pages.css"))
    assert client.answer()[0] == 200


def test_what_is_on_its_way_is_broken_off(world: World) -> None:
    client, end = world.open_websocket()
    poll = world.ask("/rpc/get_events", method="POST")
    world.session.accept().head()
    assert world.call(lambda: world.plane.close_all()) == 2
    assert client.to_end() == end.to_end() == poll.to_end() == b""
    world.until(lambda: world.plane.carried == 0)


def test_it_ends_on_a_connection_that_stayed_open(world: World) -> None:
    client = world.client()
    world.closed = CLOSED
    client.send(request("/page"))
    assert client.answer()[0] == 503
    world.closed = None
    client.send(request("/page"))
    assert client.answer()[0] == 200
