"""What a person at the console sees, against R's own terminal behaviour."""

import pytest

from tests.rsession.running import EventStream, RunningSession, evaluate

pytestmark = pytest.mark.r


def answer(session: RunningSession, stream: EventStream, text: str, prompt: str) -> None:
    """Type an answer and wait for the prompt after it."""
    evaluate(session, stream, text, prompt)


def test_an_expression_echoes_its_input_and_prints_its_value(session: RunningSession, stream: EventStream) -> None:
    since = stream.position
    assert evaluate(session, stream, "1 + 1") == "[1] 2\n"
    kinds = [event["type"] for event in stream.seen if event["id"] > since]
    assert kinds[:5] == ["console_write_input", "busy", "console_write_output", "busy", "console_prompt"]
    echo = next(event for event in stream.seen if event["id"] > since)
    assert echo["data"] == {"text": "> 1 + 1\n", "console_id": "test"}


def test_an_unfinished_expression_gets_the_continuation_prompt(session: RunningSession, stream: EventStream) -> None:
    evaluate(session, stream, "sum(1,", "+ ")
    assert evaluate(session, stream, "2)") == "[1] 3\n"


def test_several_lines_are_given_one_by_one(session: RunningSession, stream: EventStream) -> None:
    since = stream.position
    session.type("x <- 1\r\nx + 1\n'done'")
    stream.wait_for(lambda event: "done" in event["data"].get("text", "") and event["type"] == "console_write_output")
    assert stream.text("console_write_input", since) == "> x <- 1\n> x + 1\n> 'done'\n"


def test_an_empty_line_is_no_end_of_file(session: RunningSession, stream: EventStream) -> None:
    assert evaluate(session, stream, "") == ""
    assert evaluate(session, stream, "3") == "[1] 3\n"


def test_readline_takes_the_next_line(session: RunningSession, stream: EventStream) -> None:
    evaluate(session, stream, "name <- readline('name? ')", "name? ")
    answer(session, stream, "Ada", "> ")
    assert evaluate(session, stream, "name") == '[1] "Ada"\n'


def test_readline_is_no_history(session: RunningSession, stream: EventStream) -> None:
    session.type("invisible(readline('secret: '))")
    assert stream.wait_for_prompt("secret: ")["data"]["history"] is False
    answer(session, stream, "x", "> ")


def test_menu_asks_and_returns_the_choice(session: RunningSession, stream: EventStream) -> None:
    assert "1: yes" in evaluate(session, stream, "menu(c('yes', 'no'))", "Selection: ")
    assert evaluate(session, stream, "2") == "[1] 2\n"


def test_scan_reads_until_an_empty_line(session: RunningSession, stream: EventStream) -> None:
    evaluate(session, stream, "s <- scan()", "1: ")
    answer(session, stream, "10 20", "3: ")
    answer(session, stream, "", "> ")
    assert evaluate(session, stream, "sum(s)") == "[1] 30\n"


def test_browser_and_debug_step_and_leave(session: RunningSession, stream: EventStream) -> None:
    evaluate(session, stream, "f <- function(a) {\n  b <- a * 2\n  b + 1\n}; debug(f)")
    assert "debugging in: f(4)" in evaluate(session, stream, "f(4)", "Browse[2]> ")
    answer(session, stream, "n", "Browse[2]> ")
    assert evaluate(session, stream, "a", "Browse[2]> ") == "[1] 4\n"
    assert "[1] 9" in evaluate(session, stream, "c")
    evaluate(session, stream, "undebug(f)")


def test_stop_at_a_browser_prompt_leaves_it(session: RunningSession, stream: EventStream) -> None:
    evaluate(session, stream, "browser()", "Browse[1]> ")
    session.call("interrupt")
    stream.wait_for_prompt("> ")


