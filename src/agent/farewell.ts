/** How an instance is ended: without a word, or in the time that its extensions asked for. */
import type { EndReason } from './end-reason.ts';
import type { Instance } from './instance.ts';

/** What it is told, in AWS Lambda's words; undefined: what did this to the host is ended at once. */
function wordFor(reason: EndReason | undefined): string | undefined {
  if (reason === undefined) return 'SPINDOWN';
  return reason.code === 'Timeout' ? 'TIMEOUT' : undefined;
}

/** @param reason absent when its end is nobody's fault */
export function endSandbox({ sandbox, farewellMs }: Instance, reason: EndReason | undefined): void {
  const why = wordFor(reason);
  if (farewellMs === 0 || why === undefined) {
    sandbox.kill();
    return;
  }
  sandbox.thaw();
  sandbox.connection.end(why);
  const late = setTimeout(() => sandbox.kill(), farewellMs);
  void sandbox.ended.then(() => clearTimeout(late));
}
