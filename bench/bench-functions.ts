/** The functions that the bench deploys: as small as they can be, since the platform is measured and not they. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PackedBundle, packBundle } from '../src/build/bundle.ts';

/** Packs a function of one module. */
export async function packModule(source: string, name = 'index.mjs'): Promise<PackedBundle> {
  const folder = await mkdtemp(join(tmpdir(), 'swiftlet-bench-function-'));
  try {
    await writeFile(join(folder, name), source);
    return await packBundle(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What peers and the bare server answer too. */
export const helloAnswer = { message: 'Hello, world!' } as const;

export const packHello = (): Promise<PackedBundle> => packModule(`export const handler = () => (${JSON.stringify(helloAnswer)});\n`);

/** Keeps its instance busy for a moment, so that requests at once take an instance each. */
export const packSlowHello = (ms: number): Promise<PackedBundle> =>
  packModule(`export const handler = () => new Promise((resolve) => setTimeout(resolve, ${ms}, ${JSON.stringify(helloAnswer)}));\n`);

/** A greeting whose code, and so its digest, nobody else has. */
export const packUnique = (number: number): Promise<PackedBundle> =>
  packModule(`export const handler = () => ({ message: 'Hello, world!', number: ${number} });\n`);

/** The same in Python. */
export const packUniquePython = (number: number): Promise<PackedBundle> =>
  packModule(`def handler(event, context):\n    return {'message': 'Hello, world!', 'number': ${number}}\n`, 'index.py');

/** Its init takes so much of a processor, and keeps so many small objects. */
export const packHeavyInit = (cpuMs: number, objects: number): Promise<PackedBundle> =>
  packModule(`const began = process.cpuUsage();
const kept = [];
const usedMs = () => { const { user, system } = process.cpuUsage(began); return (user + system) / 1000; };
while (usedMs() < ${cpuMs}) for (let more = 0; more < 100 && kept.length < ${objects}; more++) kept.push({ at: kept.length, text: String(Math.random()) });
export const handler = () => (${JSON.stringify(helloAnswer)});
`);
