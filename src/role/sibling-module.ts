/**
 * The file of another module of ours that is started rather than imported: a worker thread's or a process's first file. In a
 * checkout modules are TypeScript, in the published package JavaScript; the sibling is what the asker is.
 * @param from the asker's `import.meta.url`
 * @param path relative to the asker, without an extension
 */
export const siblingModule = (from: string, path: string): URL => new URL(`${path}${from.endsWith('.ts') ? '.ts' : '.js'}`, from);
