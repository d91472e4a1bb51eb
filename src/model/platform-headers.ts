/** Headers of an answer that are the platform's to set: how a message is framed, and what the platform says of itself. */
const names: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'server-timing',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const prefix = 'x-swiftlet-';

/** @param name in lower case */
export const isPlatformHeader = (name: string): boolean => names.has(name) || name.startsWith(prefix);
