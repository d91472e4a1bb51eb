/** The relay’s process: reads the sandboxes’ pipes, keeps the logs, and outlives the agent. It decides nothing. */
import type { Logger } from 'pino';
import { Counter, Gauge, Registry } from 'prom-client';
import { keptLogMs, keptReportSize, logFileBytes, logFiles } from '../model/limits.ts';
import { openCallPlaces } from '../role/call-places.ts';
import { type RoleConfig, socketOf } from '../role/role-config.ts';
import { clearSocket, type RunningRole, runRole, shareSocket } from '../role/run-role.ts';
import { type Peer, serveCalls } from '../wire/calls.ts';
import { closeSchema, followSchema, labelSchema, openSchema, unfollowSchema } from '../wire/relay-calls.ts';
import { LogStore } from './log-store.ts';
import { answerQuestion, type RecordBooks, takeNotice } from './record-books.ts';
import { SlotPipe } from './slot-pipe.ts';
import { UsageStore } from './usage-store.ts';

const tidyEveryMs = 3_600_000;

async function startRelay(config: RoleConfig, log: Logger): Promise<RunningRole> {
  const store = new LogStore('logs', { fileBytes: logFileBytes, files: logFiles }, log);
  const books: RecordBooks = {
    logs: store,
    kept: new LogStore('reports', keptReportSize, log),
    usage: new UsageStore('usage.sqlite', () => Date.now(), log),
  };
  const pipes = new Map<number, SlotPipe>();
  const followed = new Map<Peer, Map<string, () => void>>();
  const registry = new Registry();
  const dropped = new Counter({
    name: 'swiftlet_log_dropped_bytes_total',
    help: 'Bytes of output over the functions’ rate',
    registers: [registry],
  });
  new Gauge({
    name: 'swiftlet_log_pipes',
    help: 'Sandboxes whose output is read',
    registers: [registry],
    collect() {
      this.set(pipes.size);
    },
  });
  new Counter({
    name: 'swiftlet_log_lines_total',
    help: 'Log lines stored',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(store.lines);
    },
  });
  new Counter({
    name: 'swiftlet_log_lost_bytes_total',
    help: 'Bytes of log lines that could not be stored',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(store.lostBytes);
    },
  });

  const pipeMeans = { append: store.append.bind(store), dropped: (bytes: number) => dropped.inc(bytes), now: () => new Date() };
  const open = (slot: number, fifo: string) => {
    if (pipes.get(slot)?.fifo === fifo) return;
    pipes.get(slot)?.close();
    try {
      pipes.set(slot, new SlotPipe(fifo, pipeMeans));
    } catch (error) {
      // The sandbox may be gone already.
      log.warn({ err: error, slot }, 'a sandbox’s output cannot be read');
    }
  };
  const close = (slot: number): string => {
    const tail = pipes.get(slot)?.close() ?? '';
    pipes.delete(slot);
    return tail;
  };
  const follow = (peer: Peer, body: unknown) => {
    const { id, tenant, function: name } = followSchema.parse(body);
    const own = followed.get(peer) ?? new Map<string, () => void>();
    followed.set(peer, own);
    own.get(id)?.();
    own.set(
      id,
      store.follow(tenant, name, (lines) => peer.notify('lines', { id, lines })),
    );
  };
  const unfollow = (peer: Peer, id: string) => {
    followed.get(peer)?.get(id)?.();
    followed.get(peer)?.delete(id);
  };

  const forgetOld = async () => {
    try {
      for (const logs of [books.logs, books.kept]) await logs.forgetBefore(Date.now() - keptLogMs);
    } catch (error) {
      log.error({ err: error }, 'old logs could not be removed');
    }
  };
  const tidy = setInterval(() => void forgetOld(), tidyEveryMs);
  void forgetOld();

  const places = openCallPlaces(config, 'relay', log);
  const socketPath = socketOf(config.run, 'relay');
  clearSocket(socketPath);
  const server = await serveCalls(places.listen('relay'), 'relay', {
    async ask(method, body, peer) {
      switch (method) {
        case 'close':
          return { tail: close(closeSchema.parse(body).slot) };
        case 'follow':
          follow(peer, body);
          return {};
        case 'metrics':
          return { text: await registry.metrics() };
        case 'health':
          return { ready: true, detail: 'keeps logs' };
        default:
          return answerQuestion(books, method, body);
      }
    },
    notice(method, body, peer) {
      if (method === 'open') {
        const { slot, fifo } = openSchema.parse(body);
        open(slot, fifo);
      }
      if (method === 'label') {
        const label = labelSchema.parse(body);
        pipes.get(label.slot)?.label(label);
      }
      takeNotice(books, method, body);
      if (method === 'unfollow') unfollow(peer, unfollowSchema.parse(body).id);
    },
    closed(peer) {
      for (const id of [...(followed.get(peer)?.keys() ?? [])]) unfollow(peer, id);
      followed.delete(peer);
    },
  });
  shareSocket(socketPath, config);

  return {
    async stop() {
      clearInterval(tidy);
      await server[Symbol.asyncDispose]();
      places[Symbol.dispose]();
      for (const slot of [...pipes.keys()]) close(slot);
      await Promise.all([books.logs.close(), books.kept.close()]);
      books.usage[Symbol.dispose]();
    },
  };
}

await runRole(startRelay);
