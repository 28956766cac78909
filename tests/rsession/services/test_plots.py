import struct
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.rsession.running import RunningSession, ready
from tests.rsession.services.conftest import Desk

pytestmark = pytest.mark.r

State = dict[str, Any]


@pytest.fixture(autouse=True)
def no_plots(desk: Desk) -> Iterator[None]:
    desk.call("set_plot_size", 800, 600, 1)
    yield
    desk.run("graphics.off()")
    desk.call("clear_plots")
    state_after(desk, "NULL")


def state_after(desk: Desk, code: str) -> State:
    """The plots once the look that follows the prompt is over: jobs run in order."""
    desk.run(code)
    desk.call("get_environment_state")
    state: State = desk.call("get_plots")
    return state


def revisions(state: State) -> list[int]:
    return [plot["revision"] for plot in state["plots"]]


def picture(desk: Desk, state: State, query: str = "") -> tuple[int, int]:
    """Width and height of the active plot's picture."""
    status, body, headers = desk.get(f"/graphics/{state['active']}.png{query}")
    assert status == 200, body
    assert headers["content-type"] == "image/png"
    assert body.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", body[16:24])
    return width, height


def test_a_plot_is_told_and_drawn_at_any_size(desk: Desk) -> None:
    state = state_after(desk, "plot(1:10)")
    assert [e["data"] for e in desk.events.seen if e["type"] == "plots_changed"][-1] == state
    assert revisions(state) == [1]
    assert (state["active"], state["error"]) == (state["plots"][0]["id"], None)
    assert picture(desk, state) == (800, 600)
    assert picture(desk, state, "?width=321&height=200&dpr=2&revision=1") == (642, 400)


def test_caching_follows_the_revision(desk: Desk) -> None:
    state = state_after(desk, "plot(1)")
    path = f"/graphics/{state['active']}.png?width=800&height=600&dpr=1"
    assert "immutable" in desk.get(path + "&revision=1")[2]["cache-control"]
    assert desk.get(path)[2]["cache-control"] == "no-store"
    old = desk.get(path + "&revision=1")[1]
    state_after(desk, "points(1, 1.2)")
    assert desk.get(path + "&revision=1")[1] == old
    assert desk.get(path + "&revision=2")[1] != old
    assert desk.get(path + "&revision=3")[0] == 404


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("for (i in 1:3) plot(i)", [1, 1, 1]),
        ("plot(lm(mpg ~ wt, mtcars))", [1, 1, 1, 1]),
        ("par(mfrow = c(1, 2)); plot(1); plot(2)", [2]),
        ("par(mfrow = c(1, 2)); for (i in 1:3) plot(i)", [1, 1]),
        ("layout(matrix(1:2)); hist(rnorm(9)); barplot(1:3)", [2]),
        ("par(mar = c(1, 1, 1, 1))", []),
        ("plot(1); par(mar = c(1, 1, 1, 1))", [1]),
        ("plot(1); dev.off()", [1]),
        ("plot(1); plot(2); dev.off(); plot(3)", [1, 1, 1]),
        ("grid::grid.newpage(); grid::grid.rect()", [1]),
        ("grid::grid.circle()", [1]),
        ("for (i in 1:2) print(lattice::xyplot(i ~ 1))", [1, 1]),
        ("f <- tempfile(); pdf(f); plot(1); invisible(dev.off())", []),
        ("plot(1); f <- tempfile(); png(f); plot(2); invisible(dev.off()); points(1)", [2]),
        ("persp(volcano)", [1]),
        ("plot(1); dev.new(); plot(2)", [1, 1]),
        ("plot(1); frame()", [1, 1]),
        ("plot(1); x <- recordPlot(); replayPlot(x)", [1]),
    ],
)
def test_pages_in_the_history(desk: Desk, code: str, expected: list[int]) -> None:
    assert len(state_after(desk, f"{{{code}}}")["plots"]) == len(expected) or "dev.off" in code
    desk.run("graphics.off()")
    desk.call("clear_plots")
    assert len(state_after(desk, code)["plots"]) == len(expected)


