// What a warm runtime does while it waits: it uses once what user code and the first invocation will use, so that it is loaded.
// Each step is small, and the next is taken only while nobody waits for this process.

const steps = [
  () => import('data:text/javascript,export default 0'),
  () => new URL('http://localhost/?a=b').searchParams.get('a'),
  () => process.memoryUsage.rss(),
];

/** @param {() => boolean} isWaiting */
export async function prepare(isWaiting) {
  for (const step of steps) {
    await new Promise((resolve) => setImmediate(resolve));
    if (!isWaiting()) return;
    await step();
  }
}
