/** A change of an object in the shape of S3's notifications, which is Lambda's. */
import type { ObjectChange } from './object-changes.ts';
import type { Message } from './source.ts';

export interface ObjectOrigin {
  readonly kind: string;
  readonly name: string;
}

/** @param foundMs when it was found */
export function objectMessage({ kind, name }: ObjectOrigin, change: ObjectChange, foundMs: number): Message {
  const { key, mark } = change.object;
  const id = `${change.kind}:${mark}:${key}`;
  const atMs = change.kind === 'created' ? change.object.modifiedMs : foundMs;
  const record = {
    eventVersion: '2.1',
    eventSource: `swiftlet:${kind}`,
    awsRegion: 'local',
    eventTime: new Date(atMs).toISOString(),
    eventName: change.kind === 'created' ? 'ObjectCreated:Put' : 'ObjectRemoved:Delete',
    messageId: id,
    s3: {
      s3SchemaVersion: '1.0',
      bucket: { name },
      object: { key: encodeKey(key), eTag: mark, ...(change.kind === 'created' ? { size: change.object.bytes } : {}) },
    },
  };
  return { id, partition: name.slice(0, 255), key, body: Buffer.from(JSON.stringify(record)), sentMs: atMs, record: () => record };
}

/** As S3 writes keys in its notifications: like a form's value, with slashes. */
const encodeKey = (key: string): string => encodeURIComponent(key.toWellFormed()).replaceAll('%2F', '/').replaceAll('%20', '+');
