import { signal } from "@preact/signals";
import { beforeEach, describe, expect, it } from "vitest";
import type { App } from "../src/app";
import type { Link } from "../src/net/session_link";
import type { Life } from "../src/shell/life_store";
import { Use } from "../src/shell/use";

const SUSPENDED: Link = { kind: "ended", session: { id: "s", state: "suspended" }, problem: null };
const FAILED: Link = { kind: "ended", session: { id: "s", state: "failed" }, problem: null };

class Page {
  readonly link = { link: signal<Link>({ kind: "live", via: "websocket" }) };
  readonly life = { life: signal<Life>({ kind: "active" }) };
  calls: string[] = [];
  resumed = 0;
  readonly rpc = {
    call: (method: string): Promise<null> => {
      this.calls.push(method);
      return Promise.reject(new Error("away"));
    },
  };

  resume(): void {
    this.resumed += 1;
  }
}

let page: Page;
let now: number;
let use: Use;

beforeEach(() => {
  page = new Page();
  now = 0;
  use = new Use(page as unknown as App, () => now);
});

describe("use of the page", () => {
  it("is told once a minute at most", () => {
    for (now of [0, 1000, 59_000, 60_000, 61_000]) use.seen(new Event("keydown"));
    expect(page.calls).toEqual(["keep_running", "keep_running"]);
  });

  it("is told at once when the session is about to end", () => {
    use.seen(new Event("pointerdown"));
    page.life.life.value = { kind: "ending", action: "suspend", endsAt: 0, rule: "" };
    use.seen(new Event("pointerdown"));
    expect(page.calls.length).toBe(2);
  });

  it("brings a suspended session back, and no other", () => {
    page.link.link.value = FAILED;
    use.seen(new Event("pointerdown"));
    expect(page.resumed).toBe(0);
    page.link.link.value = SUSPENDED;
    use.seen(new Event("wheel"));
    expect(page.resumed).toBe(0);
    use.seen(new Event("pointerdown"));
    expect([page.resumed, page.calls]).toEqual([1, []]);
  });
});
