// The service worker: the page and the helplines for a night without a network.
// It keeps files of this page only. What is written and answered goes past it, always.

const CACHE = "smallhours-{{ version }}";
const PAGE = "./";
const KEPT = [PAGE, "manifest.webmanifest", ...{{ kept|tojson }}];
/** On one bar of signal a cached page now is better than a fresh one in a minute. */
const PATIENCE_MS = 4000;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(KEPT)));
});

self.addEventListener("activate", (event) => {
  const old = (name) => name.startsWith("smallhours-") && name !== CACHE;
  event.waitUntil(caches.keys()
    .then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name))))
    .then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const here = new URL(PAGE, self.registration.scope).pathname;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate" && pathname === here) event.respondWith(freshest(request));
  else if (pathname.startsWith(`${here}static/`)) event.respondWith(kept(request));
});

async function kept(request) {
  return (await caches.match(request, { ignoreVary: true })) ?? fetch(request);
}

/** The page from the server if it comes in time, else the last one kept: in the language last chosen. */
async function freshest(request) {
  const fetched = fetch(request).then(async (response) => {
    if (response.ok) await (await caches.open(CACHE)).put(PAGE, response.clone());
    return response;
  });
  const waited = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
  try {
    const response = await Promise.race([fetched, waited]);
    if (response?.status < 500) return response;
  } catch {
    // No network: see below.
  }
  return (await caches.match(PAGE, { ignoreVary: true })) ?? fetched;
}
