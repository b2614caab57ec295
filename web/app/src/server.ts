/**
 * The server's origin that a static host has written into index.html (README.md); undefined where the server itself serves
 * the page.
 */
export function configuredServer(): string | undefined {
  const content = document.querySelector<HTMLMetaElement>('meta[name="letterlock-server"]')?.content.trim();
  if (!content) return undefined;
  return new URL(content).origin;
}
