// The system's own notifications, while this page is open.

export function canNotify(): boolean {
  return 'Notification' in window;
}

export async function askToNotify(): Promise<boolean> {
  return canNotify() && (await Notification.requestPermission()) === 'granted';
}

/** Shows a notification. Another one with the same tag takes its place. */
export async function showNotification(title: string, tag: string, onClick: () => void): Promise<void> {
  if (!canNotify() || Notification.permission !== 'granted') return;
  try {
    const notification = new Notification(title, { tag, icon: '/icon.svg' });
    notification.onclick = () => {
      window.focus();
      onClick();
      notification.close();
    };
  } catch {
    // Browsers on phones show them only through a service worker.
    const registration = await navigator.serviceWorker?.getRegistration();
    await registration?.showNotification(title, { tag, icon: '/icon.svg' });
  }
}
