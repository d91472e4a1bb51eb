/** An event that was stored: what became of it, as `GET /_/events/<id>` tells. */
export interface StoredEvent {
  readonly id: string;
  readonly function: string;
  readonly state: 'waiting' | 'running' | 'succeeded' | 'dead-lettered' | 'discarded';
  readonly acceptedAt: string;
  /** Attempts that are over and that may have reached the function. */
  readonly attempts: number;
  readonly nextAttemptAt?: string;
  readonly endedAt?: string;
  /** What the function answered, when it succeeded. */
  readonly result?: {
    readonly status: number;
    readonly contentType?: string;
    readonly body: string;
    readonly encoding: 'utf8' | 'base64';
    /** Whether only its beginning was kept. */
    readonly isTruncated: boolean;
  };
  readonly reason?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

export const hasEnded = ({ state }: StoredEvent): boolean => state !== 'waiting' && state !== 'running';
