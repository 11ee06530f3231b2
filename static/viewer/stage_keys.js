// The keys that a film answers while it has the focus.

import { shiftWindow } from "./gestures.js";

const PAN_STEP = 48;  // CSS pixels
const CROSS_STEP = 8;
const WINDOW_STEP = 4;  // percent

/** The way that each arrow key points. */
export const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Let a stage answer keys; with the ruler they move its cross. */
export function keysOfStage({ stage, settings, tools }) {
  stage.element.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const measures = settings.now.tool === "ruler" && tools.ruler;
    if (event.key in ARROWS) step(ARROWS[event.key], event.shiftKey, measures);
    else if (measures && event.key === "Enter") tools.ruler.place();
    else if (measures && event.key === "Escape") tools.ruler.cancel();
    else return;
    event.preventDefault();
  });

  function step([x, y], shift, measures) {
    if (shift) shiftWindow(settings, WINDOW_STEP * x, WINDOW_STEP * y);
    else if (measures) tools.ruler.step(CROSS_STEP * x, CROSS_STEP * y);
    else stage.view.pan(-PAN_STEP * x, -PAN_STEP * y);
    stage.redraw();
  }
}
