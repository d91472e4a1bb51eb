/** What of all roles' figures is one tenant's. Pure. */

/** Names of tenants and functions have no character that Prometheus escapes; a quote within another label's value is escaped. */
const hasLabel = (line: string, label: string, value: string): boolean => {
  const pair = `${label}="${value}"`;
  const labels = line.slice(line.indexOf('{'), line.lastIndexOf('}') + 1);
  return [`{${pair},`, `{${pair}}`, `,${pair},`, `,${pair}}`].some((form) => labels.includes(form));
};

/**
 * The lines about a tenant, or one function of it, with what is said of their metrics. Figures of the platform as a whole are not among them.
 * @param text in Prometheus' text format
 */
export function metricsOf(text: string, tenant: string, name?: string): string {
  const kept: string[] = [];
  /** Help and type of the metric, until a line of it is kept. */
  let about: string[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) {
      if (line.startsWith('# HELP ')) about = [];
      about.push(line);
      continue;
    }
    if (!hasLabel(line, 'tenant', tenant) || (name !== undefined && !hasLabel(line, 'function', name))) continue;
    kept.push(...about, line);
    about = [];
  }
  return kept.length === 0 ? '' : `${kept.join('\n')}\n`;
}
