"""Plots of programs: files of the working directory."""

import struct

import pytest

from tests.rsession.remote.conftest import Program

pytestmark = pytest.mark.r


def size_of(program: Program, name: str) -> tuple[int, int]:
    """Width and height that a PNG file names in its first chunk."""
    status, data = program.send("GET", f"files/{name}")
    assert (status, data[:8]) == (200, b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def test_a_plot_without_a_device(program: Program) -> None:
    assert program.execute("plot(1:10)")["changedFiles"] == ["unnamedplot001.png"]
    assert size_of(program, "unnamedplot001.png") == (400, 400)
    assert program.execute("1 + 1")["changedFiles"] == []


def test_it_is_drawn_on_by_the_next_piece_of_code(program: Program) -> None:
    before = program.send("GET", "files/unnamedplot001.png")[1]
    assert program.execute("abline(0, 1, col = 'red')")["changedFiles"] == ["unnamedplot001.png"]
    assert program.send("GET", "files/unnamedplot001.png")[1] != before


def test_several_in_one_piece(program: Program) -> None:
    answer = program.execute("plot(1:3); hist(rnorm(50))\nbarplot(1:3)")
    assert answer["changedFiles"] == [f"unnamedplot00{number}.png" for number in (2, 3, 4)]


def test_the_size_that_the_session_wants(program: Program) -> None:
    program.execute("options(rserver.plot.width = 640, rserver.plot.height = 480)")
    assert program.execute("plot(5:1)")["changedFiles"] == ["unnamedplot005.png"]
    assert size_of(program, "unnamedplot005.png") == (640, 480)


def test_a_device_of_ones_own(program: Program) -> None:
    answer = program.execute("png('own.png', 1440, 900); plot(1:10); invisible(dev.off())")
    assert (answer["changedFiles"], answer["consoleOutput"]) == (["own.png"], "")
    assert size_of(program, "own.png") == (1440, 900)


def test_random_numbers_stay(program: Program) -> None:
    with_plot = program.execute("set.seed(7); invisible(runif(1)); plot(1)\nx <- runif(1)", outputParameters=["x"])
    without = program.execute("set.seed(7); invisible(runif(1))\nx <- runif(1)", outputParameters=["x"])
    assert with_plot["outputParameters"] == without["outputParameters"]


def test_a_plot_that_does_not_fit(program: Program) -> None:
    answer = program.execute("par(mar = c(99, 99, 99, 99)); plot(1)")
    assert not answer["success"]
    assert "margins" in answer["errorMessage"]
