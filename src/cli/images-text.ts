import type { ImageFact } from '../agent/linux/images.ts';

/** Whether large code can lie on this host as an image that is read on demand; without one it is unpacked into folders. */
export function imagesText(facts: readonly ImageFact[], isRoot: boolean): string {
  const lines = facts.map(
    ({ kind, missing }) => `${kind}: ${missing === undefined ? 'can be used' : `${missing.detail}; ${missing.remedy}`}`,
  );
  const usable = facts.filter(({ missing }) => missing === undefined);
  if (!isRoot) return 'Code lies in folders: images of file systems are mounted by root alone.';
  return usable.length === 0
    ? `Large code lies in folders, which take more of the disk: no image of a file system can be used here (${lines.join(' · ')}).`
    : `Large code lies as an image of a file system, and is read on demand (${lines.join(' · ')}).`;
}
