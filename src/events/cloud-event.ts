/** What the platform tells as CloudEvents 1.0, to functions that take them. */
export interface ToldEvent {
  readonly id: string;
  readonly type: 'swiftlet.timer' | 'swiftlet.keep-warm' | 'swiftlet.invocation.succeeded' | 'swiftlet.invocation.failed';
  /** What it is about: a function's name, and what of it. */
  readonly source: readonly string[];
  readonly subject?: string;
  readonly timeMs: number;
  readonly data: unknown;
}

/** In the JSON format, which is what a handler gets. */
export const cloudEvent = ({ id, type, source, subject, timeMs, data }: ToldEvent): object => ({
  specversion: '1.0',
  id,
  type,
  source: `/functions/${source.join('/')}`,
  ...(subject === undefined ? {} : { subject }),
  time: new Date(timeMs).toISOString(),
  datacontenttype: 'application/json',
  data,
});
