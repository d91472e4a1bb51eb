/** What built-in layers are made of: packages of pinned versions, checked by their hashes, and where their files lie in a layer. */
import { createHash } from 'node:crypto';
import type { BuiltInLayerName } from '../../model/built-in-layer.ts';
import { type BuildRuntimeName, defaultRuntime } from '../../model/runtimes.ts';
import sdkLock from './aws-sdk-v3.lock.json' with { type: 'json' };

const boto3 = `
boto3==1.44.5 --hash=sha256:70c3e0409794b29ec1900bcaff0695b73234a2d32ffaed35045b94caa26212a5
botocore==1.44.5 --hash=sha256:8f16a56d1dff125dd65322ae021efa7ba5195a6db5102b96862566055b748921
jmespath==1.1.0 --hash=sha256:a5663118de4908c91729bea0acadca56526eb2698e83de10cd116ae0f4e97c64
python-dateutil==2.9.0.post0 --hash=sha256:a8b2bc7bffae282281c8140a97d3aa9c14da0b136dfe83f850eea9a5f7470427
s3transfer==0.19.3 --hash=sha256:24eb7535804306355e31c952a90022bf5b2f9d760f9a11062c7493a217c08553
six==1.17.0 --hash=sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274
urllib3==2.8.0 --hash=sha256:0cf3cae568d36aa9576b28dfb35f11328f1cb974ca7647d9475ebb86c75ac6e3
`.trimStart();

export interface Edition {
  /** Its packages, for people. */
  readonly description: string;
  /** By what it is installed. */
  readonly runtime: BuildRuntimeName;
  /** What says which packages are installed, by path. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Of other inputs another one. */
  readonly id: string;
  /** Where a file that was installed lies in the layer; undefined: it is left out. */
  readonly place: (path: string) => string | undefined;
  /** What of it functions may import, as far as that can be said by names: packages of npm, and modules of Python. */
  readonly provides: ReadonlySet<string>;
  /** How somebody makes such a layer by hand. */
  readonly packages: string;
}

const { name, version, dependencies } = sdkLock.packages[''];
const clients = Object.keys(dependencies);

export const editions: Readonly<Record<BuiltInLayerName, Edition>> = {
  boto3: edition({
    description: `boto3 ${versionIn(boto3, 'boto3')}, botocore ${versionIn(boto3, 'botocore')}`,
    runtime: 'python3',
    inputs: { 'requirements.txt': boto3 },
    place: (path) => (path.startsWith('site-packages/bin/') ? undefined : path.replace(/^site-packages\//, 'python/')),
    provides: new Set(['boto3', 'botocore', 's3transfer', 'jmespath']),
    packages: `--from pip:boto3==${versionIn(boto3, 'boto3')}`,
  }),
  'aws-sdk-v3': edition({
    description: `AWS SDK for JavaScript, ${clients.length} packages: @aws-sdk/client-s3 ${dependencies['@aws-sdk/client-s3']} and others`,
    runtime: defaultRuntime,
    inputs: { 'package.json': JSON.stringify({ name, version, dependencies }), 'package-lock.json': JSON.stringify(sdkLock) },
    // Node.js takes none of these: as on AWS Lambda they are left out.
    place: (path) => (/\/dist-(?:es|types)\/|\.d\.[cm]?ts$|\.map$/.test(path) ? undefined : `nodejs/${path}`),
    provides: new Set(clients),
    packages: '--from npm:@aws-sdk/client-s3@3 --from npm:@aws-sdk/client-dynamodb@3',
  }),
};

function edition(said: Omit<Edition, 'id'>): Edition {
  return { ...said, id: createHash('sha256').update(JSON.stringify(said.inputs)).digest('hex').slice(0, 16) };
}

function versionIn(requirements: string, wanted: string): string {
  return requirements.match(new RegExp(`^${wanted}==(\\S+)`, 'm'))?.[1] ?? '';
}
