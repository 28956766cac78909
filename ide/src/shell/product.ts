/** The name on every page. */
export const PRODUCT = "R Server";
