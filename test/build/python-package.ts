/** A package for Python, made for a test: as a wheel, or as source that has to be built. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const make = `
import io, sys, tarfile, zipfile
kind, name, place = sys.argv[1:]
module = f'NAMES = {{"a", "b", "c"}}\\ndef answer(): return "from a {kind}"\\n'
about = f'Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0\\n'
# Builds itself, with nothing from anywhere else.
backend = f'''
import os, zipfile
def build_wheel(folder, config_settings=None, metadata_directory=None):
    file = '{name}-1.0-py3-none-any.whl'
    with zipfile.ZipFile(os.path.join(folder, file), 'w') as wheel:
        wheel.writestr('{name}/__init__.py', {module!r})
        wheel.writestr('{name}-1.0.dist-info/METADATA', {about!r})
        wheel.writestr('{name}-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\\\nGenerator: test\\\\nRoot-Is-Purelib: true\\\\nTag: py3-none-any\\\\n')
        wheel.writestr('{name}-1.0.dist-info/RECORD', '')
    return file
'''
if kind == 'wheel':
    space = {}
    exec(backend, space)
    space['build_wheel'](place)
else:
    with tarfile.open(f'{place}/{name}-1.0.tar.gz', 'w:gz') as archive:
        project = '[build-system]\\nrequires = []\\nbuild-backend = "backend"\\nbackend-path = ["."]\\n'
        for path, text in (('pyproject.toml', project), ('backend.py', backend), ('PKG-INFO', about)):
            entry = tarfile.TarInfo(f'{name}-1.0/{path}')
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
`;

export type PackageKind = 'wheel' | 'source';

const fileOf = (kind: PackageKind, name: string): string => (kind === 'wheel' ? `${name}-1.0-py3-none-any.whl` : `${name}-1.0.tar.gz`);

/** Writes it into a folder. It is imported by its name, has NAMES, and its answer() tells the kind. */
export const writePackage = (kind: PackageKind, name: string, folder: string): void => {
  execFileSync('/usr/bin/python3', ['-c', make, kind, name, folder]);
};

/** What an index answers, in base64, by path. @param under the index's own path, without a slash at its end */
export function indexOf(packages: Readonly<Record<string, PackageKind>>, under: string): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'swiftlet-index-'));
  try {
    return Object.fromEntries(
      Object.entries(packages).flatMap(([name, kind]) => {
        writePackage(kind, name, folder);
        const file = fileOf(kind, name);
        const page = `<!DOCTYPE html><a href="${under}/files/${file}">${file}</a>`;
        return [
          [`${under}/${name.replaceAll('_', '-')}/`, Buffer.from(page).toString('base64')],
          [`${under}/files/${file}`, readFileSync(join(folder, file)).toString('base64')],
        ];
      }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}
