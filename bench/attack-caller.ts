/** The process of `attacker.ts`: makes the calls it is told to make, and says when they are over. */
import { type AttackCalls, attackCalls } from './attack-calls.ts';

process.on('disconnect', () => process.exit());
process.on('message', ({ url, calls }: { readonly url: string; readonly calls: AttackCalls }) => {
  // What fails ends this process, with the reason.
  void attackCalls[calls](url).then(() => process.send?.('over'));
});
