import { sandboxDriverContract } from './sandbox-driver.contract.ts';

sandboxDriverContract('bubblewrap', { isolation: 'bubblewrap', launched: false }, { isolates: true });
