import { inspectImages } from '../../agent/linux/images.ts';
import { inspectCompilers } from '../../agent/builds/compilers.ts';
import { hasSysAdmin, inspectIsolation, type IsolationReport } from '../../agent/isolation.ts';
import { inspectJava } from '../../agent/runtimes/java-runtime.ts';
import { tryUserNetwork } from '../../agent/network/user/try-user-network.ts';
import { findJava } from '../../build/find-java.ts';
import { SwiftletError } from '../../model/errors.ts';
import { compilersText } from '../compilers-text.ts';
import { connectApi } from '../connect-api.ts';
import { readSecurity, type Security } from '../audit-calls.ts';
import { type Gateways, gatewaysTable, readGateways } from '../gateways-table.ts';
import { exitCode } from '../exit-codes.ts';
import { messageOf } from '../failure.ts';
import { imagesText } from '../images-text.ts';
import { isolationTable } from '../isolation-table.ts';
import { openOutput } from '../output.ts';
import { isInOrder, securityTable } from '../security-table.ts';

/** A host uid for the trial sandbox; nobody has it. */
const trialUid = 1_899_999_999;
const askLimitMs = 10_000;

export async function doctor({ json = false }: { json?: boolean }): Promise<void> {
  const output = openOutput(json);
  const report = await output.progress('looking at this machine', inspect());
  const platform = await output.progress('asking the platform', askPlatform());
  const guards = 'security' in platform ? securityTable(platform.security) : `Of a platform's guards nothing is known: ${platform.unknown}`;
  const compilers = inspectCompilers();
  const java = javaReport(findJava(process.env));
  const images = inspectImages();
  const gateways = 'gateways' in platform ? gatewaysTable(platform.gateways) : undefined;
  const parts = [isolationTable(report), compilersText(compilers), imagesText(images, hasSysAdmin()), java.detail, guards, gateways].filter(
    (part) => part !== undefined,
  );
  output.result({ ...report, compilers, images, java, platform }, () => parts.join('\n\n'));
  if (report.mode !== 'bubblewrap' || ('security' in platform && !isInOrder(platform.security))) process.exitCode = exitCode.failed;
}

/** Whether functions in Java can run here, and on what. */
function javaReport(program: string | undefined): { readonly available: boolean; readonly detail: string } {
  try {
    const { java, version } = inspectJava(program);
    return { available: true, detail: `Functions in Java run on ${java} (${version}).` };
  } catch (error) {
    const detail = messageOf(error);
    return { available: false, detail: `${detail.slice(0, 1).toUpperCase()}${detail.slice(1)}.` };
  }
}

async function inspect(): Promise<IsolationReport> {
  if (hasSysAdmin()) return inspectIsolation(trialUid);
  const missing = await tryUserNetwork();
  return inspectIsolation(
    0,
    process.env['SWIFTLET_NETWORK_MODE'] === 'user' ? { mode: 'user', missing } : { mode: 'host', userMode: { missing } },
  );
}

/** A machine is looked at before a platform runs on it, too. */
async function askPlatform(): Promise<{ readonly security: Security; readonly gateways: Gateways } | { readonly unknown: string }> {
  try {
    const api = connectApi(process.env, AbortSignal.timeout(askLimitMs));
    const [security, gateways] = await Promise.all([readSecurity(api), readGateways(api)]);
    return { security, gateways };
  } catch (error) {
    return { unknown: error instanceof SwiftletError && error.code === 'Unavailable' ? 'none answers' : messageOf(error) };
  }
}
