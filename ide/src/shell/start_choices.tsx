import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { App } from "../app";
import type { ResumeChoices, RVersion } from "../net/server_api";
import type { Ending, Start } from "./ending";

const HOW: Readonly<Record<Start, ResumeChoices>> = {
  "as-it-was": { run_rprofile: true, restore: true },
  "no-restore": { run_rprofile: true, restore: false },
  "no-profile": { run_rprofile: false, restore: true },
  empty: { run_rprofile: false, restore: false },
};
const WORDS: Readonly<Record<Exclude<Start, "as-it-was">, string>> = {
  "no-restore": "Without restoring objects",
  "no-profile": "Without .Rprofile",
  empty: "Empty: without both",
};
const TEST_IDS: Readonly<Record<Start, string>> = {
  "as-it-was": "overlay-start",
  "no-restore": "overlay-no-restore",
  "no-profile": "overlay-no-profile",
  empty: "overlay-empty",
};

interface Props {
  readonly app: App;
  readonly ending: Ending;
  /** Where the button that is proposed is to be known. */
  readonly first: { current: HTMLButtonElement | null };
}

/** The ways to start a session that has no process; another R where there are several. */
export function StartChoices({ app, ending, first }: Props): JSX.Element {
  const [version, setVersion] = useState("");
  const start = (choices: ResumeChoices): void => {
    const chosen = version === "" ? Promise.resolve() : app.api.chooseR(version);
    chosen.then(() => app.link.restart(choices)).catch((error: unknown) => app.report(error));
  };
  return (
    <>
      <OtherR app={app} version={version} choose={setVersion} />
      <div class="choices">
        {startsOf(ending).map((name, index) => (
          <button
            key={name}
            type="button"
            ref={index === 0 ? first : null}
            class={`button ${index === 0 ? "button-primary" : ""}`}
            data-testid={TEST_IDS[name]}
            onClick={() => start(HOW[name])}
          >
            {name === "as-it-was" ? ending.wayBack : WORDS[name]}
          </button>
        ))}
        {ending.project === null ? null : <ProjectStarts project={ending.project} start={start} />}
      </div>
    </>
  );
}

/** What is proposed comes first. */
function startsOf({ advice, project }: Ending): readonly Start[] {
  if (project !== null) return ["as-it-was"];
  const all: readonly Start[] = ["as-it-was", "no-restore", "no-profile", "empty"];
  return advice === null ? all : [advice.start, ...all.filter((name) => name !== advice.start)];
}

interface ProjectStartsProps {
  readonly project: NonNullable<Ending["project"]>;
  readonly start: (choices: ResumeChoices) => void;
}

function ProjectStarts({ project, start }: ProjectStartsProps): JSX.Element {
  const how = HOW["as-it-was"];
  return (
    <>
      {project === "no-file" ? (
        <button
          type="button"
          class="button"
          data-testid="overlay-create-project"
          onClick={() => start({ ...how, create_project: true })}
        >
          Make it a project
        </button>
      ) : null}
      <button
        type="button"
        class="button"
        data-testid="overlay-without-project"
        onClick={() => start({ ...how, in_project: false })}
      >
        Without the project
      </button>
    </>
  );
}

interface OtherRProps {
  readonly app: App;
  readonly version: string;
  readonly choose: (version: string) => void;
}

function OtherR({ app, version, choose }: OtherRProps): JSX.Element | null {
  const [versions, setVersions] = useState<readonly RVersion[]>([]);
  useEffect(() => {
    void app.api.rVersions().then(setVersions);
  }, []);
  if (versions.length < 2) return null;
  return (
    <label class="labelled">
      <span>R version</span>
      <select
        class="field"
        data-testid="overlay-r-version"
        value={version}
        onChange={(event) => choose(event.currentTarget.value)}
      >
        <option value="">As before</option>
        {versions.map(({ id, title }) => (
          <option key={id} value={id}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}
