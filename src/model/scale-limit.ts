/** What can keep the number of a version's instances from being what its load wants. */
export const scaleLimits = ['one-shot', 'idle', 'schedule', 'minimum', 'maximum', 'factor', 'delay', 'in flight', 'initial'] as const;
export type ScaleLimit = (typeof scaleLimits)[number];
