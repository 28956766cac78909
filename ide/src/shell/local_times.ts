const IN_SENTENCE = /\b(\d{4}-\d\d-\d\d) (\d\d:\d\d) UTC\b/g;

/** A sentence of server or session, its times (`2026-11-22 07:36 UTC`) as people here write them. */
export function localTimes(text: string, now: Date = new Date()): string {
  return text.replace(IN_SENTENCE, (told, day: string, clock: string) => {
    const time = new Date(`${day}T${clock}Z`);
    return Number.isNaN(time.getTime()) ? told : timeOf(time, now);
  });
}

/** Time of the day, with the day if it is another one, in zone and language of the browser. */
export function timeOf(time: Date, now: Date): string {
  const clock = time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return time.toDateString() === now.toDateString() ? clock : `${clock} on ${time.toLocaleDateString()}`;
}
