import type { Recovered } from "../net/protocol";
import { localTimes, timeOf } from "../shell/local_times";

const UNITS = ["bytes", "KB", "MB", "GB"];

/** When and why R ended, and what is here again, as sentences; times as people write them. */
export function recoverySentences(recovered: Recovered, now: Date = new Date()): string {
  const { ended, cause, created, objects, bytes } = recovered;
  const when = ended === null ? "" : ` at ${timeOf(new Date(ended * 1000), now)}`;
  const why = cause === "" ? "" : ` ${localTimes(cause, now)}`;
  const count = objects === 1 ? "1 object" : `${objects} objects`;
  const are = objects === 1 ? "is" : "are";
  return `R ended unexpectedly${when}.${why} What it had at ${timeOf(new Date(created * 1000), now)} (${count}, ${sizeOf(bytes)}) ${are} here again.`;
}

function sizeOf(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && unit < UNITS.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}
