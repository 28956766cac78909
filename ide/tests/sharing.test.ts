import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { OpenDocument } from "../src/editor/open_document";
import type { MethodName } from "../src/net/protocol";
import { type Rpc, RpcError } from "../src/net/rpc";
import type { Account, FoundPeople, Revoked, SharingState } from "../src/net/sharing_protocol";
import {
  changesAnything,
  NO_CHANGE,
  rowsOf,
  taken,
  wantedMembers,
  withoutPerson,
  withPerson,
} from "../src/sharing/draft";
import { lostTexts } from "../src/sharing/lost_texts";
import { calledBy, listed, plain } from "../src/sharing/names";
import { PeopleSearch } from "../src/sharing/people_search";
import { SharingStore, type Work } from "../src/sharing/sharing_store";
import { outcomeOf, progressWords, revokedWords } from "../src/sharing/sharing_words";

const account = (name: string, full_name = ""): Account => ({ name, full_name });
const member = (name: string, here = false) => ({ ...account(name), here });

function state(...names: string[]): SharingState {
  return {
    supported: true,
    reason: "",
    owner: account("alice", "Alice A."),
    mine: true,
    members: names.map((name) => member(name)),
    lists_people: true,
    progress: null,
    unfinished: null,
  };
}

describe("the draft of a change", () => {
  it("adds and takes out on top of whoever is a member by now", () => {
    let draft = withPerson(NO_CHANGE, account("carol"));
    draft = withoutPerson(draft, "bob");
    const rows = rowsOf(state("bob", "dave"), draft);
    expect(rows.map(({ person, fate }) => [person.name, fate])).toEqual([
      ["bob", "goes"],
      ["dave", "stays"],
      ["carol", "comes"],
    ]);
    expect(wantedMembers(rows)).toEqual(["dave", "carol"]);
    expect(changesAnything(rows)).toBe(true);
    // Meanwhile another page of the owner has added carol, and taken bob out.
    const now = rowsOf(state("dave", "carol"), draft);
    expect(now.every(({ fate }) => fate === "stays")).toBe(true);
    expect(changesAnything(now)).toBe(false);
  });

  it("takes back what was chosen before", () => {
    const kept = withPerson(withoutPerson(NO_CHANGE, "bob"), account("bob"));
    expect(changesAnything(rowsOf(state("bob"), kept))).toBe(false);
    const dropped = withoutPerson(withPerson(NO_CHANGE, account("carol")), "carol");
    expect(changesAnything(rowsOf(state("bob"), dropped))).toBe(false);
    expect(withPerson(withPerson(NO_CHANGE, account("carol")), account("carol")).added).toHaveLength(1);
  });

  it("knows who is not to be proposed", () => {
    const draft = withoutPerson(withPerson(NO_CHANGE, account("carol")), "bob");
    expect([...taken(state("bob", "dave"), rowsOf(state("bob", "dave"), draft))]).toEqual(["alice", "dave", "carol"]);
  });
});

describe("names of others", () => {
  it("are shown without what cannot be seen, and not for ever", () => {
    expect(calledBy(account("bob", "Bob\u202e\u0000 B.\n"))).toBe("Bob B.");
    expect(calledBy(account("bob", "\u200b "))).toBe("bob");
    expect(plain("<b>x</b>")).toBe("<b>x</b>");
    expect([...plain("ü".repeat(500))]).toHaveLength(80);
    expect(["a", "a, b", "a, b, c"].map((each) => listed(each.split(", ")))).toEqual(["a", "a and b", "a, b and c"]);
    expect(listed([])).toBe("");
  });
});

/** A search whose questions are answered by the test, in any order. */
function searching(...known: string[]) {
  const asked: { query: string; answer: (found: FoundPeople) => void; refuse: (error: Error) => void }[] = [];
  const find = (query: string): Promise<FoundPeople> =>
    new Promise((resolve, reject) => asked.push({ query, answer: resolve, refuse: reject }));
  const search = new PeopleSearch(find, () => new Set(known));
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 4; turn += 1) await Promise.resolve();
  };
  return { search, asked, settle };
}

