/** What the rules say of each line now. Serves the network phase of a cold start: a change is one transaction, and no change is none. */
import type { NetlinkSocket } from '../linux/netlink-socket.ts';
import { changeElements } from '../linux/set-element.ts';
import { type Line, lineInterface } from './address-plan.ts';
import { type Binding, bindingChanges } from './binding.ts';
import { table } from './router-rules.ts';

/** No line has it. */
const rehearsal = 'rehearsal';

export class LineBindings {
  readonly #socket: NetlinkSocket;
  readonly #inForce = new Map<Line, Binding>();

  /** @param socket of netfilter, in the router */
  constructor(socket: NetlinkSocket) {
    this.#socket = socket;
  }

  /** The router’s rules were made anew, with these. */
  restart(bindings: ReadonlyMap<Line, Binding>): void {
    this.#inForce.clear();
    for (const [line, binding] of bindings) this.#inForce.set(line, binding);
  }

  of(line: Line): Binding | undefined {
    return this.#inForce.get(line);
  }

  get lines(): Iterable<readonly [Line, Binding]> {
    return this.#inForce;
  }

  /** @param wanted undefined: nothing goes through @throws SystemCallError when there is no such chain; the line has what it had then */
  set(line: Line, wanted: Binding | undefined): void {
    const changes = bindingChanges(lineInterface(line).name, this.#inForce.get(line), wanted);
    if (changes.length > 0) changeElements(this.#socket, table, changes);
    if (wanted === undefined) this.#inForce.delete(line);
    else this.#inForce.set(line, wanted);
  }

  /** The first change costs some milliseconds more than all that follow; no start shall wait for it. @throws SystemCallError */
  rehearse(binding: Binding): void {
    changeElements(this.#socket, table, bindingChanges(rehearsal, undefined, binding));
    changeElements(this.#socket, table, bindingChanges(rehearsal, binding, undefined));
  }
}
