/** Sources, for people. */
import type { SourceView } from '../wire/source-calls.ts';
import { printable } from './printable.ts';
import { table } from './table.ts';

/** @param views as the platform tells them; undefined when it cannot */
export function sourcesTable(views: readonly SourceView[] | undefined): string {
  if (views === undefined) return 'How its sources are is not known: the event log is away.';
  const rows = views.map((view) => [
    view.function,
    view.name,
    view.kind,
    view.state,
    lagText(view),
    `${view.working} of ${view.held}`,
    view.error === undefined ? '' : view.error.code,
  ]);
  const reasons = views.flatMap(({ name, error, retryAt }) =>
    error === undefined ? [] : [`${name}: ${printable(error.message)}${retryAt === undefined ? '' : ` (again at ${retryAt})`}`],
  );
  return [table(['FUNCTION', 'SOURCE', 'KIND', 'STATE', 'LAG', 'WORKING', 'ERROR'], rows), ...reasons].join('\n');
}

export const lagText = ({ lag }: SourceView): string => (lag === undefined ? 'not known' : String(lag));
