// Google's functions framework, without its server: its name leads to what only registers.
const { registerHooks } = process.getBuiltinModule('node:module');
const { join } = process.getBuiltinModule('node:path');
const { pathToFileURL } = process.getBuiltinModule('node:url');

export const frameworkName = '@google-cloud/functions-framework';
/** Beside this file, or the one that it is part of. */
export const frameworkFile = join(import.meta.dirname, 'functions-framework.cjs');

/** For all modules that are loaded from now on. */
export function provideFramework() {
  const url = pathToFileURL(frameworkFile).href;
  registerHooks({
    resolve: (name, context, next) => (name === frameworkName ? { url, format: 'commonjs', shortCircuit: true } : next(name, context)),
  });
}
