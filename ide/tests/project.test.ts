import { Text } from "@codemirror/state";
import { describe, expect, it } from "vitest";
import { App } from "../src/app";
import { tidyChanges } from "../src/editor/tidy_on_save";
import { type Rpc, RpcError } from "../src/net/rpc";
import type { NewSession, ServerApi } from "../src/net/server_api";
import { openElsewhere, openHere, openInNewTab, type Tabs } from "../src/project/opening";
import { changedFields, choicesOf, OPTION_FIELDS, shownValue } from "../src/project/options_form";
import { emptyForm, folderOf, OTHER, problemOf, wantedSession } from "../src/project/session_form";

const nowhere = { get: () => null, set: () => undefined };
const transport = { openSocket: () => ({ close: () => undefined }), poll: () => Promise.resolve([]) };

/** A server that refuses until nothing is left in `refusals`, and the tabs that were used. */
function world(...refusals: RpcError[]) {
  const asked: NewSession[] = [];
  const went: string[] = [];
  const api = {
    session: "here",
    create: async (wanted: NewSession) => {
      asked.push(wanted);
      const refusal = refusals.shift();
      if (refusal !== undefined) throw refusal;
      return "/s/new/";
    },
    allowsSeveral: async () => true,
  } as unknown as ServerApi;
  const app = new App({ hold: async () => undefined } as unknown as Rpc, api, transport, nowhere);
  const tabs: Tabs = {
    open: () => ({ go: (url) => went.push(`tab ${url}`), close: () => went.push("closed") }),
    leaveTo: (url) => went.push(url),
  };
  return { app, tabs, asked, went };
}

describe("the form of a session", () => {
  it("asks for what its purpose needs", () => {
    expect(folderOf(emptyForm("new-session", "~", undefined))).toBe("");
    expect(emptyForm("open-project", "~", "/p").project).toBe("/p");
    expect(emptyForm("new-project", "~/projects", undefined)).toMatchObject({ path: "~/projects/", create: true });
  });

  it("names what is missing", () => {
    const form = emptyForm("open-project", "~", undefined);
    expect(problemOf(form)).toContain("Give the folder");
    expect(problemOf({ ...form, path: "relative" })).toContain("begin with");
    expect(problemOf({ ...form, path: " ~/a " })).toBe("");
    expect(problemOf({ ...form, project: "" })).toBe("");
  });

  it("becomes the body of the request", () => {
    const form = { ...emptyForm("new-session", "~", undefined), project: OTHER, path: " ~/a ", create: true };
    expect(wantedSession({ ...form, label: " x ", leaving: "quit" }, "new-session", "here")).toEqual({
      project: "~/a",
      create_project: true,
      reuse: false,
      label: "x",
      r_version: null,
      run_rprofile: true,
      restore: true,
      leave: { session: "here", quit: true, save: "no" },
    });
    const recent = { ...form, project: "/known", leaving: "stay" as const };
    expect(wantedSession(recent, "open-project", "here")).toMatchObject({
      project: "/known",
      create_project: false,
      reuse: true,
      leave: null,
    });
  });
});

describe("opening", () => {
  it("goes to the project in this tab and suspends the session that was there", async () => {
    const { app, tabs, asked, went } = world();
    await openHere(app, "/p", tabs);
    expect(asked[0]).toMatchObject({ project: "/p", leave: { session: "here", quit: false } });
    expect(went).toEqual(["/s/new/"]);
  });

  it("asks when the session cannot be suspended", async () => {
    const { app, tabs, asked, went } = world(new RpcError(22, "R is busy."));
    const opened = openHere(app, "", tabs);
    await expect.poll(() => app.dialogs.open.value).not.toBeNull();
    const question = app.dialogs.open.value;
    if (question?.type !== "question") throw new Error("no question");
    expect(question.text).toContain("R is busy.");
    expect(question.choices.map((choice) => choice.value)).toEqual(["stay", "save", "quit"]);
    question.answer("stay");
    await opened;
    expect(asked[1]?.leave).toBeNull();
    expect(went).toEqual(["/s/new/"]);
  });

  it("tells other refusals and stays", async () => {
    const { app, tabs, went } = world(new RpcError(20, "Too many."));
    await openHere(app, "/p", tabs);
    expect(went).toEqual([]);
    expect(app.messages.shown.value[0]?.text).toContain("Too many.");
  });

  it("leaves this session alone when the project is opened in another tab", async () => {
    const { app, tabs, asked, went } = world(new RpcError(10, "No."));
    await openElsewhere(app, "/p", tabs);
    expect(app.messages.shown.value[0]?.text).toContain("No.");
    await openElsewhere(app, "/p", tabs);
    expect(asked[1]).toMatchObject({ project: "/p", reuse: true, leave: null });
    expect(went).toEqual(["closed", "tab /s/new/"]);
  });

  it("leaves no empty tab behind", async () => {
    const wanted = wantedSession(emptyForm("new-session", "~", undefined), "new-session", null);
    const good = world();
    await openInNewTab(good.app, wanted, good.tabs);
    expect(good.went).toEqual(["tab /s/new/"]);
    const bad = world(new RpcError(10, "No."));
    await expect(openInNewTab(bad.app, wanted, bad.tabs)).rejects.toThrow("No.");
    expect(bad.went).toEqual(["closed"]);
  });
});

describe("the options of a project", () => {
  const field = (name: string) => {
    const found = OPTION_FIELDS.find((known) => known.name === name);
    if (found === undefined) throw new Error(name);
    return found;
  };

  it("shows what the file says as the table spells it", () => {
    expect(shownValue(field("SaveWorkspace"), { SaveWorkspace: "ASK" })).toBe("Ask");
    expect(shownValue(field("NumSpacesForTab"), {})).toBe("2");
    expect(choicesOf(field("SaveWorkspace"), { SaveWorkspace: "Odd" })).toContain("Odd");
  });

  it("writes only what was changed", () => {
    const fields = { SaveWorkspace: "yes", Future: "kept", ProjectName: "Old" };
    const shown = Object.fromEntries(OPTION_FIELDS.map((each) => [each.name, shownValue(each, fields)]));
    expect(changedFields(fields, shown)).toEqual({});
    expect(changedFields(fields, { ...shown, ProjectName: " ", SaveWorkspace: "No" })).toEqual({
      ProjectName: null,
      SaveWorkspace: "No",
    });
  });
});

describe("tidyChanges", () => {
  const tidied = (lines: string[], strip: boolean, append: boolean): string => {
    const text = Text.of(lines);
    const changes = tidyChanges(text, { strip_trailing_whitespace: strip, append_newline: append });
    let result = text;
    for (const change of [...changes].reverse()) {
      const { from, to = from, insert = "" } = change as { from: number; to?: number; insert?: string };
      result = result.replace(from, to, Text.of(insert.split("\n")));
    }
    return result.toString();
  };

  it("does what the project wants and nothing else", () => {
    expect(tidied(["a  ", "\tb\t", ""], true, false)).toBe("a\n\tb\n");
    expect(tidied(["a  ", "b"], false, true)).toBe("a  \nb\n");
    expect(tidied(["a", "b  "], true, true)).toBe("a\nb\n");
    expect(tidied(["a", "  "], true, true)).toBe("a\n");
    expect(tidied([""], true, true)).toBe("");
    expect(tidied(["a  "], false, false)).toBe("a  ");
  });
});
