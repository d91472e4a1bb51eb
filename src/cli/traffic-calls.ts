/** The control API’s calls about aliases and rollouts. */
import type { z } from 'zod';
import type { RolloutPlan } from '../model/rollout.ts';
import type { Split, Sticky } from '../model/traffic.ts';
import {
  aliasesViewSchema,
  aliasSetSchema,
  type AliasView,
  rolledBackSchema,
  type RolloutView,
  rolloutViewSchema,
} from '../wire/traffic-answers.ts';
import type { ApiClient } from './api-client.ts';

const pathOf = (name: string, rest: string): string => `/v1/functions/${encodeURIComponent(name)}/${rest}`;
const aliasPath = (name: string, alias: string): string => pathOf(name, `aliases/${encodeURIComponent(alias)}`);

export const listAliases = async (api: ApiClient, name: string): Promise<AliasView[]> =>
  (await api.json(aliasesViewSchema, 'GET', pathOf(name, 'aliases'))).aliases;

export const setAlias = (api: ApiClient, name: string, alias: string, versions: Split, sticky: Sticky | undefined) =>
  api.json(aliasSetSchema, 'PUT', aliasPath(name, alias), { versions, sticky });

export const removeAlias = (api: ApiClient, name: string, alias: string): Promise<void> => api.send('DELETE', aliasPath(name, alias));

export const rolloutOf = (api: ApiClient, name: string): Promise<RolloutView> =>
  api.json(rolloutViewSchema, 'GET', pathOf(name, 'rollout'));

/** @param plan undefined: as the version's configuration says */
export const startRollout = (api: ApiClient, name: string, version: number, plan: RolloutPlan | undefined): Promise<RolloutView> =>
  api.json(rolloutViewSchema, 'POST', pathOf(name, 'rollout'), { version, plan });

export const abortRollout = (api: ApiClient, name: string): Promise<RolloutView> =>
  api.json(rolloutViewSchema, 'POST', pathOf(name, 'rollout/abort'));

/** @param version undefined: where `live` pointed before */
export const rollBack = (api: ApiClient, name: string, version: number | undefined): Promise<z.output<typeof rolledBackSchema>> =>
  api.json(rolledBackSchema, 'POST', pathOf(name, 'rollback'), { version });
