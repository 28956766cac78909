// Keeps the list of sessions fresh. Without it the page works as it was sent.
"use strict";
(() => {
  const PERIOD_MS = 3000;
  const SHARED_PERIOD_MS = 6000;
  // What a page asks by itself must not keep somebody signed in who has gone.
  const BACKGROUND = { headers: { "X-RStudio-Refresh-Auth-Creds": "0" } };
  const list = document.getElementById("sessions");
  // Missing where nothing can be shared.
  const shared = document.getElementById("shared");
  const news = document.getElementById("news");

  const percent = (value) => (value === null ? "—" : `${Math.round(value)} %`);

  function bytes(value) {
    const megabytes = value / 2 ** 20;
    if (megabytes < 1024) return `${Math.round(megabytes)} MB`;
    return `${(megabytes / 1024).toFixed(1).replace(/\.0$/, "")} GB`;
  }

  function memory(used, limit) {
    if (used === null) return "—";
    return limit === null ? bytes(used) : `${bytes(used)} of ${bytes(limit)}`;
  }

  function pages(count) {
    if (count === 0) return "nobody";
    return count === 1 ? "1 page" : `${count} pages`;
  }

  function ago(seconds) {
    for (const [size, name] of [[86400, "day"], [3600, "hour"], [60, "minute"]]) {
      const count = Math.floor(seconds / size);
      if (count >= 1) return `${count} ${name}${count > 1 ? "s" : ""} ago`;
    }
    return "just now";
  }

  function doing(session) {
    if (session.busy) return "R is working";
    if (session.idle_seconds === null) return "—";
    const since = ago(session.idle_seconds);
    return since === "just now" ? "just used" : `idle for ${since.replace(/ ago$/, "")}`;
  }

  function notify(row, text) {
    show(row, "notice", localTimes(text));
    row.querySelector('[data-fact="notice"]').hidden = text === "";
  }

  /** Times in sentences as people here write them; the page of the session does the same. */
  function localTimes(text) {
    return text.replace(/\b(\d{4}-\d\d-\d\d) (\d\d:\d\d) UTC\b/g, (told, day, clock) => {
      const time = new Date(`${day}T${clock}Z`);
      if (Number.isNaN(time.getTime())) return told;
      const here = time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
      return time.toDateString() === new Date().toDateString() ? here : `${here} on ${time.toLocaleDateString()}`;
    });
  }

  function showLocalTimes() {
    for (const cause of document.querySelectorAll("#sessions .cause, #shared .when")) {
      const text = localTimes(cause.textContent);
      if (text !== cause.textContent) cause.textContent = text;
    }
  }

  function show(row, fact, text) {
    const place = row.querySelector(`[data-fact="${fact}"]`);
    if (place !== null && place.textContent !== text) place.textContent = text;
  }

  function update(row, session) {
    show(row, "cpu", percent(session.cpu_percent));
    show(row, "memory", memory(session.memory_bytes, session.memory_limit_bytes));
    show(row, "connected", pages(session.connected));
    show(row, "doing", doing(session));
    notify(row, session.notice);
    show(row, "last-used", ago(Date.now() / 1000 - session.last_used));
  }

  /** A session that was quit is absent, with code 0. */
  function stateOf(session) {
    return session.state === "absent" && session.cause !== null ? "ended" : session.state;
  }

  function sameAs(row, session) {
    if (row === null) return false;
    const { state, label, cause, stands, r } = row.dataset;
    const same = state === stateOf(session) && label === session.label && cause === (session.cause ?? "");
    return same && r === session.r_key && stands === String(Number(session.held));
  }

  /** Somebody is in the middle of something that a new list would undo. */
  function inUse() {
    const places = ["#sessions", "#new-session", "#shared"].map((place) => `${place} details[open]`);
    return document.querySelector(places.join()) !== null;
  }

  async function redraw() {
    const answer = await fetch("home", BACKGROUND);
    if (!answer.ok || inUse()) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (inUse()) return;
    const focused = document.activeElement?.id;
    for (const id of ["sessions", "new-session", "projects", "shared"]) {
      const fresh = page.getElementById(id);
      if (fresh !== null) document.getElementById(id).replaceChildren(...fresh.childNodes);
    }
    showLocalTimes();
    if (focused) document.getElementById(focused)?.focus();
  }

  function tell(sessions) {
    const changed = sessions.filter((session) => {
      const row = document.getElementById(`session-${session.id}`);
      return row !== null && row.dataset.state !== stateOf(session);
    });
    if (changed.length > 0) news.textContent = changed.map((each) => `${each.title}: ${stateOf(each)}`).join(". ");
  }

  async function refresh() {
    const answer = await fetch("api/sessions", BACKGROUND);
    if (answer.status === 401) {
      location.reload();
      return;
    }
    if (!answer.ok) return;
    const { sessions } = await answer.json();
    const rows = list.querySelectorAll("[data-id]");
    const rowOf = (session) => document.getElementById(`session-${session.id}`);
    const same = rows.length === sessions.length && sessions.every((session) => sameAs(rowOf(session), session));
    if (!same) {
      tell(sessions);
      await redraw();
    }
    for (const session of sessions) {
      const row = rowOf(session);
      if (row !== null) update(row, session);
    }
  }

  async function refreshShared() {
    const answer = await fetch("api/shared-projects", BACKGROUND);
    if (!answer.ok) return;
    const { projects } = await answer.json();
    const rows = [...shared.querySelectorAll("[data-key]")];
    const same = rows.map((row) => row.dataset.key).join(" ") === projects.map((each) => `${each.owner}/${each.id}`).join(" ");
    if (!same) await redraw();
  }

  async function keepFresh(look, period) {
    if (!document.hidden) await look().catch(() => undefined);
    setTimeout(() => keepFresh(look, period), period);
  }

  /** The folder is asked for only when it is wanted; without script it is always there. */
  function showFolder() {
    const choice = document.getElementById("new-project");
    const folder = document.querySelector(".other-project");
    if (choice !== null && folder !== null) folder.hidden = choice.value !== "other";
  }

  document.addEventListener("change", showFolder);
  document.addEventListener("toggle", showFolder, true);
  document.addEventListener("keydown", (event) => {
    const open = event.key === "Escape" ? document.activeElement?.closest("details[open]") : null;
    if (open) {
      open.open = false;
      open.querySelector("summary").focus();
    }
  });
  showLocalTimes();
  setTimeout(() => keepFresh(refresh, PERIOD_MS), PERIOD_MS / 3);
  if (shared !== null) setTimeout(() => keepFresh(refreshShared, SHARED_PERIOD_MS), PERIOD_MS);
})();
