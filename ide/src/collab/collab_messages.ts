import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";

/** The first number of a message; see docs/reference/internal-protocols.md §6. */
export const Kind = { sync: 0, awareness: 1, control: 4 } as const;

/** What filebase says beside text and cursors. */
export type Control =
  | { readonly event: "hello"; readonly epoch: string; readonly user: string; readonly ready: boolean }
  | {
      readonly event: "answer";
      readonly number: number;
      readonly error?: { readonly code: number; readonly message: string };
    }
  | { readonly event: "saved" }
  | { readonly event: "file_changed" };

/** A message whose body is written by `write`. */
export function message(kind: number, write: (encoder: encoding.Encoder) => void): Uint8Array<ArrayBuffer> {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, kind);
  write(encoder);
  return new Uint8Array(encoding.toUint8Array(encoder));
}

export function controlMessage(fields: Readonly<Record<string, unknown>>): Uint8Array<ArrayBuffer> {
  return message(Kind.control, (encoder) => encoding.writeVarString(encoder, JSON.stringify(fields)));
}

export function awarenessMessage(update: Uint8Array): Uint8Array<ArrayBuffer> {
  return message(Kind.awareness, (encoder) => encoding.writeVarUint8Array(encoder, update));
}

export function readControl(decoder: decoding.Decoder): Control {
  return JSON.parse(decoding.readVarString(decoder)) as Control;
}
