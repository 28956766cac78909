"""Every difference between the consoles that is meant or cannot be otherwise, with its reason.

An entry covers a difference when the input's name matches `sources` and every pattern that is given is found: in the
statement, in the terminal's text, in the session's text. An entry that covers nothing in a full run is an error, unless
it says that it is not always needed.
"""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tests.conformance.compare import Difference


@dataclass(frozen=True, slots=True)
class Known:
    """One explanation."""

    title: str
    reason: str
    statement: str = ""
    terminal: str = ""
    session: str = ""
    sources: str = "*"
    always: bool = True

    def covers(self, difference: Difference) -> bool:
        """Whether this explains that difference."""
        pairs = (
            (self.statement, difference.statement),
            (self.terminal, difference.terminal),
            (self.session, difference.session),
        )
        return fnmatchcase(difference.source, self.sources) and all(re.search(p, text) for p, text in pairs)


KNOWN = (
    Known(
        "Environment variables",
        "The session is started by a program and not by R's shell script under `--vanilla`: it reads the site's "
        "Renviron files, as R without `--vanilla` does, and has no R_ENVIRON, R_PROFILE, PWD or SHLVL, but the "
        "variables that the server gives it.",
        terminal=r"R_ARCH|PWD|R_ENVIRON|R_PROFILE|R_LIBS_SITE",
    ),
    Known("Command line", "The session gives R other arguments.", statement=r"commandArgs"),
    Known(
        "Options of a session without a terminal",
        "browser, pager, editor and device of the session work in a page: what would start a program on a terminal or "
        "a display is shown or said there. Opening the plot device loads the package that draws, which sets an option "
        "of its own.",
        statement=r"options\(\)|length\(options|old\.o|str\(op\)|browseEnv",
    ),
    Known(
        "Capabilities",
        "The terminal was started without its line editor (`cledit`); the session has one, in the page.",
        statement=r"capabilities\(",
    ),
    Known(
        "No terminal below the console",
        "The session's standard streams are no terminal, so `isatty()` is FALSE, and programs that look for one "
        "(timedatectl) end their lines without a carriage return.",
        statement=r"isatty|Sys\.timezone",
    ),
    Known(
        "Pages of help.start()",
        "The terminal says that it starts a browser, the session shows the address in the page.",
        statement=r"help\.start\(\)",
    ),
    Known(
        "Plot device",
        "Plots go to the device of the plots pane, at the pane's size and 96 dpi, where the terminal opens pdf() with "
        "7 by 7 inches: positions, string widths and everything computed from them differ, and margins that fit one "
        "may not fit the other.",
        statement=r"strwidth|strheight|grconvert|legend\(|unique\(sw|shL|swL|coplot|TestChars|xyinch",
        sources="graphics-examples-*",
    ),
    Known(
        "No file Rplots.pdf",
        "The session plots to its plots pane and leaves no Rplots.pdf behind.",
        terminal=r"Rplots",
    ),
    Known(
        "Functions that are traced while a device opens",
        "The terminal opens pdf(), whose code calls sum(); the session's device does not.",
        terminal=r"trace: sum",
    ),
    Known(
        "When unused connections are closed",
        "R closes forgotten connections, with a warning, when the garbage collector happens to run; the session holds "
        "some more objects and so collects at other moments.",
        terminal=r"closing unused connection",
        always=False,
    ),
    Known(
        "When unused connections are closed (by the session)",
        "The same the other way round.",
        session=r"closing unused connection",
        always=False,
    ),
    Known(
        "Number of warnings",
        "One of them tells of a forgotten connection, see above.",
        statement=r"warnings\(\)|length\(uw\) == 1|x <- 1:36",
        sources="base-examples-*",
        always=False,
    ),
    Known(
        "Memory in use",
        "The session holds some more objects: its own functions, in an environment that is not attached.",
        statement=r"\bgc\(|\bgc,|memory\.profile",
    ),
    Known(
        "Stack in use",
        "R was called from another place in the stack.",
        terminal=r"eval_depth",
        always=False,
    ),
    Known(
        "Loaded libraries",
        "The session's own library is loaded besides R's; a program that lists the files of a process (lsof) "
        "shows another one.",
        statement=r"getLoadedDLLs|lsof|Sys\.getpid",
    ),
    Known(
        "Task callbacks",
        "The plots pane has a task callback, which getTaskCallbackNames() shows and which has a number.",
        statement=r"TaskCallback",
    ),
    Known(
        "Help pages",
        "The session shows them as plain text; the terminal's pager gets backspaces for bold and underlined letters.",
        terminal=r"_\x08",
    ),
    Known(
        "Order of an environment",
        "It follows from addresses, which are other ones in every process.",
        statement=r"str\(kList\)",
        always=False,
    ),
    Known(
        "Timings",
        "They are other ones in every run.",
        statement=r"^st\(|microbenchmark|system\.time|Sys\.time\(\)",
        always=False,
    ),
    Known(
        "Output of a program in the background",
        "It comes when the program writes it, in the terminal as well.",
        session=r"dgamma\.pdf|xdg-open",
        always=False,
    ),
    Known(
        "Output of a program in the background (in the terminal)",
        "The same the other way round.",
        terminal=r"dgamma\.pdf' does|xdg-open",
        always=False,
    ),
    Known(
        "Text that is not valid UTF-8",
        "A page cannot show single bytes: they become U+FFFD. The terminal is sent the bytes.",
        session="\ufffd",
    ),
    Known(
        "The two streams of a child process",
        "Standard output and standard error of a program are told apart by the session, so what a program writes to "
        "one and then, at once, to the other can come in the other order; the order in each of them is kept.",
        statement=r"InstOpts",
        sources="reg-packages.R",
        always=False,
    ),
)
