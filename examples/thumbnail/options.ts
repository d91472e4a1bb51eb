export const formats = ['webp', 'jpeg', 'png', 'avif'] as const;
export type Format = (typeof formats)[number];

export interface ThumbnailOptions {
  /** Pixels; the height follows from the image’s proportions. */
  readonly width: number;
  readonly format: Format;
}

const maxWidth = 2_000;
const defaultWidth = 200;

/** Reads `?width=` and `?format=`. @throws Error that says what is allowed */
export function readOptions(query: URLSearchParams): ThumbnailOptions {
  const width = Number(query.get('width') ?? defaultWidth);
  if (!Number.isInteger(width) || width < 1 || width > maxWidth) throw new Error(`width is a whole number from 1 to ${maxWidth}`);
  const asked = query.get('format') ?? 'webp';
  const format = formats.find((one) => one === asked);
  if (format === undefined) throw new Error(`format is one of ${formats.join(', ')}`);
  return { width, format };
}
