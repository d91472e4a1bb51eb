import { sandboxDriverContract } from './sandbox-driver.contract.ts';

sandboxDriverContract('bubblewrap', { isolation: 'bubblewrap', threaded: false }, { isolates: true });
