/** The name of the script that a page starts with; it changes with every version of the page. */
export function scriptOf(page: string): string | null {
  return /<script [^>]*src="[^"]*?([^"/]+)"/.exec(page)?.[1] ?? null;
}

/**
 * Whether the server has another version of this page than the one that is shown: it was updated meanwhile.
 * `own` is the address of the script that runs. No answer counts as no.
 */
export async function isPageOld(
  request: (url: string, init: RequestInit) => Promise<Response>,
  own: string,
): Promise<boolean> {
  // Looking is no sign of life: it must neither prolong the sign-in nor keep the session from being suspended.
  const headers = { "X-RStudio-Refresh-Auth-Creds": "0" };
  try {
    const answer = await request(".", { headers, cache: "no-store", redirect: "manual" });
    const script = answer.ok ? scriptOf(await answer.text()) : null;
    return script !== null && !own.endsWith(`/${script}`);
  } catch {
    return false;
  }
}
