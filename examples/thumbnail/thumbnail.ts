import sharp from 'sharp';
import type { ThumbnailOptions } from './options.ts';

// One request at a time per instance: a thread pool and a cache would only take memory from the image.
sharp.concurrency(1);
sharp.cache(false);

/** A small file can unpack to an enormous picture; what is over this is refused before it is decoded. */
const maxPixels = 40_000_000;

export interface Thumbnail {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly width: number;
  readonly height: number;
}

/** Shrinks an image to the width asked for; one that is smaller already keeps its size. @throws Error when it cannot be read */
export async function thumbnail(image: ArrayBuffer, { width, format }: ThumbnailOptions): Promise<Thumbnail> {
  const { data, info } = await sharp(image, { limitInputPixels: maxPixels, sequentialRead: true })
    .autoOrient()
    .resize({ width, withoutEnlargement: true })
    .toFormat(format)
    .toBuffer({ resolveWithObject: true });
  return { bytes: new Uint8Array(data), width: info.width, height: info.height };
}
