// compress.mjs DIR: writes a brotli and a gzip form beside each file of a build, as strong as they get: this happens once,
// sending them happens often. The server picks by Accept-Encoding; other hosts do (nginx: brotli_static, gzip_static).
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** Images and fonts are compressed by themselves. */
const COMPRESSIBLE = new Set(['.css', '.html', '.js', '.json', '.svg', '.txt', '.wasm', '.webmanifest']);
/** Below this everything fits one packet, however it is sent. */
const WORTH_IT = 1024;

const forms = [
  ['.br', (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } })],
  ['.gz', (bytes) => gzipSync(bytes, { level: 9 })],
];

const [dir] = process.argv.slice(2);
if (!dir) throw new Error('usage: compress.mjs DIR');
for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name);
  if (!entry.isFile() || !COMPRESSIBLE.has(extname(path))) continue;
  const bytes = readFileSync(path);
  if (bytes.length < WORTH_IT) continue;
  for (const [suffix, compress] of forms) writeFileSync(path + suffix, compress(bytes));
}
