// Night or day, size of text, movement: set before the first paint, so that nothing flashes. Not a module:
// modules wait for the page. js/settings.js writes what is read here.
try {
  Object.assign(document.documentElement.dataset, JSON.parse(localStorage.getItem("smallhours-look") ?? "{}"));
} catch {
  // Storage is switched off or holds something else: the device's own settings then.
}
