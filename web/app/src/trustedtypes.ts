// The page's one Trusted Types policy. Text never becomes a script or markup; the addresses of workers may, if they are ours.

interface Policies {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): unknown;
}

const policies = (window as { trustedTypes?: Policies }).trustedTypes;

policies?.createPolicy('default', {
  createScriptURL(url) {
    if (new URL(url, location.href).origin === location.origin) return url;
    throw new TypeError('A script of another origin was refused.');
  },
});
