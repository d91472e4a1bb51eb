/** The header by which callers and those they call say that they belong to one trace (W3C Trace Context). */

export const traceparentHeader = 'traceparent';

const form = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** @param value of the header, as it came @returns undefined when it is none */
export const traceparentOf = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'string' && form.test(value) ? value : undefined;
