/** When certificates are to be renewed. Pure; milliseconds since 1970. */
import type { ShownCertificate } from '../../wire/secure/role-certificate.ts';

type Span = Pick<ShownCertificate, 'fromMs' | 'untilMs'>;

/** A third of its life is left for whoever renews it to be away in. */
export const renewAtMs = ({ fromMs, untilMs }: Span): number => fromMs + ((untilMs - fromMs) * 2) / 3;

/** Whether nobody has renewed it who should have, for long enough that somebody has to look. */
export const isOverdue = ({ fromMs, untilMs }: Span, nowMs: number): boolean => nowMs >= fromMs + (untilMs - fromMs) * 0.9;
