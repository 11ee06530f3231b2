// Where the film lies on its stage, by buttons and by keys: every page with one stage has these.

import { tr } from "../words.js";

/** What the buttons do, by their `data-action`. */
export function zoomActions(stage) {
  const zoom = (factor) => stage.view.zoom(stage.panes[0], factor);
  return { fit: () => stage.view.fit(stage.panes[0]), closer: () => zoom(1.25), farther: () => zoom(0.8) };
}

/** The keys of these buttons, as `addKeys` takes them. */
export function zoomKeys() {
  return [
    { key: "+", also: "=", label: tr("Zoom in"), control: "[data-action=closer]" },
    { key: "-", label: tr("Zoom out"), control: "[data-action=farther]" },
    { key: "0", label: tr("Fit"), control: "[data-action=fit]" },
  ];
}
