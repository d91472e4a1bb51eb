/** A driver in a process of its own, as the agent has it, keeps the same contract. */
import { sandboxDriverContract } from './sandbox-driver.contract.ts';

sandboxDriverContract('bubblewrap in the launcher', { isolation: 'bubblewrap', launched: true }, { isolates: true });
