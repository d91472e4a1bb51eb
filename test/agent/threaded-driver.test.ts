/** A driver on a thread of its own, as the agent has it, keeps the same contract. */
import { sandboxDriverContract } from './sandbox-driver.contract.ts';

sandboxDriverContract('bubblewrap on a thread', { isolation: 'bubblewrap', threaded: true }, { isolates: true });
