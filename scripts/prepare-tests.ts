/** Fetches and builds the servers that tests need; `npm test` does it, too, when it has not been done. */
import { prepareBrokers } from '../test/brokers/prepare.ts';

await prepareBrokers();
