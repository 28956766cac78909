import { describe, expect, it } from "vitest";
import type { Person } from "../src/net/protocol";
import type { Rpc } from "../src/net/rpc";
import { colourOf, initialsOf } from "../src/presence/face_look";
import { PresenceStore, type Spot } from "../src/presence/presence_store";

function person(session: string, file = "", line = 0): Person {
  return { session, user: `user-${session}`, name: `Name ${session}`, file, line, open: [] };
}

/** A store, where it went, what it said; each move waits until `arrive`. */
function world() {
  const went: Spot[] = [];
  const said: string[] = [];
  const failures: unknown[] = [];
  const arrivals: { resolve: () => void; reject: (reason: unknown) => void }[] = [];
  const go = (spot: Spot): Promise<void> => {
    went.push(spot);
    return new Promise((resolve, reject) => arrivals.push({ resolve, reject }));
  };
  const store = new PresenceStore(
    {} as Rpc,
    go,
    (error) => failures.push(error),
    (text) => said.push(text),
  );
  const settle = async (error?: unknown): Promise<void> => {
    const arrival = arrivals.shift();
    if (error === undefined) arrival?.resolve();
    else arrival?.reject(error);
    for (let turn = 0; turn < 4; turn++) await Promise.resolve();
  };
  return { store, went, said, failures, settle };
}

describe("following", () => {
  it("goes to where the person is, then to the newest place only", async () => {
    const { store, went, settle } = world();
    store.receive({ people: [person("a", "x.R", 3), person("b", "y.R", 1)] });
    expect(went).toEqual([]);
    store.follow("a");
    store.receive({ people: [person("a", "x.R", 4), person("b", "y.R", 2)] });
    store.receive({ people: [person("a", "z.R", 1), person("b", "y.R", 2)] });
    await settle();
    await settle();
    expect(went).toEqual([
      { file: "x.R", line: 3 },
      { file: "z.R", line: 1 },
    ]);
  });

  it("stays where it is when the other one moves not, or has no file", async () => {
    const { store, went, settle } = world();
    store.receive({ people: [person("a", "x.R", 3)] });
    store.follow("a");
    await settle();
    store.receive({ people: [person("a", "x.R", 3), person("b")] });
    store.receive({ people: [person("a")] });
    await settle();
    expect(went).toHaveLength(1);
    expect(store.followed.value?.session).toBe("a");
  });

  it("ends when it is stopped, or the person leaves, or the file cannot be shown", async () => {
    const { store, went, said, failures, settle } = world();
    store.receive({ people: [person("a", "x.R", 3)] });
    store.follow("a");
    store.stop();
    store.receive({ people: [person("a", "x.R", 9)] });
    await settle();
    expect(went).toHaveLength(1);
    store.follow("a");
    store.receive({ people: [] });
    expect(said).toEqual(["Name a has left the project."]);
    expect(store.followed.value).toBeNull();
    await settle();
    store.receive({ people: [person("a", "gone.R", 1)] });
    store.follow("a");
    await settle(new Error("no such file"));
    expect(failures).toHaveLength(1);
    expect(store.followed.value).toBeNull();
  });
});

describe("faces", () => {
  it("have letters of the name and a colour of the account", () => {
    expect(["Ada Lovelace", "alice", "a", "", "jean-luc picard", "Émile 𝒵ola"].map(initialsOf)).toEqual([
      "AL",
      "AL",
      "A",
      "?",
      "JP",
      "É𝒵",
    ]);
    expect(colourOf("alice")).toBe(colourOf("alice"));
    for (const user of ["", "alice", "bob", "𝒵"]) expect(colourOf(user)).toBeLessThan(8);
  });
});
