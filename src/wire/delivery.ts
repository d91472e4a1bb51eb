/** How the events role hands an event to a gateway: an HTTP request on a socket that only roles can reach, and these headers. */
export const deliveryHeaders = {
  /** The event's id, which is the invocation's as well, at every attempt. */
  eventId: 'x-swiftlet-event-id',
  /** Who sent the request that became the event. */
  sourceIp: 'x-swiftlet-source-ip',
  /** On an answer: the code of what went wrong, when the platform says it. */
  error: 'x-swiftlet-error',
} as const;
