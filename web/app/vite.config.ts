import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { operations } from './operations.config.ts';
import { pwa } from './pwa.config.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Where `npm run dev` sends GraphQL: a server on this machine. */
const SERVER = process.env.LETTERLOCK_URL ?? 'http://127.0.0.1:8080';

export default defineConfig(({ mode }) => ({
  plugins: [react(), pwa(mode === 'fake'), operations()],
  resolve: {
    alias: [
      { find: /^@letterlock\/core$/, replacement: here(mode === 'fake' ? 'src/fake/index.ts' : '../core/src/index.js') },
      // Dialogs hide the page's scroll bar through this package with a <style> element; `style-src 'self'` refuses that.
      { find: /^react-style-singleton$/, replacement: here('../shared/stylesingleton.js') },
    ],
    // The core and what is shared lie beside this package and bring none of these themselves.
    dedupe: ['@apollo/client', 'graphql', 'graphql-ws', 'idb', 'react', 'rxjs'],
  },
  worker: { format: 'es' },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // a data: URL would need an entry in the Content-Security-Policy
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1024,
  },
  server: {
    fs: { allow: [here('..')] },
    proxy: { '/graphql': { target: SERVER, ws: true, changeOrigin: true } },
  },
}));
