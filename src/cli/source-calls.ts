/** What the CLI asks the API about sources. */
import { sourcesViewSchema, type SourceView, sourceViewSchema } from '../wire/source-calls.ts';
import type { ApiClient } from './api-client.ts';

const pathOf = (name: string): string => `/v1/functions/${encodeURIComponent(name)}/sources`;

/** @param name one function's; undefined: those of all */
export const listSources = async (api: ApiClient, name: string | undefined): Promise<SourceView[]> =>
  (await api.json(sourcesViewSchema, 'GET', name === undefined ? '/v1/sources' : pathOf(name))).sources;

export const describeSource = (api: ApiClient, name: string, source: string): Promise<SourceView> =>
  api.json(sourceViewSchema, 'GET', `${pathOf(name)}/${encodeURIComponent(source)}`);

export const changeSource = (api: ApiClient, name: string, source: string, what: 'pause' | 'resume'): Promise<SourceView> =>
  api.json(sourceViewSchema, 'POST', `${pathOf(name)}/${encodeURIComponent(source)}/${what}`);
