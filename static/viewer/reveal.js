// Leaves the overlay off until it is asked for: where the reader wants that, and where the answer is indeterminate.

const REMEMBERED = "pleura-reveal";

export function holdBack(root, settings) {
  const choice = root.querySelector("#reveal");
  let asked = root.closest("[data-reveal]")?.dataset.reveal === "asked";
  try {
    const wanted = localStorage.getItem(REMEMBERED) === "asked";
    asked ||= wanted;
    if (choice) {
      choice.checked = wanted;
      choice.addEventListener("change", () => localStorage.setItem(REMEMBERED, choice.checked ? "asked" : "first"));
    }
  } catch {
    // Storage is barred: the choice holds until the page is left.
  }
  if (asked) settings.set({ layer: "off", hiddenLayer: root.dataset.layer });
}
