/**
 * The router's namespace of a platform without root's rights, and pasta, which is its way out: started before the agent, and there until the
 * platform stops, whatever becomes of agents. Both end with this process, however it ends: their keeper reads from it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { handingOnRights } from '../../agent/linux/capabilities.ts';
import { uplink } from '../../agent/network/address-plan.ts';
import { pastaOptions, pastaPath } from '../../agent/network/user/programs.ts';
import { SwiftletError } from '../../model/errors.ts';

const startLimitMs = 20_000;
/**
 * `cat` holds the namespace until there is nothing more to read. It has no rights, so that pasta may look at it. A pasta that ends is
 * started again; whose connections it had are reset.
 */
const keep = `
exec 3<&0 </dev/null
unshare --net setpriv --ambient-caps=-all --inh-caps=-all cat <&3 >/dev/null & holder=$!
until [ "$(cat /proc/$holder/comm)" = cat ]; do sleep 0.01; done
trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT
while :; do
  "$@" --netns /proc/$holder/ns/net & pasta=$!
  [ -z "$told" ] && until grep -q ' ${uplink.name}:\\|^ *${uplink.name}:' /proc/$holder/net/dev || ! kill -0 $pasta 2>/dev/null; do sleep 0.01; done
  [ -z "$told" ] && echo $holder && told=yes
  wait -n
  kill -0 $holder 2>/dev/null || exit
  sleep 0.5
done`;

export interface Pasta extends AsyncDisposable {
  /** Of the keeper, which this process has started. */
  readonly pid: number;
  /** What has a program run in the router’s namespace, in front of the program’s name. */
  readonly entrance: readonly string[];
}

/** @param onLost called when the namespace is gone before it was to be @throws SwiftletError Unavailable when it does not come to be */
export async function startPasta(onLost: () => void): Promise<Pasta> {
  const options = [...pastaOptions, '--foreground', '--no-netns-quit', '--netns-only', '--ns-ifname', uplink.name];
  const child = handingOnRights(() =>
    // Ctrl-C reaches the whole process group, and a stop has its order.
    spawn('/bin/bash', ['-c', keep, 'bash', pastaPath, ...options], { stdio: ['pipe', 'pipe', 'inherit'], cwd: '/', detached: true }),
  );
  const gone = once(child, 'exit');
  const lines = createInterface(child.stdout);
  const limit = AbortSignal.timeout(startLimitMs);
  try {
    const [first] = (await Promise.race([once(lines, 'line', { signal: limit }), gone])) as unknown[];
    if (typeof first !== 'string') throw new Error(`it ended with ${String(first)}`);
    let isEnding = false;
    void gone.then(() => {
      if (!isEnding) onLost();
    });
    return {
      pid: child.pid ?? 0,
      entrance: ['/usr/bin/nsenter', `--net=/proc/${first}/ns/net`],
      async [Symbol.asyncDispose]() {
        isEnding = true;
        child.stdin.end();
        await gone;
      },
    };
  } catch (error) {
    child.kill('SIGKILL');
    throw new SwiftletError('Unavailable', `the way out of functions (pasta) did not start: ${String(error)}`, { cause: error });
  }
}
