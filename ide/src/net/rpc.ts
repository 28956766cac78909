import { ErrorCode, type MethodName, type Methods, type SessionRecord } from "./protocol";

/** A refused or failed request; `code` is one of the stable codes, `session` is given with `sessionEnded`. */
export class RpcError extends Error {
  constructor(
    readonly code: number,
    message: string,
    readonly session: SessionRecord | null = null,
  ) {
    super(message);
    this.name = "RpcError";
  }
}

/** True when asking again later may succeed without any change of the request. */
export function isConnectionError(error: unknown): error is RpcError {
  const passing: readonly number[] = [
    ErrorCode.unreachable,
    ErrorCode.unavailable,
    ErrorCode.notSignedIn,
    ErrorCode.unknownClient,
    ErrorCode.offline,
    ErrorCode.sessionEnded,
    ErrorCode.connectionLost,
  ];
  return error instanceof RpcError && passing.includes(error.code);
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The value of the cookie that every changing request repeats in its header. */
export function csrfToken(cookies: string): string {
  const found = /(?:^|;\s*)rs-csrf-token=([^;]*)/.exec(cookies)?.[1];
  return found === undefined ? "" : decodeURIComponent(found);
}

interface ErrorBody {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly session?: SessionRecord | null;
}

function codeOfStatus(status: number): number {
  if (status === 401) return ErrorCode.notSignedIn;
  if (status === 404) return ErrorCode.noSuchSession;
  if (status === 502 || status === 503 || status === 504) return ErrorCode.unreachable;
  return ErrorCode.internal;
}

/** The error of an answer: its own `error` object where it has one, else what the status says. */
export function errorOf(status: number, body: unknown): RpcError {
  const error = typeof body === "object" && body !== null ? (body as { error?: ErrorBody }).error : undefined;
  const code = typeof error?.code === "number" ? error.code : codeOfStatus(status);
  const message = typeof error?.message === "string" ? error.message : `The server answered with status ${status}.`;
  return new RpcError(code, message, error?.session ?? null);
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Let the request outlive the page (used when it is being closed). */
  readonly keepalive?: boolean;
}

/** How long the answers of calls that are under way are waited for. */
const SETTLE_MS = 1000;

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Calls of the session's methods; `clientId` is set once `client_init` answered. */
export class Rpc {
  clientId: string | undefined;
  private held: Promise<void> | null = null;
  private readonly underway = new Set<Promise<unknown>>();

  constructor(
    private readonly fetch: Fetch,
    private readonly cookies: () => string,
    private readonly signedOut: () => void = () => undefined,
  ) {}

  async call<M extends MethodName>(
    method: M,
    params: Methods[M]["params"],
    options: CallOptions = {},
  ): Promise<Methods[M]["result"]> {
    if (this.held !== null && options.keepalive !== true) await this.held;
    const call = this.exchange(method, params, options);
    // Polls, and what waits for R, have a signal.
    if (options.signal === undefined) this.note(call);
    return call;
  }

  /** Keeps calls back until then, as the session is about to go; lets those under way come back first. */
  async hold(until: Promise<void>): Promise<void> {
    this.held = until;
    void until.then(() => {
      if (this.held === until) this.held = null;
    });
    const late = new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    await Promise.race([Promise.allSettled([...this.underway]), late]);
  }

  private note(call: Promise<unknown>): void {
    const over = (): void => void this.underway.delete(call);
    this.underway.add(call);
    call.then(over, over);
  }

  private async exchange<M extends MethodName>(
    method: M,
    params: Methods[M]["params"],
    options: CallOptions,
  ): Promise<Methods[M]["result"]> {
    const body = JSON.stringify({ method, params, kwparams: {}, clientId: this.clientId });
    const response = await this.send(method, body, options);
    const answer: unknown = await response.json().catch(() => null);
    if (response.ok && typeof answer === "object" && answer !== null && "result" in answer)
      return answer.result as Methods[M]["result"];
    const error = errorOf(response.status, answer);
    if (error.code === ErrorCode.notSignedIn) this.signedOut();
    throw error;
  }

  private async send(method: string, body: string, options: CallOptions): Promise<Response> {
    try {
      return await this.fetch(`rpc/${method}`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-RS-CSRF-Token": csrfToken(this.cookies()) },
        body,
        credentials: "same-origin",
        redirect: "manual",
        ...options,
      });
    } catch (error) {
      if (options.signal?.aborted) throw error;
      throw new RpcError(ErrorCode.connectionLost, "The connection to the server was lost.");
    }
  }
}
