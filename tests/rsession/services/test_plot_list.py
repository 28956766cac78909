import pytest

from rsession.error_code import RpcError
from rsession.services.picture import PictureSize, parse_request
from rsession.services.plot_list import PlotList


def told(*plots: tuple[str, int], error: str | None = None) -> dict[str, object]:
    return {"plots": [{"id": id_, "revision": revision} for id_, revision in plots], "error": error}


@pytest.fixture
def plots() -> PlotList:
    plots = PlotList()
    plots.update(told(("a", 1), ("b", 1), ("c", 1)))
    return plots


def test_a_new_or_changed_plot_is_shown(plots: PlotList) -> None:
    assert plots.active == "c"
    plots.update(told(("a", 1), ("b", 2), ("c", 1)))
    assert plots.active == "b"


def test_what_is_selected_stays_when_nothing_changed(plots: PlotList) -> None:
    plots.select("a")
    plots.update(told(("a", 1), ("b", 1), ("c", 1)))
    assert plots.active == "a"


@pytest.mark.parametrize(("removed", "active"), [("a", "b"), ("b", "c"), ("c", "b")])
def test_removing_the_shown_plot_shows_its_neighbour(plots: PlotList, removed: str, active: str) -> None:
    plots.select(removed)
    plots.remove(removed)
    assert plots.active == active


def test_a_removed_plot_stays_away_while_r_still_tells_of_it(plots: PlotList) -> None:
    plots.remove("b")
    plots.update(told(("a", 1), ("b", 1), ("c", 1)))
    assert plots.find("b") is None
    plots.clear()
    plots.update(told(("a", 1), ("c", 1), ("d", 1)))
    assert plots.state() == {"active": "d", "plots": [{"id": "d", "revision": 1}], "error": None}


def test_a_plot_that_fell_out_of_the_history_is_not_shown(plots: PlotList) -> None:
    plots.select("a")
    plots.update(told(("b", 1), ("c", 1), error="figure margins too large"))
    assert plots.active == "c"
    assert plots.state()["error"] == "figure margins too large"


@pytest.mark.parametrize(
    "query",
    [
        {"width": "0"},
        {"width": "8193"},
        {"height": "-1"},
        {"width": "1e3"},
        {"dpr": "nan"},
        {"dpr": "9"},
        {"dpr": "0"},
        {"width": "8000", "height": "8000"},
        {"revision": "x"},
        {"width": "1" * 5000},
    ],
)
def test_impossible_sizes_are_refused(query: dict[str, str]) -> None:
    with pytest.raises(RpcError):
        parse_request("/graphics/0123456789.png", query, PictureSize())


@pytest.mark.parametrize(
    "path", ["/graphics/", "/graphics/../x.png", "/graphics/ABCDEF01.png", "/graphics/01234567.svg"]
)
def test_other_paths_name_no_picture(path: str) -> None:
    assert parse_request(path, {}, PictureSize()) is None


def test_what_is_missing_is_the_size_of_the_page() -> None:
    request = parse_request("/graphics/0123456789.png", {"height": "7"}, PictureSize(300, 200, 2.0))
    assert request is not None
    assert request.size == PictureSize(300, 7, 2.0)
    assert request.size.file_name("ab", 3) == "ab-3-300x7@200.png"