describe("finding people", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const found = (...names: string[]): FoundPeople => ({ people: names.map((name) => account(name)), reason: "" });

  it("asks once the typing pauses and drops answers that are late", async () => {
    const { search, asked, settle } = searching("alice");
    search.type("b");
    search.type("bo");
    vi.advanceTimersByTime(1000);
    expect(asked.map(({ query }) => query)).toEqual(["bo"]);
    search.type("bob");
    vi.advanceTimersByTime(1000);
    asked[1]?.answer(found("bob", "alice"));
    await settle();
    asked[0]?.answer(found("boris", "bo"));
    await settle();
    expect(search.shown.value.map(({ name }) => name)).toEqual(["bob"]);
  });

  it("goes through the proposals by keys and takes the one that is marked", async () => {
    const { search, asked, settle } = searching();
    search.type("b");
    vi.advanceTimersByTime(1000);
    asked[0]?.answer(found("bea", "bob"));
    await settle();
    search.step(-1);
    expect((await search.pick())?.name).toBe("bob");
    search.step(1);
    expect((await search.pick())?.name).toBe("bea");
    search.fold();
    expect(search.shown.value).toEqual([]);
    search.step(1);
    expect(search.at.value).toBe(-1);
  });

  it("takes an exact name without a choice, as where the list is hidden", async () => {
    const { search, asked } = searching();
    search.type(" bob ");
    const picked = search.pick();
    asked[0]?.answer(found("bobby", "bob"));
    expect((await picked)?.name).toBe("bob");
    expect(asked.map(({ query }) => query)).toEqual(["bob"]);
    search.type("bea");
    const only = search.pick();
    asked[1]?.answer(found("bea2"));
    expect((await only)?.name).toBe("bea2");
  });

  it("says why nobody is found", async () => {
    const { search, asked, settle } = searching("carol");
    for (const [typed, reason, words] of [
      ["nobody", "", "There is nobody called “nobody”."],
      ["carol", "", "“carol” is in the project already."],
      ["carol", "The list of users is hidden.", "“carol” is in the project already."],
      ["x", "The list of users is hidden.", "The list of users is hidden."],
    ] as const) {
      search.type(typed);
      const picked = search.pick();
      asked.shift()?.answer({ people: [], reason });
      expect(await picked).toBeNull();
      expect(search.problem.value).toBe(words);
    }
    search.type("y");
    expect(search.problem.value).toBe("");
    vi.advanceTimersByTime(1000);
    asked.shift()?.refuse(new Error("The server does not answer."));
    await settle();
    expect(search.problem.value).toBe("The server does not answer.");
    search.clear();
    expect(await search.pick()).toBeNull();
    expect(asked).toEqual([]);
  });
});

/** A store, what it asked for, what it said at the end of a change. */
function world(answers: Partial<Record<MethodName, () => unknown>> = {}) {
  const calls: unknown[] = [];
  const ends: Work[] = [];
  const call = async (method: MethodName, params: unknown[]): Promise<unknown> => {
    calls.push([method, ...params]);
    return answers[method]?.() ?? null;
  };
  const store = new SharingStore({ call } as unknown as Rpc, (work) => ends.push(work));
  return { store, calls, ends };
}

const event = (type: string, data: unknown) => ({ id: 1, type, data }) as never;
const done = (operation: number, ...members: string[]) => ({ operation, members, skipped: 0, skipped_paths: [] });

describe("a change of the members", () => {
  it("can be none, and repairs access", async () => {
    const { store, calls } = world({ sharing_set_members: () => ({ operation: 7 }) });
    store.restore({ sharing: state("bob", "carol") });
    await store.repair();
    expect(calls).toEqual([["sharing_set_members", ["bob", "carol"]]]);
    store.receive(event("sharing_done", { ...done(7, "bob", "carol"), skipped: 1 }));
    expect(outcomeOf(store.work.value)).toBe(
      "Access is repaired for you, bob and carol. One file or folder was left alone.",
    );
    await store.setMembers(["bob"]);
    store.receive(event("sharing_done", done(8, "bob")));
    expect(outcomeOf(store.work.value)).toBe("Shared with bob.");
  });

  it("shows how far it is and what came of it", async () => {
    const { store, calls, ends } = world({ sharing_set_members: () => ({ operation: 7 }) });
    store.restore({ sharing: state() });
    await store.setMembers(["bob"]);
    expect(store.work.value).toMatchObject({ kind: "running", done: 0, total: null });
    await store.setMembers(["carol"]);
    expect(calls).toEqual([["sharing_set_members", ["bob"]]]);
    store.receive(event("sharing_progress", { operation: 7, done: 10, total: 100 }));
    expect(store.work.value).toMatchObject({ kind: "running", done: 10, total: 100 });
    store.receive(event("sharing_changed", state("bob")));
    store.receive(event("sharing_done", done(7, "bob")));
    expect(store.state.value?.members.map(({ name }) => name)).toEqual(["bob"]);
    expect(ends).toHaveLength(1);
    expect(outcomeOf(store.work.value)).toBe("Shared with bob.");
    // A report that was overtaken by the end.
    store.receive(event("sharing_progress", { operation: 7, done: 20, total: 100 }));
    expect(store.work.value.kind).toBe("done");
    store.forgetWork();
    expect(store.work.value.kind).toBe("none");
  });

  it("may be over before its own answer is here", async () => {
    const { store } = world({
      sharing_set_members: () => {
        store.receive(event("sharing_done", done(1, "bob")));
        return { operation: 1 };
      },
    });
    await store.setMembers(["bob"]);
    expect(store.work.value.kind).toBe("done");
  });

  it("tells a refusal, and can be sent again", async () => {
    const answers = {
      sharing_set_members: () => {
        throw new RpcError(10, "There is no account “x”.");
      },
    };
    const { store } = world(answers);
    await store.setMembers(["x"]);
    expect(store.work.value).toEqual({ kind: "failed", sentence: "There is no account “x”.", cancelled: false });
  });

  it("is cancelled once", async () => {
    const { store, calls } = world();
    await store.cancel();
    expect(calls).toEqual([]);
    store.receive(event("sharing_progress", { operation: 2, done: 1, total: 9 }));
    await store.cancel();
    expect(calls).toEqual([["sharing_cancel"]]);
    store.receive(event("sharing_progress", { operation: 2, done: 2, total: 9 }));
    expect(store.work.value).toMatchObject({ stopping: true, done: 2 });
    store.forgetWork();
    expect(store.work.value.kind).toBe("running");
    store.receive(event("sharing_failed", { operation: 2, sentence: "It was stopped.", cancelled: true }));
    expect(outcomeOf(store.work.value)).toBe("It was stopped.");
  });

  it("is not waited for when its end was missed", async () => {
    const now = state("bob");
    const { store } = world({ sharing_state: () => now, shared_with_me: () => ({ projects: [] }) });
    store.receive(event("sharing_changed", { ...now, progress: { operation: 3, done: 5, total: null } }));
    expect(store.work.value).toMatchObject({ kind: "running", done: 5 });
    await store.reload();
    expect(store.work.value.kind).toBe("none");
    store.gone();
    expect(store.state.value).toBeNull();
  });

  it("leaves other events to others, and an old session without sharing alone", async () => {
    const { store } = world({
      shared_with_me: () => {
        throw new RpcError(5, "No such method.");
      },
    });
    store.restore({});
    expect(store.state.value).toBeNull();
    expect(store.receive(event("busy", { value: true }))).toBe(false);
    await store.reloadWithMe();
    expect(store.withMe.value).toEqual([]);
  });
});

