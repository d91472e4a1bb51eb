import { sandboxDriverContract } from './sandbox-driver.contract.ts';

sandboxDriverContract('process', { isolation: 'process', launched: false }, { isolates: false });
