import { retryDelay } from "../net/backoff";
import { csrfToken, type Fetch } from "../net/rpc";
import { LOST, type Wire, type WireUser } from "./wire";

const NO_ACCESS = 4403;
const MOST_FAILURES = 6;
/** Filebase answers after 20 s at the latest; who hears nothing for longer asks again. */
const PATIENCE_MS = 35_000;
const MOST_BYTES = 8 << 20;
const LENGTH = 4;
const MESSAGES = 0;
/** What a proxy says that had no answer. */
const PASSING: ReadonlySet<number> = new Set([502, 504]);

/** Requests that could not be made or were not answered may be repeated: messages have numbers. */
class Passing extends Error {}

class Ended extends Error {
  constructor(
    readonly code: number,
    reason: string,
  ) {
    super(reason);
  }
}

/**
 * The twin of the WebSocket for networks that let none through: one request always waits for messages, another brings
 * what there is to send. See docs/reference/internal-protocols.md §7.
 */
export class PollWire implements Wire {
  private readonly link = name();
  private readonly over = new AbortController();
  private readonly unsent: Uint8Array<ArrayBuffer>[] = [];
  private received = 0;
  /** Messages that filebase surely has. */
  private sent = 0;
  private isSending = false;

  constructor(
    private readonly address: string,
    private readonly user: WireUser,
    private readonly fetch: Fetch = (url, init) => globalThis.fetch(url, init),
    private readonly cookies: () => string = () => document.cookie,
  ) {
    void this.run(() => this.listen());
  }

  send(data: Uint8Array<ArrayBuffer>): void {
    this.unsent.push(data);
    if (this.isSending) return;
    this.isSending = true;
    // What is said in one go travels together.
    queueMicrotask(() => void this.run(() => this.deliver()));
  }

  close(): void {
    this.over.abort();
  }

  private async run(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (this.over.signal.aborted) return;
      this.over.abort();
      if (error instanceof Ended) this.user.closed(error.code, error.message);
      else this.user.closed(LOST, "");
    }
  }

  private async listen(): Promise<void> {
    while (!this.over.signal.aborted)
      for (const message of await this.insist(() => this.ask(1, [], true))) {
        if (this.over.signal.aborted) return;
        this.received += 1;
        this.user.received(message);
      }
  }

  private async deliver(): Promise<void> {
    while (this.unsent.length > 0) {
      const batch = this.batch();
      await this.insist(() => this.ask(this.sent + 1, batch, false));
      this.unsent.splice(0, batch.length);
      this.sent += batch.length;
    }
    this.isSending = false;
  }

  private batch(): readonly Uint8Array<ArrayBuffer>[] {
    let size = 0;
    const end = this.unsent.findIndex((message, index) => {
      size += message.length;
      return index > 0 && size > MOST_BYTES;
    });
    return this.unsent.slice(0, end < 0 ? undefined : end);
  }

  /** Asks until there is an answer; a link that has lost its way for long is given up. */
  private async insist<T>(ask: () => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt += 1)
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof Passing) || attempt >= MOST_FAILURES) throw error;
        await new Promise((resolve) => setTimeout(resolve, retryDelay(attempt, Math.random())));
      }
  }

  private async ask(
    first: number,
    messages: readonly Uint8Array<ArrayBuffer>[],
    waits: boolean,
  ): Promise<Uint8Array[]> {
    const url = new URL(this.address);
    const fields = { link: this.link, after: this.received, first, waits: waits ? 1 : 0 };
    for (const [key, value] of Object.entries(fields)) url.searchParams.set(key, String(value));
    return read(await this.post(url.href, framed(messages)));
  }

  private async post(url: string, body: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const late = new AbortController();
    const give = (): void => late.abort();
    const patience = setTimeout(give, PATIENCE_MS);
    this.over.signal.addEventListener("abort", give, { once: true });
    try {
      const headers = {
        "Content-Type": "application/octet-stream",
        "X-RS-CSRF-Token": csrfToken(this.cookies()),
        "X-RStudio-Refresh-Auth-Creds": "0",
      };
      const options = { credentials: "same-origin", redirect: "manual", signal: late.signal } as const;
      const answer = await this.fetch(url, { method: "POST", headers, body, ...options });
      if (answer.ok) return new Uint8Array(await answer.arrayBuffer());
      throw PASSING.has(answer.status) ? new Passing() : new Ended(answer.status === 403 ? NO_ACCESS : LOST, "");
    } catch (error) {
      throw error instanceof Ended ? error : new Passing();
    } finally {
      clearTimeout(patience);
      this.over.signal.removeEventListener("abort", give);
    }
  }
}

function name(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Each message behind its length, 4 bytes, big-endian. */
function framed(messages: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const body = new Uint8Array(messages.reduce((size, message) => size + LENGTH + message.length, 0));
  const view = new DataView(body.buffer);
  let at = 0;
  for (const message of messages) {
    view.setUint32(at, message.length);
    body.set(message, at + LENGTH);
    at += LENGTH + message.length;
  }
  return body;
}

function read(body: Uint8Array<ArrayBuffer>): Uint8Array[] {
  if (body[0] !== MESSAGES) {
    const { code, reason } = JSON.parse(new TextDecoder().decode(body.subarray(1))) as { code: number; reason: string };
    throw new Ended(code, reason);
  }
  const view = new DataView(body.buffer);
  const found: Uint8Array[] = [];
  for (let at = 1; at < body.length; ) {
    const length = view.getUint32(at);
    found.push(body.slice(at + LENGTH, at + LENGTH + length));
    at += LENGTH + length;
  }
  return found;
}
