import type { LayerId, LayerNotes } from '../../model/layer.ts';

/** A version of a layer. Immutable. */
export interface LayerRecord extends LayerId {
  readonly tenant: string;
  /** Of its artifact. */
  readonly digest: string;
  /** Bytes, packed. */
  readonly size: number;
  readonly notes: LayerNotes;
  readonly createdAt: string;
}

export interface LayerDraft {
  readonly digest: string;
  readonly notes: LayerNotes;
  readonly createdAt: string;
  /** Makes a version even when the newest is of the same artifact, with the same notes. Default: no. */
  readonly always?: boolean;
}

export type LayerPublished = { readonly kind: 'created' | 'same'; readonly layer: LayerRecord } | { readonly kind: 'artifact missing' };

export type LayerRemoved =
  | { readonly kind: 'removed' }
  | { readonly kind: 'missing' }
  /** Versions that are kept build on it, or custom pools; the names of their functions, and of the pools. */
  | { readonly kind: 'in use'; readonly functions: readonly string[]; readonly pools: readonly string[] };

/**
 * The layers of a store. What `Store` promises of durability and order holds here, too. No version of a function that is kept lacks a layer
 * that it builds on, no artifact of a layer is collected, and a layer's version number is never given again.
 */
export interface LayerStore {
  /** All versions, in the order of names, the newest of each first. */
  list(tenant: string): Promise<LayerRecord[]>;
  find(tenant: string, id: LayerId): Promise<LayerRecord | undefined>;
  /** @throws SwiftletError QuotaExceeded when there are too many */
  publish(tenant: string, name: string, draft: LayerDraft): Promise<LayerPublished>;
  remove(tenant: string, id: LayerId): Promise<LayerRemoved>;
  /** The names of functions by the layer, as `layerReference` has it, that a kept version of theirs builds on. */
  users(tenant: string): Promise<ReadonlyMap<string, readonly string[]>>;
}
