/** The process of the events role. */
import { runRole } from '../role/run-role.ts';
import { startEvents } from './start-events.ts';

await runRole(
  (config, log) =>
    startEvents(config, log, (error) => {
      log.fatal({ err: error }, 'the disk under the event log failed; the role starts again');
      process.exit(1);
    }),
  async ({ events: { log } }) => {
    if (log.kind === 'nats') await import('./nats-event-log.ts');
  },
);
