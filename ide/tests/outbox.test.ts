import { beforeEach, describe, expect, it } from "vitest";
import { NOT_REACHED, NOT_RUNNING, Outbox, PERHAPS_SENT, type Sending } from "../src/console/outbox";
import { RpcError } from "../src/net/rpc";

/** A session that answers when the test says so. */
class FakeSession {
  isRunning = true;
  ids = 0;
  got: Sending[] = [];
  refusal: Error | null = null;
  isSilent = false;

  async ready(): Promise<boolean> {
    return this.isRunning;
  }

  register(): string {
    this.ids += 1;
    return `id-${this.ids}`;
  }

  deliver(sending: Sending): Promise<void> {
    if (this.refusal !== null) return Promise.reject(this.refusal);
    this.got.push(sending);
    if (!this.isSilent) return Promise.resolve();
    return new Promise((_, reject) => {
      sending.signal.addEventListener("abort", () => reject(new Error("aborted")));
    });
  }
}

let session: FakeSession;
let outbox: Outbox;

beforeEach(() => {
  session = new FakeSession();
  outbox = new Outbox(session);
});

const texts = (): string[] => session.got.map(({ text }) => text);

describe("Outbox", () => {
  it("sends one piece after the other", async () => {
    session.isSilent = true;
    void outbox.send("1", "prompt");
    void outbox.send("2", "prompt");
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(texts()).toEqual(["1"]);
  });

  it("returns what the session accepted and R did not take before it ended", async () => {
    expect(await outbox.send("a\nb\nc", "prompt")).toBe(true);
    expect(await outbox.send("d\n", "editor")).toBe(true);
    outbox.taken("id-1");
    outbox.lose("suspended", true);
    expect(outbox.returned.value).toEqual({ text: "b\nc\nd", why: "suspended" });
  });

  it("returns nothing that was taken", async () => {
    await outbox.send("a", "prompt");
    await outbox.send("b\nc", "prompt");
    for (const id of ["id-1", "id-2", "elsewhere", "id-2"]) outbox.taken(id);
    outbox.lose("suspended", true);
    expect(outbox.returned.value).toBeNull();
  });

  it("holds nothing that a later line has overtaken: it was interrupted elsewhere", async () => {
    await outbox.send("a", "prompt");
    await outbox.send("b", "prompt");
    outbox.taken("id-2");
    outbox.lose("suspended", true);
    expect(outbox.returned.value).toBeNull();
  });

  it("returns what is refused, and what was to follow it", async () => {
    session.refusal = new RpcError(2, "the session is being suspended");
    const sent = [outbox.send("a", "prompt"), outbox.send("b", "editor")];
    expect(await Promise.all(sent)).toEqual([false, false]);
    expect(outbox.returned.value).toEqual({ text: "a\nb", why: NOT_REACHED });
    session.refusal = null;
    expect(await outbox.send("c", "prompt")).toBe(true);
  });

  it("says when it cannot know whether R has it, and when there is no R", async () => {
    session.refusal = new RpcError(200, "lost");
    await outbox.send("a", "prompt");
    expect(outbox.returned.value?.why).toBe(PERHAPS_SENT);
    session.isRunning = false;
    await outbox.send("b", "prompt");
    expect(outbox.returned.value).toEqual({ text: "b", why: NOT_RUNNING });
  });

  it("returns a piece that no answer came to when the process ends, and goes on with the next", async () => {
    session.isSilent = true;
    const sent = outbox.send("a", "prompt");
    await Promise.resolve();
    await Promise.resolve();
    outbox.lose("suspended", true);
    expect([await sent, outbox.returned.value?.text]).toEqual([false, "a"]);
    session.isSilent = false;
    expect(await outbox.send("b", "prompt")).toBe(true);
  });

  it("keeps for the next process what waits for it", async () => {
    let start = (): void => undefined;
    session.ready = () =>
      new Promise((resolve) => {
        start = () => resolve(true);
      });
    const sent = outbox.send("a", "prompt");
    await Promise.resolve();
    outbox.lose("restarted", false);
    start();
    expect([await sent, outbox.returned.value, texts()]).toEqual([true, null, ["a"]]);
  });

  it("leaves answers to a question and long pieces of the editor where they are", async () => {
    await outbox.send("secret", "prompt", true);
    await outbox.send("x\n".repeat(21), "editor");
    await outbox.send("y", "editor");
    outbox.lose("Suspended.", true);
    const why = "Suspended. 21 lines of the editor were not run either.";
    expect(outbox.returned.value).toEqual({ text: "y", why });
  });

  it("forgets what the user has stopped", async () => {
    await outbox.send("a", "prompt");
    outbox.forget();
    outbox.lose("suspended", true);
    expect(outbox.returned.value).toBeNull();
  });
});