def test_additions_are_new_revisions(desk: Desk) -> None:
    assert revisions(state_after(desk, "plot(1:3)")) == [1]
    assert revisions(state_after(desk, "points(2, 1)")) == [2]
    assert revisions(state_after(desk, "1 + 1")) == [2]
    assert revisions(state_after(desk, "points(2, 1)\nlines(1:2)")) == [4]


def test_an_addition_comes_to_the_current_plot_after_a_resize(desk: Desk) -> None:
    state = state_after(desk, "par(mfrow = c(1, 2)); plot(1)")
    assert desk.call("set_plot_size", 500, 400, 2)["active"] == state["active"]
    assert picture(desk, state) == (1000, 800)
    state = state_after(desk, "plot(2)")
    assert len(state["plots"]) == 1
    assert desk.run("dev.size('px')") == "[1] 500 400\n"


def test_margins_that_do_not_fit_are_an_error_of_the_state(desk: Desk) -> None:
    state = state_after(desk, "par(mar = c(90, 1, 1, 1)); plot(1)")
    assert (state["plots"], state["error"]) == ([], "figure margins too large")
    state = state_after(desk, "par(mar = c(5, 4, 4, 2)); plot(1)")
    assert (revisions(state), state["error"]) == ([1], None)


def test_a_small_pane_gets_a_larger_picture_of_the_same_shape(desk: Desk) -> None:
    state = state_after(desk, "plot(1)")
    width, height = picture(desk, state, "?width=60&height=40&dpr=1")
    assert (width > 60, round(width / height, 1)) == (True, 1.5)


def test_the_history_can_be_walked_and_emptied(desk: Desk) -> None:
    ids = [plot["id"] for plot in state_after(desk, "for (i in 1:3) plot(i)")["plots"]]
    assert desk.call("select_plot", ids[0])["active"] == ids[0]
    assert picture(desk, desk.call("get_plots"), "?width=499&height=398") == (499, 398)
    state = desk.call("remove_plot", ids[0])
    assert ([plot["id"] for plot in state["plots"]], state["active"]) == (ids[1:], ids[1])
    assert desk.call("clear_plots") == {"active": None, "plots": [], "error": None}
    assert state_after(desk, "dev.list()")["plots"] == []
    assert desk.error("select_plot", ids[1])["code"] == 10
    assert desk.get(f"/graphics/{ids[1]}.png")[0] == 404


def test_a_new_plot_after_removing_the_current_one(desk: Desk) -> None:
    state = state_after(desk, "plot(1)")
    desk.call("remove_plot", state["active"])
    state = state_after(desk, "points(1, 1.1)")
    assert revisions(state) == [1]


def test_the_history_is_bounded(desk: Desk) -> None:
    state = state_after(desk, "for (i in 1:130) plot(i)")
    assert len(state["plots"]) == 100
    assert picture(desk, {"active": state["plots"][0]["id"]}) == (800, 600)


def test_large_recordings_are_bounded_in_bytes(desk: Desk) -> None:
    state = state_after(desk, "for (i in 1:8) plot(rnorm(6e5), pch = '.')")
    assert 1 <= len(state["plots"]) < 8


def test_plots_leave_the_random_numbers_alone(desk: Desk) -> None:
    state = state_after(desk, "set.seed(1); a <- runif(1); set.seed(1); plot(1)")
    picture(desk, state, "?width=77&height=77")
    assert desk.run("identical(a, runif(1))") == "[1] TRUE\n"
    assert desk.run("rm(.Random.seed); plot(2); exists('.Random.seed', globalenv())") == "[1] FALSE\n"


def test_the_device_has_a_name_and_comes_and_goes_among_others(desk: Desk) -> None:
    assert desk.run("plot(1); dev.cur()") == "rsession \n       2 \n"
    assert (
        desk.run("pdf(NULL); dev.list(); dev.off()") == "rsession      pdf \n       2        3 \nrsession \n       2 \n"
    )
    assert desk.run("dev.off(); dev.list()") == "null device \n          1 \nNULL\n"


