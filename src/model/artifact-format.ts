/** What an artifact is as it travels, and as it lies on a host. */

/** Archives are unpacked into a folder. */
export const archiveKinds = ['zstd', 'lz4'] as const;
export type ArchiveKind = (typeof archiveKinds)[number];

/** File-system images that hosts make of an unpacked folder, and read from then on; the best first. */
export const imageKinds = ['erofs', 'squashfs'] as const;
export type ImageKind = (typeof imageKinds)[number];

/** What a function may ask for; absent: by its size and number of files. */
export const artifactFormats = [...archiveKinds, ...imageKinds] as const;
export type ArtifactFormat = (typeof artifactFormats)[number];

/** What an unpacked folder is to become. `auto`: an image where that pays. */
export type PlaceForm = 'folder' | 'auto' | ImageKind;

/** From so many files on, or so many bytes, an image is worth its making. */
export const imageFrom = { files: 1_000, bytes: 16 * 1024 * 1024 } as const;

export interface UnpackedSize {
  readonly files: number;
  /** Bytes of all files. */
  readonly bytes: number;
}

/**
 * What an unpacked folder becomes.
 * @param kinds images that the host can use, the best first
 * @returns undefined: it stays a folder
 */
export function imageFor(form: PlaceForm, { files, bytes }: UnpackedSize, kinds: readonly ImageKind[]): ImageKind | undefined {
  if (form === 'folder') return undefined;
  if (form !== 'auto') return kinds.includes(form) ? form : kinds[0];
  return files >= imageFrom.files || bytes >= imageFrom.bytes ? kinds[0] : undefined;
}

/** @param isAhead whether nobody waits for it: who waits is served sooner by a folder */
export function formOf(format: ArtifactFormat | undefined, isAhead: boolean): PlaceForm {
  if (format === 'squashfs' || format === 'erofs') return format;
  return isAhead && format === undefined ? 'auto' : 'folder';
}
