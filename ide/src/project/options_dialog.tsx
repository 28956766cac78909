import { type Signal, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { App } from "../app";
import { messageOf } from "../net/rpc";
import { Modal } from "../shell/dialog_host";
import { changedFields, choicesOf, type Fields, OPTION_FIELDS, type OptionField, shownValue } from "./options_form";

interface Props {
  readonly app: App;
  readonly leave: () => void;
}

/** What the project file says, to be changed; fields that are not shown stay as they are. */
export function OptionsDialog({ app, leave }: Props): JSX.Element {
  const read = useSignal<Fields | null>(null);
  const now = useSignal<Fields>({});
  const problem = useSignal("");
  const load = async (): Promise<void> => {
    try {
      const { fields } = await app.rpc.call("read_project_options", []);
      now.value = Object.fromEntries(OPTION_FIELDS.map((field) => [field.name, shownValue(field, fields)]));
      read.value = fields;
    } catch (error) {
      problem.value = messageOf(error);
    }
  };
  useEffect(() => void load(), []);
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      const changes = changedFields(read.value ?? {}, now.value);
      if (Object.keys(changes).length > 0) await app.rpc.call("write_project_options", [changes]);
      leave();
    } catch (error) {
      problem.value = messageOf(error);
    }
  };
  return (
    <Modal title="Project options" leave={leave} class="session-dialog">
      <form onSubmit={save} noValidate>
        <div class="options">
          {read.value === null
            ? null
            : OPTION_FIELDS.map((field) => <Field key={field.name} field={field} now={now} />)}
        </div>
        {problem.value === "" ? null : (
          <p class="card-problem" role="alert">
            {problem.value}
          </p>
        )}
        <div class="dialog-buttons">
          <button type="button" class="button" onClick={leave}>
            Cancel
          </button>
          <button type="submit" class="button button-primary" data-testid="options-save" disabled={read.value === null}>
            Save
          </button>
        </div>
      </form>
    </Modal>
  );
}

interface FieldProps {
  readonly field: OptionField;
  readonly now: Signal<Fields>;
}

function Field({ field, now }: FieldProps): JSX.Element {
  const value = now.value[field.name] ?? "";
  const change = (event: { readonly currentTarget: { readonly value: string } }): void => {
    now.value = { ...now.value, [field.name]: event.currentTarget.value };
  };
  const given = { id: `option-${field.name}`, class: "field", value, "data-testid": `option-${field.name}` };
  return (
    <label class="option" htmlFor={given.id}>
      <span>{field.label}</span>
      {field.values.length === 0 ? (
        <input {...given} type="text" spellcheck={false} onInput={change} />
      ) : (
        <select {...given} onChange={change}>
          {choicesOf(field, now.value).map((word) => (
            <option key={word} value={word}>
              {word}
            </option>
          ))}
        </select>
      )}
    </label>
  );
}
