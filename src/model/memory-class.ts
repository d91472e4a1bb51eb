/** V8's heap is cut when a process boots, so warm sandboxes are of some sizes only. */
const memoryClasses = [64, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 10_240] as const;

/** The memory of the sandboxes that serve a function, in MiB: rounded up, so that few pools serve all. */
export const memoryClassOf = (memoryMiB: number): number => memoryClasses.find((size) => size >= memoryMiB) ?? memoryMiB;
