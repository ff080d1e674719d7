// Keys move the focus, they never sign: Enter on the focused button does. They can be turned off.
const note = document.querySelector("[data-keys-note]");
const toggle = note?.querySelector("input");
const KEPT = "smallhours-review-keys";

if (note) {
  note.hidden = false;
  toggle.checked = sessionStorage.getItem(KEPT) !== "off";
  toggle.addEventListener("change", () => sessionStorage.setItem(KEPT, toggle.checked ? "on" : "off"));
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("textarea, input:not([type=checkbox])");
  if (!toggle?.checked || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const control = [...document.querySelectorAll("[data-key]")].find(
    (one) => one.dataset.key === event.key.toLowerCase(),
  );
  if (!control) return;
  event.preventDefault();
  control.closest("details")?.setAttribute("open", "");
  control.focus();
  if ("atOnce" in control.dataset) control.click();
});
