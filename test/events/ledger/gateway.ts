/**
 * A gateway's process with nothing but the doors that events go through, both of them the real ones. Its functions write to a ledger, and
 * fail now and then. `node gateway.ts <run folder> <ledger>`; says `ready` when it serves.
 */
import { fsyncSync, openSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { openDeliveryDoor } from '../../../src/gateway/doors/delivery-door.ts';
import { EventDoor } from '../../../src/gateway/doors/event-door.ts';
import { writeProblem } from '../../../src/gateway/request/reply.ts';
import type { Gateway } from '../../../src/gateway/gateway.ts';
import { passFrom } from '../../../src/role/fault-points.ts';
import { deliverySocketOf, socketOf } from '../../../src/role/role-config.ts';
import { clearSocket } from '../../../src/role/run-role.ts';
import { connectCalls } from '../../../src/wire/calls.ts';
import { frontSocketOf, servedVersion } from './served.ts';

const failing = 0.05;
const [run = '', ledgerPath = ''] = process.argv.slice(2);
const ledger = openSync(ledgerPath, 'a');

const gateway: Pick<Gateway, 'find' | 'misplaced' | 'serves' | 'handle' | 'refuse'> = {
  misplaced: () => undefined,
  serves: () => false,
  find: () => servedVersion,
  refuse: (request, response, id, error) => writeProblem(response, error, id, [], !request.complete),
  handle(request, response, _key, _name, _kind, _target, _isTrusted, _sourceIp, id) {
    text(request).then(
      (sent) => {
        writeSync(ledger, `${String(id)} ${sent}\n`);
        fsyncSync(ledger);
        response.writeHead(Math.random() < failing ? 500 : 200).end('{}');
      },
      () => response.destroy(),
    );
  },
};

for (const path of [frontSocketOf(run), deliverySocketOf(run)]) clearSocket(path);
const events = connectCalls(socketOf(run, 'events'), 'gateway');
const door = new EventDoor({ events, gateway, knowsFunctions: () => true, pass: passFrom(process.env) });
await openDeliveryDoor(deliverySocketOf(run), { gateway, isOpen: () => true });
createServer((request, response) =>
  door.accept(request, response, { tenant: 'default', key: 'default/noted', name: 'noted', kind: 'http', target: '/' }),
).listen(frontSocketOf(run), () => process.send?.('ready'));
process.once('disconnect', () => process.exit(0));
