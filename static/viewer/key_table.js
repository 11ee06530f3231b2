// Which key of the result's page does what.

import { fade, hideOrShow, next } from "./controls.js";
import { addKeys } from "./keys.js";

/** Keys that work wherever the focus is. */
export function keysOfViewer({ settings, tools }) {
  addKeys("Film", [
    { key: "+", also: "=", label: "Zoom in", control: "[data-action=closer]" },
    { key: "-", label: "Zoom out", control: "[data-action=farther]" },
    { key: "0", label: "Fit", control: "[data-action=fit]" },
    { key: "1", label: "One film pixel to one of the screen", control: "[data-action=actual]" },
    { key: "i", label: "Invert", control: "[data-setting=invert]" },
    { key: "m", label: "Mirror, to check the sides", control: "[data-setting=mirror]" },
    { key: "f", label: "Full screen", control: "[data-action=full]" },
    { key: "x", label: "Reset the display", control: "[data-action=reset]" },
  ]);
  addKeys("What a drag does", [
    { key: "v", label: "Move", control: "[data-setting=tool][value=move]" },
    { key: "w", label: "Window and level", control: "[data-setting=tool][value=window]" },
    { key: "r", label: "Ruler", control: "[data-setting=tool][value=ruler]" },
    ...(tools.ruler ? [{ key: "Delete", label: "Clear the distances", control: "[data-action=clear]" }] : []),
  ]);
  addKeys("Overlay", [
    { key: "h", label: "Hide or show", needs: "[data-setting=layer]", run: () => hideOrShow(settings) },
    { key: "a", label: "Marked area", control: "[data-setting=layer][value=area]" },
    { key: "o", label: "The model’s area", control: "[data-setting=layer][value=model]" },
    { key: "p", label: "Probability map", control: "[data-setting=layer][value=probability]" },
    { key: "u", label: "Uncertainty map", control: "[data-setting=layer][value=uncertainty]" },
    { key: "s", label: "Style: fill, contour, pattern", needs: "[data-setting=style]",
      run: () => next(settings, "style", ["fill", "contour", "pattern"]) },
    { key: "[", label: "Fainter", needs: "[data-setting=opacity]", run: () => fade(settings, -1) },
    { key: "]", label: "Stronger", needs: "[data-setting=opacity]", run: () => fade(settings, 1) },
    { key: "c", label: "Compare: side by side, swipe, off", needs: "[data-setting=compare]",
      run: () => next(settings, "compare", ["off", "side", "swipe"]) },
  ]);
  addKeys("What you say", [
    { key: "y", label: "The answer is right", control: ".feedback button[value=right]" },
    { key: "n", label: "The answer is wrong", control: ".feedback button[value=wrong]" },
    { key: "e", label: "No pneumothorax here", control: ".feedback button[name=nothing]" },
  ]);
  addKeys("Help", [{ key: "?", label: "This sheet", control: "[data-action=keys]" }]);
}