def test_output_of_children_is_in_order(session: RunningSession, stream: EventStream) -> None:
    code = "{cat('one\\n'); system('echo two'); cat('three\\n'); system('echo four >&2'); cat('five\\n')}"
    since = stream.position
    evaluate(session, stream, code)
    kinds = ("console_write_output", "console_write_error")
    text = "".join(event["data"]["text"] for event in stream.seen if event["type"] in kinds and event["id"] > since)
    assert text == "one\ntwo\nthree\nfour\nfive\n"


def test_output_of_forked_children_arrives(session: RunningSession, stream: EventStream) -> None:
    code = "invisible(parallel::mclapply(1:40, function(i) cat(paste0('child ', i, '\\n')), mc.cores = 4))"
    output = evaluate(session, stream, code)
    assert sorted(output.split("\n"))[1:] == sorted(f"child {i}" for i in range(1, 41))


def test_a_child_that_reads_standard_input_finds_its_end(session: RunningSession, stream: EventStream) -> None:
    assert evaluate(session, stream, "system('cat; echo end')") == "end\n"


def test_errors_and_warnings_come_as_error_text(session: RunningSession, stream: EventStream) -> None:
    since = stream.position
    evaluate(session, stream, "{warning('careful'); stop('broken')}")
    text = stream.text("console_write_error", since)
    assert "Error: broken" in text
    assert "careful" in text


def test_a_long_line_is_read_whole(session: RunningSession, stream: EventStream) -> None:
    line = "nchar('" + "ä" * 50_000 + "')"
    assert evaluate(session, stream, line) == "[1] 50000\n"


def test_ten_thousand_pasted_lines_run_in_order(session: RunningSession, stream: EventStream) -> None:
    since = stream.position
    session.type("n <- 0\n" + "n <- n + 1\n" * 10_000 + "cat('n is', n, '\\n')")
    stream.wait_for(lambda event: "n is" in event["data"].get("text", "") and event["type"] == "console_write_output")
    assert stream.text(since=since) == "n is 10000 \n"


def test_a_callback_of_later_runs_at_the_prompt(session: RunningSession, stream: EventStream) -> None:
    evaluate(session, stream, "later::later(function() cat('rang\\n'), 0.2)")
    stream.wait_for(lambda event: event["data"].get("text") == "rang\n")


def test_the_help_server_answers_at_the_prompt(session: RunningSession, stream: EventStream) -> None:
    port = int(evaluate(session, stream, "cat(suppressMessages(tools::startDynamicHelp()), '\\n')"))
    from http.client import HTTPConnection

    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/library/stats/html/lm.html")
    assert b"Fitting Linear Models" in connection.getresponse().read()
    connection.close()


def test_help_is_shown_in_the_console(session: RunningSession, stream: EventStream) -> None:
    assert "Fitting Linear Models" in evaluate(session, stream, "print(help('lm', help_type = 'text'))")


def test_text_of_another_language_survives(session: RunningSession, stream: EventStream) -> None:
    assert evaluate(session, stream, "cat('Grüße, 你好 🎉\\n')") == "Grüße, 你好 🎉\n"


def test_recursion_without_end_is_an_error(session: RunningSession, stream: EventStream) -> None:
    since = stream.position
    evaluate(session, stream, "f <- function() f(); f()")
    error = stream.text("console_write_error", since)
    assert "C stack usage" in error or "infinite recursion" in error


def test_the_last_value_is_the_user_s(session: RunningSession, stream: EventStream) -> None:
    evaluate(session, stream, "41 + 1")
    session.call("get_environment_state")
    assert evaluate(session, stream, ".Last.value") == "[1] 42\n"


def test_the_session_leaves_no_trace_on_the_search_path(session: RunningSession, stream: EventStream) -> None:
    output = evaluate(session, stream, "cat(search(), ls(all.names = TRUE, pattern = 'rs'))")
    assert "rs" not in output.replace("Autoloads", "")


def test_input_that_r_cannot_read_is_refused(session: RunningSession) -> None:
    assert session.rpc("console_input", "a\0b")["error"]["code"] == 10
    assert session.rpc("console_input", "x\n" * 100_001)["error"]["code"] == 10
