import { dirname } from 'node:path';
import { z } from 'zod';
import { SwiftletError } from '../model/errors.ts';
import { runProgram } from './run-program.ts';

/** Python reads it itself: since 3.11 by its library, before by what pip brings along. */
const reader = `
import json, sys
try:
    import tomllib
except ModuleNotFoundError:
    from pip._vendor import tomli as tomllib
with open(sys.argv[1], 'rb') as file:
    print(json.dumps(tomllib.load(file), default=str))
`;

/** Other tools keep their settings in the file, too: then it need not be a project. */
const projectSchema = z.object({ project: z.object({ dependencies: z.array(z.string()).default([]) }).optional() });

/**
 * What a pyproject.toml says that the project needs, as lines of a requirements.txt.
 * @throws SwiftletError ManifestInvalid with the place; the signal's reason
 */
export async function projectRequirements(python: string, path: string, signal: AbortSignal): Promise<readonly string[]> {
  const ran = await runProgram(python, ['-I', '-c', reader, path], { cwd: dirname(path), signal });
  if (ran.kind !== 'exited') throw invalid(path, `${python} could not read it`);
  if (ran.code !== 0) throw notToml(path, ran.said.trim().split('\n').at(-1) ?? '');
  const parsed = projectSchema.safeParse(JSON.parse(ran.printed));
  if (parsed.success) return parsed.data.project?.dependencies ?? [];
  const [issue] = parsed.error.issues;
  const what = `${(issue?.path ?? []).join('.')}: ${issue?.message ?? 'is not valid'}`;
  throw invalid(path, `${what}; dependencies are a list of texts, such as "flask>=3"`);
}

/** @param said like `tomllib.TOMLDecodeError: Invalid value (at line 2, column 18)` */
function notToml(path: string, said: string): SwiftletError {
  const [, line, column] = said.match(/\(at line (\d+), column (\d+)\)/) ?? [];
  const what = said.replace(/^[\w.]+: /, '').replace(/ \(at line .*\)$/, '');
  return invalid(line === undefined || column === undefined ? path : `${path}:${line}:${column}`, what);
}

const invalid = (place: string, what: string): SwiftletError => new SwiftletError('ManifestInvalid', `${place}: ${what}`, { place });
