/** What control asks about sources. */
import { lagsQuerySchema } from '../../wire/scale-calls.ts';
import { sourceOrderSchema, sourcesQuerySchema } from '../../wire/source-calls.ts';
import type { SourceKeeper } from './source-keeper.ts';

/** @throws SwiftletError NotFound */
export async function answerSources(
  keeper: SourceKeeper,
  method: 'sources' | 'lags' | 'pauseSource' | 'resumeSource',
  body: unknown,
): Promise<object> {
  if (method === 'sources') {
    const { tenant, function: name } = sourcesQuerySchema.parse(body);
    return { sources: await keeper.views(tenant, name) };
  }
  if (method === 'lags') return keeper.lags(lagsQuerySchema.parse(body).functions);
  const ref = sourceOrderSchema.parse(body);
  return method === 'pauseSource' ? keeper.pause(ref) : keeper.resume(ref);
}
