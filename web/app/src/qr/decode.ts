import decodeQR from 'qr/decode.js';

/** A side of this many pixels is plenty for a code that fills a good part of the picture, and quick to look through. */
const MAX_SIDE = 1024;

export async function codeInFile(file: Blob): Promise<string | undefined> {
  try {
    const bitmap = await createImageBitmap(file);
    return decode(bitmap, bitmap.width, bitmap.height);
  } catch {
    return undefined;
  }
}

export function codeInVideo(video: HTMLVideoElement): string | undefined {
  return video.videoWidth > 0 ? decode(video, video.videoWidth, video.videoHeight) : undefined;
}

function decode(source: CanvasImageSource, fullWidth: number, fullHeight: number): string | undefined {
  const scale = Math.min(1, MAX_SIDE / Math.max(fullWidth, fullHeight));
  const width = Math.max(1, Math.round(fullWidth * scale));
  const height = Math.max(1, Math.round(fullHeight * scale));
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (!context) return undefined;
  context.drawImage(source, 0, 0, width, height);
  try {
    return decodeQR(context.getImageData(0, 0, width, height));
  } catch {
    return undefined; // no code in it
  }
}
