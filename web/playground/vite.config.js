import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const base = '/playground/';
const DATA_URL = /url\("?data:\w+\/(\w+);base64,([A-Za-z0-9+/=]+)"?\)/g;

/**
 * GraphiQL's style sheet carries its fonts and images as `data:` URLs, which the Content-Security-Policy refuses. This
 * writes them to files of their own and points the style sheet at those.
 */
function dataAsFiles() {
  return {
    name: 'data-as-files',
    apply: 'build',
    generateBundle(_, bundle) {
      for (const sheet of Object.values(bundle).filter(({ fileName }) => fileName.endsWith('.css'))) {
        sheet.source = sheet.source.replace(DATA_URL, (_, extension, encoded) => {
          const source = Buffer.from(encoded, 'base64');
          const hash = createHash('sha256').update(source).digest('hex').slice(0, 12);
          const fileName = `assets/${hash}.${extension}`;
          this.emitFile({ type: 'asset', fileName, source });
          return `url(${base}${fileName})`;
        });
      }
    },
  };
}

export default defineConfig({
  base,
  plugins: [dataAsFiles()],
  resolve: {
    alias: [
      // Radix's dialogs add a <style> element through this package; `style-src 'self'` refuses that.
      {
        find: /^react-style-singleton$/,
        replacement: fileURLToPath(new URL('../shared/stylesingleton.js', import.meta.url)),
      },
    ],
    dedupe: ['react'], // for what is shared
  },
  build: {
    assetsInlineLimit: 0, // a data: URL would need an entry in the Content-Security-Policy
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 4096, // one page, served from the same machine as the API
    reportCompressedSize: false,
    rolldownOptions: {
      // "use client" speaks to server-side rendering, which there is none of here.
      onLog: (level, log, handle) => log.code !== 'MODULE_LEVEL_DIRECTIVE' && handle(level, log),
    },
  },
});
