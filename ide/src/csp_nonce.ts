/** The number that the server put into the page and into its content security policy, for style elements made by script. */
export function cspNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
}
