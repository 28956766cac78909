import { describe, expect, it } from "vitest";
import { csrfToken, errorOf, isConnectionError, Rpc, RpcError } from "../src/net/rpc";
import { ServerApi, sessionOfAddress } from "../src/net/server_api";

interface Seen {
  url: string;
  init: RequestInit;
}

function answering(
  status: number,
  body: unknown,
): { seen: Seen[]; fetch: (u: string, i: RequestInit) => Promise<Response> } {
  const seen: Seen[] = [];
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    seen.push({ url, init });
    return new Response(typeof body === "string" ? body : JSON.stringify(body), { status });
  };
  return { seen, fetch };
}

const cookies = (): string => "other=1; rs-csrf-token=t%7C1";

describe("Rpc", () => {
  it("keeps calls back while its session is about to go, and lets those under way come back", async () => {
    const answers: (() => void)[] = [];
    const asked: string[] = [];
    const fetch = (url: string): Promise<Response> => {
      asked.push(url);
      return new Promise((resolve) => answers.push(() => resolve(new Response('{"result":null}', { status: 200 }))));
    };
    const rpc = new Rpc(fetch, cookies);
    let stayed = (): void => undefined;
    const until = new Promise<void>((resolve) => {
      stayed = resolve;
    });
    const first = rpc.call("interrupt", []);
    const poll = rpc.call("get_events", [0], { signal: new AbortController().signal });
    let isQuiet = false;
    const quiet = rpc.hold(until).then(() => {
      isQuiet = true;
    });
    const second = rpc.call("keep_running", []);
    void rpc.call("save_view", [{ active: null, places: {} }], { keepalive: true });
    expect(asked).toEqual(["rpc/interrupt", "rpc/get_events", "rpc/save_view"]);
    expect(isQuiet).toBe(false);
    answers[0]?.();
    await first;
    await quiet;
    expect(asked).toHaveLength(3);
    stayed();
    await expect.poll(() => asked).toHaveLength(4);
    answers[3]?.();
    expect(await second).toBeNull();
    answers[1]?.();
    await poll;
  });

  it("posts method, parameters, client and token, and gives the result", async () => {
    const { seen, fetch } = answering(200, { result: { revision: 4 } });
    const rpc = new Rpc(fetch, cookies);
    rpc.clientId = "me";
    expect(await rpc.call("set_document", ["d", "text"])).toEqual({ revision: 4 });
    expect(seen[0]?.url).toBe("rpc/set_document");
    expect(JSON.parse(String(seen[0]?.init.body))).toEqual({
      method: "set_document",
      params: ["d", "text"],
      kwparams: {},
      clientId: "me",
    });
    expect(seen[0]?.init.headers).toMatchObject({ "X-RS-CSRF-Token": "t|1" });
  });

  it("throws what the session says", async () => {
    const { fetch } = answering(200, { error: { code: 1003, message: "disk full" } });
    const failure = await new Rpc(fetch, cookies).call("save_document", ["d", null, false]).catch((e: unknown) => e);
    expect(failure).toEqual(new RpcError(1003, "disk full"));
  });

  it("tells a lost connection from an answer", async () => {
    const rpc = new Rpc(() => Promise.reject(new TypeError("failed")), cookies);
    await expect(rpc.call("interrupt", [])).rejects.toMatchObject({ code: 200 });
  });

  it("tells the page when it is signed out", async () => {
    let told = 0;
    const rpc = new Rpc(answering(401, "").fetch, cookies, () => {
      told += 1;
    });
    await expect(rpc.call("interrupt", [])).rejects.toMatchObject({ code: 3 });
    expect(told).toBe(1);
  });
});

describe("errorOf", () => {
  it("falls back on the status", () => {
    expect([401, 404, 502, 503, 504, 500].map((status) => errorOf(status, null).code)).toEqual([3, 14, 1, 1, 1, 11]);
  });

  it("keeps the state of an ended session", () => {
    const session = { id: "x", state: "failed" };
    expect(errorOf(503, { error: { code: 21, message: "ended", session } }).session).toEqual(session);
  });

  it("takes no error of another shape for granted", () => {
    expect(errorOf(500, { error: "text" }).code).toBe(11);
    expect(errorOf(500, { error: { code: "1", message: 2 } }).message).toContain("500");
  });
});

describe("isConnectionError", () => {
  it("is about the way, not about the request", () => {
    expect([1, 2, 3, 4, 13, 21, 200].every((code) => isConnectionError(new RpcError(code, "")))).toBe(true);
    expect([8, 11, 100, 1001].some((code) => isConnectionError(new RpcError(code, "")))).toBe(false);
    expect(isConnectionError(new Error("x"))).toBe(false);
  });
});

describe("csrfToken", () => {
  it("reads its cookie among others", () => {
    expect(csrfToken("a=b; rs-csrf-token=xyz; c=d")).toBe("xyz");
    expect(csrfToken("not-rs-csrf-token=xyz")).toBe("");
  });
});

describe("ServerApi", () => {
  it("asks beside the session, and starts it as wished", async () => {
    const { seen, fetch } = answering(200, { id: "abc", state: "running" });
    const api = new ServerApi("abc", fetch, cookies);
    expect((await api.state()).state).toBe("running");
    await api.resume({ run_rprofile: false, restore: true });
    expect(seen.map((request) => request.url)).toEqual(["../../api/sessions/abc", "../../api/sessions/abc/resume"]);
    expect(JSON.parse(String(seen[1]?.init.body))).toEqual({ run_rprofile: false, restore: true });
  });
});

describe("sessionOfAddress", () => {
  it("finds the id below any prefix", () => {
    expect(sessionOfAddress("/s/0123456789abcdef01234/")).toBe("0123456789abcdef01234");
    expect(sessionOfAddress("/r/x/s/0123456789abcdef01234/")).toBe("0123456789abcdef01234");
    expect(sessionOfAddress("/s/short/")).toBe("");
  });
});
