import { sandboxDriverContract } from './sandbox-driver.contract.ts';

sandboxDriverContract('process', { isolation: 'process', threaded: false }, { isolates: false });
