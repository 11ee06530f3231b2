// Which key of the result's page does what.

import { fade, hideOrShow, next } from "./controls.js";
import { addKeys } from "./keys.js";
import { zoomKeys } from "./zoom.js";
import { tr } from "../words.js";

/** Keys that work wherever the focus is. */
export function keysOfViewer({ settings, tools }) {
  addKeys(tr("Film"), [
    ...zoomKeys(),
    { key: "1", label: tr("One film pixel to one of the screen"), control: "[data-action=actual]" },
    { key: "i", label: tr("Invert"), control: "[data-setting=invert]" },
    { key: "m", label: tr("Mirror, to check the sides"), control: "[data-setting=mirror]" },
    { key: "f", label: tr("Full screen"), control: "[data-action=full]" },
    { key: "x", label: tr("Reset the display"), control: "[data-action=reset]" },
  ]);
  addKeys(tr("What a drag does"), [
    { key: "v", label: tr("Move"), control: "[data-setting=tool][value=move]" },
    { key: "w", label: tr("Window and level"), control: "[data-setting=tool][value=window]" },
    { key: "r", label: tr("Ruler"), control: "[data-setting=tool][value=ruler]" },
    ...(tools.ruler ? [{ key: "Delete", label: tr("Clear the distances"), control: "[data-action=clear]" }] : []),
  ]);
  addKeys(tr("Overlay"), [
    { key: "h", label: tr("Hide or show"), needs: "[data-setting=layer]", run: () => hideOrShow(settings) },
    { key: "a", label: tr("Marked area"), control: "[data-setting=layer][value=area]" },
    { key: "o", label: tr("The model’s area"), control: "[data-setting=layer][value=model]" },
    { key: "p", label: tr("Probability map"), control: "[data-setting=layer][value=probability]" },
    { key: "u", label: tr("Uncertainty map"), control: "[data-setting=layer][value=uncertainty]" },
    { key: "s", label: tr("Style: fill, contour, pattern"), needs: "[data-setting=style]",
      run: () => next(settings, "style", ["fill", "contour", "pattern"]) },
    { key: "[", label: tr("Fainter"), needs: "[data-setting=opacity]", run: () => fade(settings, -1) },
    { key: "]", label: tr("Stronger"), needs: "[data-setting=opacity]", run: () => fade(settings, 1) },
    { key: "c", label: tr("Compare: side by side, swipe, off"), needs: "[data-setting=compare]",
      run: () => next(settings, "compare", ["off", "side", "swipe"]) },
  ]);
  addKeys(tr("What you say"), [
    { key: "y", label: tr("The answer is right"), control: ".feedback button[value=right]" },
    { key: "n", label: tr("The answer is wrong"), control: ".feedback button[value=wrong]" },
    { key: "e", label: tr("No pneumothorax here"), control: ".feedback button[name=nothing]" },
  ]);
  addKeys(tr("Help"), [{ key: "?", label: tr("This sheet"), control: "[data-action=keys]" }]);
}
