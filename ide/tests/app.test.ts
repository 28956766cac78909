import { expect, it } from "vitest";
import { App } from "../src/app";
import { plainText } from "../src/console/console_model";
import type { SessionEvent } from "../src/net/protocol";
import type { Rpc } from "../src/net/rpc";
import type { ServerApi } from "../src/net/server_api";

const nowhere = { get: () => null, set: () => undefined };
const transport = { openSocket: () => ({ close: () => undefined }), poll: () => Promise.resolve([]) };

it("goes on after an event it does not understand", () => {
  const app = new App({} as Rpc, {} as ServerApi, transport, nowhere);
  const odd = { id: 1, type: "plots_changed", data: null } as unknown as SessionEvent;
  const unknown = { id: 2, type: "from_the_future", data: {} } as unknown as SessionEvent;
  app.events([
    odd,
    unknown,
    { id: 3, type: "console_write_output", data: { text: "fine" } },
    { id: 4, type: "console_prompt", data: { prompt: "> ", history: true } },
    { id: 5, type: "show_message", data: { kind: "info", text: "told" } },
  ]);
  expect(plainText(app.console.text.value)).toBe("fine");
  expect(app.messages.shown.value.map((message) => message.text)).toContain("told");
  expect(app.workingDirectory.value).toBe("");
  app.events([{ id: 6, type: "console_prompt", data: { prompt: "> ", history: true, cwd: "/tmp" } }]);
  expect(app.workingDirectory.value).toBe("/tmp");
});
