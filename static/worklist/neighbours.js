// From a result to the next one of the worklist: by letters, or by the arrow keys where nothing else wants them.

import { addKeys } from "../viewer/keys.js";

const link = (rel) => `.neighbours a[rel=${rel}]`;
const ARROWS = { ArrowRight: link("next"), ArrowLeft: link("prev") };

addKeys("Worklist", [
  { key: "j", label: "Next film", control: link("next") },
  { key: "k", label: "Previous film", control: link("prev") },
]);

document.addEventListener("keydown", (event) => {
  if (!(event.key in ARROWS) || event.target !== document.body) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  document.querySelector(ARROWS[event.key])?.click();
});
