// Leaves the overlay off until it is asked for: where the reader wants that, and where the answer is indeterminate.

import { inBrowser } from "../stored.js";

const KEY = "pleura-reveal";

/** Begin without the overlay, and go back to that by a reset. */
export function holdBack(root, settings) {
  const { layer } = settings.initial;
  const isAsked = root.closest("[data-reveal]")?.dataset.reveal === "asked";
  const hold = (isWanted) => {
    Object.assign(settings.initial, isAsked || isWanted ? { layer: "off", hiddenLayer: layer } : { layer });
  };
  const choice = root.querySelector("#reveal");
  const isWanted = inBrowser.get(KEY) === "asked";
  if (choice) {
    choice.checked = isWanted;
    choice.addEventListener("change", () => {
      inBrowser.set(KEY, choice.checked ? "asked" : "first");
      hold(choice.checked);
    });
  }
  hold(isWanted);
  settings.reset();
}
