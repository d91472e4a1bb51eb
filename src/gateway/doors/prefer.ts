/** The one preference of RFC 7240 that the gateway knows: `respond-async`. */
export const respondAsync = 'respond-async';

/** @param prefer the Prefer header; several are one, joined by commas */
export function wantsNoAnswer(prefer: string | readonly string[]): boolean {
  return String(prefer)
    .split(',')
    .some((preference) => preference.split(';')[0]?.trim().toLowerCase() === respondAsync);
}
