import { z } from 'zod';
import { SwiftletError } from '../../model/errors.ts';
import { rolloutPlanSchema } from '../../model/rollout.ts';
import { rolledBackSchema, rolloutViewSchema } from '../../wire/traffic-answers.ts';
import { rolloutView } from '../rollout-view.ts';
import { abortRollout, rollBack, startRollout, type Traffic } from '../traffic.ts';
import { changeTraffic, type FunctionRef, trafficOf } from './aliases.ts';
import type { Api, ApiMeans } from './api.ts';
import { needs } from './authorise.ts';
import { nameParams, problems } from './schemas.ts';

const number = z.int().min(1);
const startBody = z.strictObject({
  version: number.describe('The version that is to take over'),
  plan: rolloutPlanSchema.optional().describe('How; absent: as the version’s configuration says'),
});
const rollbackBody = z.strictObject({ version: number.optional().describe('Absent: where "live" pointed before its last change') });

/** Rollouts: how one version takes over from another. */
export function rollouts(api: Api, means: ApiMeans): void {
  const { store, roles } = means;
  const viewOf = async ({ tenant, function: name }: FunctionRef, traffic: Traffic) => {
    if (traffic.rollout === undefined)
      throw new SwiftletError('RolloutNotFound', `function "${name}" has had no rollout yet; a deploy makes one`);
    return rolloutView(traffic.rollout, traffic, await roles.watched(tenant, name));
  };

  api.get('/v1/functions/:name/rollout', {
    config: needs('read'),
    schema: {
      summary: 'Describe the last rollout',
      description: 'The one that is under way, or the one that was last.',
      params: nameParams,
      response: { 200: rolloutViewSchema, ...problems },
    },
    handler: async ({ params: { name }, tenant }) => {
      const ref = { tenant, function: name };
      return viewOf(ref, await trafficOf(means, ref));
    },
  });

  api.post('/v1/functions/:name/rollout', {
    config: needs('steer'),
    schema: {
      summary: 'Roll out a version',
      description: 'Returns when it has begun. One strategy, all-at-once, is over by then.',
      params: nameParams,
      body: startBody,
      response: { 200: rolloutViewSchema, ...problems },
    },
    handler: async ({ params: { name }, body: { version, plan }, tenant }) => {
      const ref = { tenant, function: name };
      const config = (await store.versions(tenant, name)).find((known) => known.number === version)?.config;
      const { traffic } = await changeTraffic(means, ref, (current, facts) =>
        startRollout(current, version, plan ?? config?.rollout ?? { strategy: 'all-at-once' }, facts),
      );
      return viewOf(ref, traffic);
    },
  });

  api.post('/v1/functions/:name/rollout/abort', {
    config: needs('steer'),
    schema: {
      summary: 'End a rollout',
      description: 'All requests go to the version before; those in flight end where they are.',
      params: nameParams,
      response: { 200: rolloutViewSchema, ...problems },
    },
    handler: async ({ params: { name }, tenant }) => {
      const ref = { tenant, function: name };
      return viewOf(ref, (await changeTraffic(means, ref, abortRollout)).traffic);
    },
  });

  api.post('/v1/functions/:name/rollback', {
    config: needs('steer'),
    schema: {
      summary: 'Go back to an earlier version',
      description: 'At once. Ends the rollout that is under way, if any.',
      params: nameParams,
      body: rollbackBody,
      response: { 200: rolledBackSchema, ...problems },
    },
    handler: async ({ params: { name }, body: { version }, tenant }) => {
      const { traffic, placed } = await changeTraffic(means, { tenant, function: name }, (current, facts) =>
        rollBack(current, version, facts),
      );
      return { live: traffic.live.versions, placed };
    },
  });
}
