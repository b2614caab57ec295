// What makes the client installable: its manifest, its icons as pictures, and the service worker that keeps its files.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { initWasm, Resvg } from '@resvg/resvg-wasm';
import type { PluginOption } from 'vite';
import { type ManifestOptions, VitePWA } from 'vite-plugin-pwa';
import type { ManifestEntry as Entry } from 'workbox-build';

const TEAL = '#137c72';
const LIGHT = '#f3f5f4';
const DARK = '#0f1416';

/** More than everything the client consists of: what is larger would silently be missing offline. */
const MAX_FILE_BYTES = 16 << 20;

const SVG = fileURLToPath(new URL('public/icon.svg', import.meta.url));

/** Pictures for systems that take no SVG. A maskable one has no corners: systems cut it to a shape of their own. */
const PICTURES = [
  { src: 'icon-192.png', size: 192, purpose: 'any' },
  { src: 'icon-512.png', size: 512, purpose: 'any' },
  { src: 'icon-maskable-512.png', size: 512, purpose: 'maskable' },
] as const;

const MANIFEST: Partial<ManifestOptions> = {
  id: '/',
  name: 'Letterlock',
  short_name: 'Letterlock',
  description: 'End-to-end encrypted messages, on a server of your own.',
  lang: 'en',
  start_url: '/',
  scope: '/',
  display: 'standalone',
  theme_color: TEAL,
  background_color: LIGHT,
  categories: ['social', 'communication'],
  icons: [
    { src: 'icon.svg', sizes: 'any', type: 'image/svg+xml', purpose: 'any' },
    ...PICTURES.map(({ src, size, purpose }) => ({ src, sizes: `${size}x${size}`, type: 'image/png', purpose })),
  ],
};

type ManifestEntry = Entry & { size: number };

/** The plugins. The in-memory client of tests has no service worker: it would answer for the next build's files. */
export function pwa(disable: boolean): PluginOption[] {
  return [icons(), installable(disable)];
}

/**
 * The service worker answers for the files of the build and for nothing else: what it does not keep, the API, the playground
 * and the health checks, goes to the network as if there were none.
 */
function installable(disable: boolean): PluginOption {
  return VitePWA({
    disable,
    registerType: 'prompt',
    injectRegister: null, // src/update does
    manifest: MANIFEST,
    includeManifestIcons: false, // they are among the files already
    workbox: {
      globPatterns: ['**/*.{html,js,css,wasm,svg,png,woff2}'],
      maximumFileSizeToCacheInBytes: MAX_FILE_BYTES,
      manifestTransforms: [sorted],
      dontCacheBustURLsMatching: /^assets\//,
      navigateFallback: null,
      cleanupOutdatedCaches: true,
      clientsClaim: true, // or a tab that was there before the first service worker could not change to the next
      inlineWorkboxRuntime: true,
      sourcemap: false,
    },
  });
}

/** File systems differ in the order in which they name files; builds do not. */
function sorted(entries: ManifestEntry[]): { manifest: ManifestEntry[] } {
  return { manifest: entries.sort((a, b) => (a.url < b.url ? -1 : 1)) };
}

/** Draws the pictures from the one icon that is kept, and names them to the page. */
function icons(): PluginOption {
  return {
    name: 'letterlock-icons',
    apply: 'build',
    async generateBundle() {
      await startResvg();
      const svg = readFileSync(SVG, 'utf8');
      for (const { src, size, purpose } of PICTURES) {
        const drawn = draw(purpose === 'maskable' ? withoutCorners(svg) : svg, size);
        this.emitFile({ type: 'asset', fileName: src, source: drawn });
      }
    },
    transformIndexHtml: {
      order: 'post',
      handler: () => [
        { tag: 'link', attrs: { rel: 'apple-touch-icon', href: '/icon-192.png' }, injectTo: 'head' },
        { tag: 'meta', attrs: { name: 'theme-color', media: '(prefers-color-scheme: light)', content: LIGHT }, injectTo: 'head' },
        { tag: 'meta', attrs: { name: 'theme-color', media: '(prefers-color-scheme: dark)', content: DARK }, injectTo: 'head' },
      ],
    },
  };
}

/** The program may be started once in a process; builds of tests come after another. */
async function startResvg(): Promise<void> {
  const program = createRequire(import.meta.url).resolve('@resvg/resvg-wasm/index_bg.wasm');
  await initWasm(readFileSync(program)).catch((error: Error) => {
    if (!/already/i.test(error.message)) throw error;
  });
}

function draw(svg: string, size: number): Uint8Array {
  return new Resvg(svg, { fitTo: { mode: 'width', value: size } }).render().asPng();
}

function withoutCorners(svg: string): string {
  const square = svg.replace(' rx="8"', '');
  if (square === svg) throw new Error('public/icon.svg has no round corners that could be removed: adapt pwa.config.ts');
  return square;
}
