// What a warm runtime does while it waits: it uses once what user code and the first invocation will use, so that it is loaded.
// Each step is small, and the next is taken only while nobody waits for this process.
import * as nodeModule from 'node:module';

const steps = [
  () => import('data:text/javascript,export default 0'),
  () => new URL('http://localhost/?a=b').searchParams.get('a'),
  () => process.memoryUsage.rss(),
  // TypeScript's types are stripped by a WebAssembly module, which takes longer to load than most functions to start.
  () => nodeModule.stripTypeScriptTypes?.('const a: number = 0;'),
  // The web's classes are loaded on first use.
  () => new Response('').headers.get('a'),
  () => new Request('http://localhost/').headers.get('a'),
];

/** @param {() => boolean} isWaiting */
export async function prepare(isWaiting) {
  for (const step of steps) {
    await new Promise((resolve) => setImmediate(resolve));
    if (!isWaiting()) return;
    await step();
  }
}
