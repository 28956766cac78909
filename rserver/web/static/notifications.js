// What the administrator tells everybody: can be dismissed, and comes and goes with its time.
"use strict";
(() => {
  const PERIOD_MS = 15000;
  const MOST_KEPT = 100;
  const KEY = "rserver.dismissed-notifications";
  const BACKGROUND = { headers: { "X-RStudio-Refresh-Auth-Creds": "0" } };
  const place = document.getElementById("notifications");

  function dismissed() {
    try {
      const kept = JSON.parse(localStorage.getItem(KEY) ?? "[]");
      return Array.isArray(kept) ? kept : [];
    } catch {
      return [];
    }
  }

  function dismiss(shown) {
    try {
      localStorage.setItem(KEY, JSON.stringify([...dismissed(), shown.dataset.notification].slice(-MOST_KEPT)));
    } catch {
      // Then it comes again with the next page.
    }
    shown.remove();
  }

  function make({ id, message }) {
    const shown = document.createElement("div");
    shown.className = "notification";
    shown.setAttribute("role", "status");
    shown.dataset.notification = id;
    const text = document.createElement("p");
    text.textContent = message;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "plain";
    button.textContent = "Dismiss";
    button.setAttribute("aria-label", "Dismiss this message");
    shown.append(text, button);
    return shown;
  }

  function prepare(shown) {
    if (dismissed().includes(shown.dataset.notification)) {
      shown.remove();
      return;
    }
    const button = shown.querySelector("button");
    button.hidden = false;
    button.addEventListener("click", () => dismiss(shown));
  }

  async function refresh() {
    const answer = await fetch("api/notifications", BACKGROUND);
    if (!answer.ok) return;
    const { notifications } = await answer.json();
    const wanted = new Set(notifications.map(({ id }) => id));
    const there = new Set();
    for (const shown of place.querySelectorAll("[data-notification]")) {
      if (wanted.has(shown.dataset.notification)) there.add(shown.dataset.notification);
      else shown.remove();
    }
    for (const notification of notifications) {
      if (there.has(notification.id) || dismissed().includes(notification.id)) continue;
      const shown = make(notification);
      place.append(shown);
      prepare(shown);
    }
  }

  async function keepFresh() {
    if (!document.hidden) await refresh().catch(() => undefined);
    setTimeout(keepFresh, PERIOD_MS);
  }

  place.querySelectorAll("[data-notification]").forEach(prepare);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) refresh().catch(() => undefined);
  });
  setTimeout(keepFresh, PERIOD_MS);
})();
