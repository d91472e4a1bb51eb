/** Points on an event's way at which a test may have the role die, so that what a kill costs is known for each, and not by luck. */
export const faultPoints = {
  events: ['before-insert', 'after-commit', 'after-dispatch', 'before-acknowledge'],
  gateway: ['before-202'],
} as const;
export type FaultPoint = (typeof faultPoints)[keyof typeof faultPoints][number];

/** Called where the role passes a point. */
export type Pass = (point: FaultPoint) => void;

/** `point:count`: the role kills itself when it passes the point for that time. Nothing but tests sets it. */
export const faultVariable = 'SWIFTLET_FAULT_POINT';

/** @returns what does nothing unless the environment asks for a fault */
export function passFrom(environment: NodeJS.ProcessEnv): Pass {
  const [, asked, count] = /^([a-z0-9-]+):(\d+)$/.exec(environment[faultVariable] ?? '') ?? [];
  if (asked === undefined) return () => undefined;
  let left = Number(count);
  return (point) => {
    if (point !== asked) return;
    left -= 1;
    if (left === 0) process.kill(process.pid, 'SIGKILL');
  };
}
