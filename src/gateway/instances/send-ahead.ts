/** What is sent to an instance before it is initialised, so that it is there when it is; and taken back when the instance does not come. */
import { SwiftletError } from '../../model/errors.ts';
import { dispatch } from '../request/dispatch.ts';
import type { Exchange } from '../request/exchange.ts';
import { giveUp } from '../request/time-limits.ts';
import type { InstanceLink } from './instance-link.ts';

/** Sends as many of those who wait as the instance will have room for. */
export function sendAhead(link: InstanceLink, now: number): void {
  for (let room = link.slots; room > 0; room--) {
    const exchange = link.served.takeAhead();
    if (exchange === undefined) return;
    exchange.state = 'ahead';
    dispatch(exchange, link, now, giveUp);
  }
}

/** They wait again, each at his place. @param settle ends one that nobody waits for any more */
export function takeBack(link: InstanceLink, settle: (exchange: Exchange, error: SwiftletError) => void): void {
  for (const exchange of [...link.streams.values()].reverse()) {
    exchange.link = undefined;
    if (exchange.abandoned !== undefined) settle(exchange, new SwiftletError(exchange.abandoned, 'nobody waits for it'));
    else {
      exchange.state = 'waiting';
      link.served.putBack(exchange);
    }
  }
  link.streams.clear();
  link.close();
}
