/** A tab that stays open for days would not hear of a new version by itself: browsers look when a page is loaded. */
const LOOK_EVERY_MS = 60 * 60 * 1000;
/** Changing between windows is no reason to ask each time. */
const LOOK_AT_MOST_EVERY_MS = 5 * 60 * 1000;

/** Looks for a new version every hour, and when somebody comes back to the page. It goes on as long as the page is there. */
export function lookForUpdates(registration: ServiceWorkerRegistration): void {
  let last = Date.now();
  const look = () => {
    if (!navigator.onLine || Date.now() - last < LOOK_AT_MOST_EVERY_MS) return;
    last = Date.now();
    registration.update().catch(() => undefined); // not reached: the next time will do
  };
  setInterval(look, LOOK_EVERY_MS);
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && look());
}
