// Asks the browser not to throw the keys away when it runs out of room. It may say no: nothing depends on it.

export async function persist() {
  try {
    await globalThis.navigator?.storage?.persist?.();
  } catch {
    // A browser without it keeps what it keeps.
  }
}
