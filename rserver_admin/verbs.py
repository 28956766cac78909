"""The table of verbs."""

from rserver_admin import (
    about,
    active_sessions,
    configuration,
    diagnose,
    life,
    offline,
    session_signals,
    session_suspension,
)
from rserver_admin.verb import Verb
from rserver_admin.verify import verb as verify

_STATE = (
    '`{"running","pid","since","addresses","worker","nginx","sessions","offline"}`; `since` is a time, `sessions` a '
    "number, `worker` and `nginx` say whether they answer (null: there is none)"
)
_SIGNALLED = '`{"signalled":[{"pid","user","session"}]}`'
_SUSPENDED = (
    '`{"suspended":[{"pid","user","session"}],"blocked":[{…,"blockers":[{"kind","reason"}]}],'
    '"failed":[{…,"reason"}],"starting":[…]}`'
)
_ONE = "PID|ID"

_TABLE = (
    Verb(
        "start",
        life.start,
        "Tests the configuration, then starts the server in the background and returns when it serves. Nothing is done "
        "where it runs already.",
        _STATE,
        makes_server=True,
    ),
    Verb("stop", life.stop, "Stops the server. R sessions keep running; it says how many.", _STATE),
    Verb(
        "restart",
        life.restart,
        "Tests the configuration, then stops and starts the server. A server that was not started by systemd gets the "
        "options again that it ran with; those given now win. R sessions keep running.",
        _STATE,
        makes_server=True,
    ),
    Verb(
        "status",
        life.status,
        "Says whether the server runs, its process, since when, its addresses, the number of sessions, and whether the "
        "worker and, with `server-http=1`, nginx answer. Exit code 0 "
        "when it runs, 3 when it does not.",
        _STATE,
    ),
    Verb(
        "reload",
        life.reload,
        "Tests the configuration, then has the running server read it again. Addresses, ports and directories need "
        "a restart.",
        "`{}`",
    ),
    Verb(
        "test-config",
        configuration.test,
        "Names everything that is wrong with the configuration and its certificates. Exit code 2 when something is. "
        "R versions that cannot be used, and accounts, groups, versions and processors in `profiles` that are not on "
        "this machine, are warnings.",
        '`{"ok","errors":[{"place","key","problem"}],"warnings":[sentence]}`, `warnings` only when `ok`',
        for_anybody=True,
    ),
    Verb(
        "verify-installation",
        verify.verify_installation,
        "Checks accounts, directories, port, PAM services, R, the session program and the web page, and runs R in a "
        "real session with a temporary home, as the account of `server-user` or the one given. Names the mend for each "
        "failure. Refuses while the server runs.",
        '`{"ok","checks":[{"name","ok","text","mend"}]}`',
        options=("verify-user",),
        makes_server=True,
    ),
    Verb(
        "active-sessions",
        active_sessions.list_sessions,
        "Lists the sessions that run, also while the server does not: what they use, since when nobody used them, and "
        "what stands against suspending them.",
        '`{"sessions":[{"pid","user","uid","session","project","started","cpu_seconds","memory_bytes","memory_kind",'
        '"state","busy","idle_seconds","blockers":[{"kind","reason"}],"ends","ends_in_seconds"}]}`; from `busy` '
        "on null for a session that does not answer; `ends` is `suspend`, `quit` or `kill` while its end by a time-out "
        "is near; "
        "`memory_kind` is `pss` or `rss`; `state` is `starting`, `running`, `stopped` or `unattended`",
    ),
    Verb(
        "suspend-session",
        session_suspension.suspend_session,
        "Has one session save itself and end, and returns when it has. Where something stands against it, R that works "
        "or an open connection, it is named, and the exit code is 1.",
        _SUSPENDED,
        _ONE,
    ),
    Verb(
        "suspend-all",
        session_suspension.suspend_all,
        "The same for every session. Exit code 1 when one goes on.",
        _SUSPENDED,
    ),
    Verb(
        "force-suspend-session",
        session_suspension.force_suspend_session,
        "Interrupts one session, which saves what can be saved and ends. One that cannot be interrupted goes on and is "
        "named, with exit code 1.",
        _SUSPENDED,
        _ONE,
    ),
    Verb("force-suspend-all", session_suspension.force_suspend_all, "The same for every session.", _SUSPENDED),
    Verb(
        "kill-session",
        session_signals.kill_session,
        "Kills one session (SIGKILL). R objects are lost but for those of the last checkpoint, the text of open "
        "documents is not. Its user is told that an administrator ended it.",
        _SIGNALLED,
        _ONE,
    ),
    Verb("kill-all", session_signals.kill_all, "The same for every session.", _SIGNALLED),
    Verb(
        "offline",
        offline.take_offline,
        "Every page says that the server is offline, with the line of `--message` when there is one; what is connected "
        "is disconnected. The command returns when that is so. R sessions keep running.",
        '`{"offline"}`',
        options=("message",),
    ),
    Verb("online", offline.bring_online, "Ends that.", '`{"offline"}`'),
    Verb(
        "diagnose",
        diagnose.diagnose,
        "Looks at the running server from outside, at the address that people type (`--url=https://r.example.org/r/`), "
        "and names what reverse proxies in front do wrong, with the line to change for nginx, Apache, HAProxy and "
        "Traefik. `--connect=HOST:PORT` connects there instead, `--ca-file=FILE` knows more authorities, `--seconds=N` "
        "is for how long connections are kept silent on trial (35). Exit code 1 when something is wrong.",
        '`{"ok","url","direct","proxy","findings":[{"code","grave","cause","effect","evidence","mend"}]}`; `direct`: '
        "no proxy in between; `mend`: lines by `nginx`, `apache`, `haproxy`, `traefik`, `everywhere`",
        options=("url", "connect", "ca-file", "seconds"),
    ),
    Verb("version", about.version, "Says which version this is.", '`{"version","system","python"}`', for_anybody=True),
)

VERBS = {verb.name: verb for verb in _TABLE}
