/** Fetches and builds the servers and programs that tests need; `npm test` does it, too, when it has not been done. */
import { prepareBrokers } from '../test/brokers/prepare.ts';
import { prepareJavaFunctions } from '../test/programs/java-functions.ts';
import { prepareRuntimeClients } from '../test/programs/runtime-clients.ts';

await prepareBrokers();
await prepareRuntimeClients();
await prepareJavaFunctions();
