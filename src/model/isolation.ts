/** What keeps functions apart, as it is told to people. */
interface Fact {
  readonly means: string;
  readonly inForce: boolean;
  readonly detail: string;
}

/** Told beside the means of isolation, since it is found and missed in the same place; nothing is less apart without it. */
export const freezing = 'freezing of idle instances';

/** Told there, too: where it is missing, idle instances stay in memory. */
export const hibernating = 'hibernation of idle instances';

/** Told there for the same reason: where it is missing, functions have a loopback and nothing else. */
export const outgoing = 'outgoing traffic';

/**
 * What holds in the mode that was chosen: what the machine could do counts for nothing while functions run as plain processes.
 * @param report what the machine can do
 */
export function isolationInForce<F extends Fact>(report: { readonly facts: readonly F[] }, chosen: string): (F | Fact)[] {
  if (chosen !== 'process') return [...report.facts];
  return report.facts.map(({ means }) => ({ means, inForce: false, detail: 'off: Swiftlet was started with --isolation process' }));
}
