// What the browser tells of its network and of the page: reasons to try at once.

/**
 * @param {EventTarget} hurry gets a `hurry` event when it is worth trying at once
 * @param {() => void} lost called when the browser says that there is no network
 * @returns {() => void} ends it
 */
export function watchBrowser(hurry, lost) {
  const { document } = globalThis;
  const now = () => hurry.dispatchEvent(new Event('hurry'));
  const seen = () => document.visibilityState === 'visible' && now();
  globalThis.addEventListener?.('online', now);
  globalThis.addEventListener?.('offline', lost);
  document?.addEventListener('visibilitychange', seen);
  return () => {
    globalThis.removeEventListener?.('online', now);
    globalThis.removeEventListener?.('offline', lost);
    document?.removeEventListener('visibilitychange', seen);
  };
}
