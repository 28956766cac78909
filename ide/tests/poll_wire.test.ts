import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { PollWire } from "../src/collab/poll_wire";
import type { WireUser } from "../src/collab/wire";

interface Ask {
  readonly query: URLSearchParams;
  readonly headers: Record<string, string>;
  readonly bodies: readonly string[];
  answer(body: Uint8Array | number): void;
  fail(): void;
}

function framed(texts: readonly string[]): Uint8Array<ArrayBuffer> {
  const parts = texts.map((text) => new TextEncoder().encode(text));
  const body = new Uint8Array(parts.reduce((size, part) => size + 4 + part.length, 0));
  let at = 0;
  for (const part of parts) {
    new DataView(body.buffer).setUint32(at, part.length);
    body.set(part, at + 4);
    at += 4 + part.length;
  }
  return body;
}

function texts(body: Uint8Array): string[] {
  const found: string[] = [];
  for (let at = 0; at < body.length; ) {
    const length = new DataView(body.buffer).getUint32(at);
    found.push(new TextDecoder().decode(body.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return found;
}

function messages(...said: string[]): Uint8Array {
  return new Uint8Array([0, ...framed(said)]);
}

class Network implements WireUser {
  readonly asked: Ask[] = [];
  readonly heard: string[] = [];
  end: [number, string] | null = null;

  fetch = (url: string, init: RequestInit): Promise<Response> =>
    new Promise((resolve, reject) => {
      init.signal?.addEventListener("abort", () => reject(new Error("aborted")));
      this.asked.push({
        query: new URL(url).searchParams,
        headers: init.headers as Record<string, string>,
        bodies: texts(init.body as Uint8Array),
        answer: (body) =>
          resolve(typeof body === "number" ? new Response("", { status: body }) : new Response(body as BodyInit)),
        fail: () => reject(new Error("lost")),
      });
    });

  received(data: Uint8Array): void {
    this.heard.push(new TextDecoder().decode(data));
  }

  closed(code: number, reason: string): void {
    this.end = [code, reason];
  }

  open(): PollWire {
    return new PollWire("https://r.example/s/x/collab/h/d", this, this.fetch, () => "rs-csrf-token=abc");
  }

  /** The latest request that waits, or that brings something. */
  latest(waits: "0" | "1"): Ask {
    const found = this.asked.filter(({ query }) => query.get("waits") === waits).at(-1);
    if (found === undefined) throw new Error("nothing was asked");
    return found;
  }
}

const settled = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);
const bytes = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(new TextEncoder().encode(text));

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("always waits for the messages behind those it has", async () => {
  const network = new Network();
  network.open();
  const first = network.latest("1");
  expect(first.query.get("link")).toMatch(/^[0-9a-f]{32}$/);
  expect([first.query.get("after"), first.query.get("first")]).toEqual(["0", "1"]);
  expect(first.headers).toMatchObject({ "X-RS-CSRF-Token": "abc", "X-RStudio-Refresh-Auth-Creds": "0" });
  first.answer(messages("a", "b"));
  await settled();
  expect(network.heard).toEqual(["a", "b"]);
  expect(network.latest("1").query.get("after")).toBe("2");
});

test("sends what is said in one go together, and the next when that has arrived", async () => {
  const network = new Network();
  const wire = network.open();
  wire.send(bytes("1"));
  wire.send(bytes("2"));
  await settled();
  const sending = network.latest("0");
  expect(sending.bodies).toEqual(["1", "2"]);
  wire.send(bytes("3"));
  await settled();
  expect(network.latest("0")).toBe(sending);
  sending.answer(messages());
  await settled();
  expect([network.latest("0").query.get("first"), network.latest("0").bodies]).toEqual(["3", ["3"]]);
});

test("says again what may not have arrived, with the same numbers", async () => {
  const network = new Network();
  const wire = network.open();
  wire.send(bytes("1"));
  await settled();
  network.latest("0").fail();
  network.latest("1").answer(502);
  await vi.advanceTimersByTimeAsync(500);
  expect(network.asked.length).toBe(4);
  expect([network.latest("0").query.get("first"), network.latest("0").bodies]).toEqual(["1", ["1"]]);
  expect(network.latest("1").query.get("after")).toBe("0");
  expect(network.end).toBeNull();
});

test.each([
  [403, [4403, ""]],
  [404, [1006, ""]],
  [new Uint8Array([1, ...bytes('{"code":4410,"reason":"gone"}')]), [4410, "gone"]],
])("says how it ended: %j", async (answer, end) => {
  const network = new Network();
  network.open();
  network.latest("1").answer(answer);
  await settled();
  expect(network.end).toEqual(end);
});

test("gives up after a while without any answer, and says nothing once it is closed", async () => {
  const network = new Network();
  const wire = network.open();
  for (let lost = 0; lost < 7; lost += 1) {
    network.latest("1").fail();
    await vi.advanceTimersByTimeAsync(3000);
  }
  expect(network.end).toEqual([1006, ""]);
  const other = new Network();
  const closed = other.open();
  closed.close();
  await settled();
  expect(other.end).toBeNull();
  wire.close();
});
