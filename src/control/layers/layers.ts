/** Layers as the API has them: published, and removed once nothing builds on them. */
import { SwiftletError } from '../../model/errors.ts';
import type { LayerId } from '../../model/layer.ts';
import type { LayerDraft, LayerRecord, LayerStore } from './layer-store.ts';
import { layerInUse, layerNotFound } from './refusals.ts';

/** @throws SwiftletError NotFound without the artifact, QuotaExceeded */
export async function publishLayer(
  layers: LayerStore,
  tenant: string,
  name: string,
  draft: LayerDraft,
): Promise<{ readonly layer: LayerRecord; readonly created: boolean }> {
  const outcome = await layers.publish(tenant, name, draft);
  if (outcome.kind !== 'artifact missing') return { layer: outcome.layer, created: outcome.kind === 'created' };
  const message = `the artifact ${draft.digest} is not here; upload it with PUT /v1/artifacts/${draft.digest} first`;
  throw new SwiftletError('NotFound', message, { place: 'digest' });
}

/** @throws SwiftletError LayerNotFound */
export async function findLayer(layers: LayerStore, tenant: string, id: LayerId): Promise<LayerRecord> {
  const found = await layers.find(tenant, id);
  if (found === undefined) throw layerNotFound(id);
  return found;
}

/** @throws SwiftletError LayerNotFound, LayerInUse */
export async function removeLayer(layers: LayerStore, tenant: string, id: LayerId): Promise<void> {
  const removed = await layers.remove(tenant, id);
  if (removed.kind === 'missing') throw layerNotFound(id);
  if (removed.kind === 'in use') throw layerInUse(id, removed);
}