def test_drawing_does_not_attach_packages(desk: Desk) -> None:
    state = state_after(desk, "plot(1); plot(2)")
    assert picture(desk, {"active": state["plots"][0]["id"]}, "?width=500&height=500") == (500, 500)
    assert desk.run('"package:grid" %in% search()') == "[1] FALSE\n"


def test_plots_of_forked_children_do_not_mix_with_ours(desk: Desk) -> None:
    code = "x <- parallel::mclapply(1:4, function(i) { plot(i); plot(i); i }); plot(9)"
    state = state_after(desk, code)
    assert revisions(state) == [1]
    first = desk.get(f"/graphics/{state['active']}.png?width=500&height=400")[1]
    desk.run("plot(9)")
    second = state_after(desk, "NULL")
    assert desk.get(f"/graphics/{second['active']}.png?width=500&height=400")[1] == first


def test_a_plot_is_shown_while_the_next_line_still_runs(desk: Desk) -> None:
    desk.session.type("plot(1)\nSys.sleep(60)")
    event = desk.events.wait_for_type("plots_changed")
    desk.events.wait_for(lambda e: e["type"] == "console_write_input" and "Sys.sleep" in e["data"]["text"])
    assert picture(desk, event["data"], "?width=800&height=600&dpr=1&revision=1") == (800, 600)
    assert desk.call("get_plots") == event["data"]
    desk.call("interrupt")
    desk.events.wait_for_prompt()


def test_pages_of_a_long_loop_are_shown_before_it_ends(desk: Desk) -> None:
    desk.session.type("for (i in 1:100) { plot(i); Sys.sleep(1) }")
    event = desk.events.wait_for_type("plots_changed")
    assert event["data"]["plots"]
    desk.call("interrupt")
    desk.events.wait_for_prompt()


def test_a_picture_is_drawn_once_for_all_who_ask(desk: Desk) -> None:
    state = state_after(desk, "plot(1:3)")
    path = f"/graphics/{state['active']}.png?width=640&height=480&dpr=1&revision=1"
    assert desk.get(path)[1] == desk.get(path)[1]
    begin = time.perf_counter()
    desk.get(path)
    assert time.perf_counter() - begin < 0.05


@pytest.mark.parametrize("query", ["width=0", "width=9000", "height=-1", "dpr=99", "dpr=nan", "width=8000&height=8000"])
def test_impossible_sizes_are_refused(desk: Desk, query: str) -> None:
    state = state_after(desk, "plot(1)")
    assert 400 <= desk.get(f"/graphics/{state['active']}.png?{query}")[0] < 500


@pytest.mark.parametrize("size", [(0, 1, 1), (1, 1, 0), (9000, 1, 1), (8000, 8000, 1), (1e308, 1, 1)])
def test_impossible_pages_are_refused(desk: Desk, size: tuple[float, float, float]) -> None:
    assert desk.error("set_plot_size", *size)["code"] == 10


@pytest.mark.parametrize("path", ["/graphics/", "/graphics/0123456789.png", "/graphics/..%2f..%2fetc%2fpasswd"])
def test_other_pictures_are_not_found(desk: Desk, path: str) -> None:
    assert desk.get(path)[0] == 404


def test_without_ragg_plots_are_drawn_by_cairo() -> None:
    with RunningSession() as session:
        stream = ready(session)
        empty = session.folder / "library"
        empty.mkdir()
        (session.home / ".Rprofile").write_text("")
        session.type(
            f".libPaths({str(empty)!r}, include.site = FALSE); isTRUE(requireNamespace('ragg', quietly = TRUE))"
        )
        stream.wait_for_prompt()
        desk = Desk(session, stream)
        state = state_after(desk, "plot(1); plot(2)")
        assert revisions(state) == [1, 1]
        assert picture(desk, state, "?width=300&height=200&dpr=1.5") == (450, 300)
        assert desk.run("'ragg' %in% loadedNamespaces()") == "[1] FALSE\n"
        stream.close()
