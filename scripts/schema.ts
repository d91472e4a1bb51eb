/** Writes the JSON Schema of `swiftlet.yaml` that editors use. With `--check` it only says whether the file is up to date. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { manifestSchema } from '../src/build/manifest-schema.ts';
import { packageFolder } from '../src/role/package-folder.ts';

const path = join(packageFolder, 'swiftlet.schema.json');
const schema = {
  $id: 'https://swiftlet.dev/swiftlet.schema.json',
  title: 'swiftlet.yaml',
  ...z.toJSONSchema(manifestSchema, { io: 'input' }),
};
const text = `${JSON.stringify(schema, null, 2)}\n`;

if (!process.argv.includes('--check')) writeFileSync(path, text);
else if (readFileSync(path, 'utf8') !== text) {
  process.stderr.write('swiftlet.schema.json is not up to date: npm run schema\n');
  process.exitCode = 1;
}
