// The small multiples of the feature maps: each a radio button with a picture, so that the arrow keys walk them.

import { diverging, paint } from "./maps.js";
import { logits } from "./words.js";
import { tr } from "../words.js";

const WIDTH = 112;

/** Fill a fieldset with the maps, all on the scale of the largest, over the film. */
export async function fillFeatures(fieldset, maps, image, onChange) {
  const largest = Math.max(...maps.map((map) => map.peak));
  const canvases = maps.map((map, index) => {
    const label = document.createElement("label");
    const input = Object.assign(document.createElement("input"), { type: "radio", name: "why-feature", value: index });
    input.checked = index === 0;
    input.addEventListener("change", onChange);
    const canvas = document.createElement("canvas");
    canvas.setAttribute("aria-hidden", "true");
    const figure = Object.assign(document.createElement("span"), { textContent: logits(map.contribution, true) });
    const name = Object.assign(document.createElement("span"), { className: "unseen", textContent: `${tr("Channel {number}", { number: map.channel })}, ` });
    label.append(input, canvas, name, figure);
    fieldset.append(label);
    return canvas;
  });
  await image.decode();
  canvases.forEach((canvas, index) => drawSmall(canvas, maps[index], image, largest));
}

function drawSmall(canvas, map, image, largest) {
  canvas.width = WIDTH;
  canvas.height = Math.round((WIDTH * image.naturalHeight) / image.naturalWidth);
  const cells = document.createElement("canvas");
  paint(cells, map, diverging, largest);
  const context = canvas.getContext("2d");
  context.globalAlpha = 0.6;
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  context.globalAlpha = 1;
  context.imageSmoothingEnabled = false;
  context.drawImage(cells, 0, 0, canvas.width, canvas.height);
}
