// The memory of what this process has started: what it costs a function is its program's, and not its companion's alone.
const { readdirSync, readFileSync } = process.getBuiltinModule('node:fs');

/** A sandbox has no more. */
const mostProcesses = 128;

/** Resident memory of all processes below this one, in KiB; what two of them share counts twice. */
export function kibibytesBelow() {
  let kibibytes = 0;
  const found = childrenOf('self');
  for (let at = 0; at < Math.min(found.length, mostProcesses); at++) {
    const id = found[at] ?? '';
    kibibytes += Number(/^VmRSS:\s*(\d+) kB$/m.exec(read(`/proc/${id}/status`))?.[1] ?? 0);
    found.push(...childrenOf(id));
  }
  return kibibytes;
}

/** By which of its threads they were started does not matter. @param {string} id @returns {string[]} */
function childrenOf(id) {
  const folder = `/proc/${id}/task`;
  return threadsIn(folder).flatMap((thread) => read(`${folder}/${thread}/children`).split(' ').filter(Boolean));
}

/** @param {string} folder @returns {string[]} none of a process that has ended meanwhile */
function threadsIn(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