describe("access that ends", () => {
  const revoked: Revoked = {
    project: "ours",
    project_dir: "/home/alice/ours",
    by: "alice",
    by_full_name: "Alice A.",
    unsaved: [],
    folder: "/home/bob/ours",
  };

  it("is told until it is read, by whomever it was", async () => {
    const { store, calls } = world();
    store.receive(event("sharing_revoked", revoked));
    expect(store.revoked.value).toEqual(revoked);
    await store.seen();
    expect(store.revoked.value).toBeNull();
    expect(calls).toEqual([["sharing_revoked_seen"]]);
    store.restore({ sharing_revoked: revoked });
    expect(store.revoked.value).toEqual(revoked);
    expect(revokedWords(revoked, "bob").text).toContain("Alice A.");
    expect(revokedWords({ ...revoked, by: "bob" }, "bob").title).toBe("You have left “ours”");
    expect(revokedWords({ ...revoked, by: "" }, "bob").text).toContain("no access");
    expect(revokedWords({ ...revoked, by: "alice", by_full_name: "" }, "bob").text).toContain("alice");
  });
});

describe("texts that are in no file", () => {
  it("are those that the session named and those typed since", () => {
    const document = (id: string, path: string | null, dirty: boolean): OpenDocument =>
      new OpenDocument({
        id,
        path,
        name: id,
        type: "r",
        contents: `text of ${id}`,
        revision: 1,
        dirty,
        encoding: "UTF-8",
        line_ending: "\n",
        created: 0,
        order: 0,
      });
    const documents = [
      document("named", null, true),
      document("typed", "/home/alice/ours/a.R", true),
      document("saved", "/home/alice/ours/b.R", false),
      document("other", "/home/alice/ours2/c.R", true),
      document("untitled", null, true),
    ];
    const unsaved = [
      { id: "named", name: "named" },
      { id: "saved", name: "saved" },
      { id: "gone", name: "gone" },
    ];
    const lost = lostTexts({ project_dir: "/home/alice/ours", unsaved } as unknown as Revoked, documents);
    expect(lost).toEqual([
      { id: "named", name: "named.R", text: "text of named" },
      { id: "typed", name: "typed", text: "text of typed" },
    ]);
  });
});

describe("sentences", () => {
  it("say how far a change is", () => {
    const running = { kind: "running", done: 0, total: null, stopping: false } as const;
    expect(progressWords(running)).toBe("Changing access…");
    expect(progressWords({ ...running, done: 5 })).toBe("5 files and folders done");
    expect(progressWords({ ...running, done: 5, total: 9 })).toBe("5 of 9 files and folders done");
    expect(progressWords({ ...running, done: 12, total: 9 })).toBe("12 of 12 files and folders done");
    expect(progressWords({ ...running, stopping: true })).toBe("Stopping…");
  });

  it("say what came of it", () => {
    const result = (members: string[], skipped = 0): Work => ({
      kind: "done",
      result: { operation: 1, members, skipped, skipped_paths: [] },
    });
    expect(outcomeOf(result([]))).toBe("The project is shared with nobody.");
    expect(outcomeOf(result(["a", "b"], 1))).toBe("Shared with a and b. One file or folder was left alone.");
    expect(outcomeOf(result(["a", "b", "c", "d", "e", "f"], 2))).toBe(
      "Shared with a, b, c, d and 2 others. 2 files and folders were left alone.",
    );
    expect(outcomeOf({ kind: "none" })).toBe("");
  });
});
