// Colours of the maps. Both scales are perceptually uniform and read by colour-blind people (matplotlib's plasma and
// viridis, CC0), sixteen steps of each.

export const MAPS = {
  probability: {
    stops: "0d08873305975002a26a00a88405a79c179eb12a90c33d80d35171e16462ed7953f68f44fca636fec029f9dc24f0f921",
    largest: 1,
    opaqueFrom: 0.15,
  },
  uncertainty: {
    stops: "440154481a6c472f7d41448739568c31688e2a788e23888e1f988b22a88435b77954c5687ad151a5db36d2e21bfde725",
    largest: 0.5,  // two answers differ by 1 at most, so each lies 0.5 from their mean
    opaqueFrom: 0.075,
  },
};

const STEPS = 15;

/** Red, green, blue and alpha, 0 to 255 each, for every grey level of a map's picture. */
export function tableOf({ stops, largest, opaqueFrom }) {
  const table = new Uint8ClampedArray(256 * 4);
  for (let grey = 0; grey < 256; grey++) {
    const value = grey / 255;
    const position = Math.min(1, value / largest) * STEPS;
    const before = Math.min(STEPS - 1, Math.floor(position));
    for (let channel = 0; channel < 3; channel++) {
      const at = (stop) => parseInt(stops.substr(6 * stop + 2 * channel, 2), 16);
      table[4 * grey + channel] = at(before) + (at(before + 1) - at(before)) * (position - before);
    }
    table[4 * grey + 3] = 255 * Math.min(1, value / opaqueFrom);
  }
  return table;
}

/** Colour a map's picture: a canvas of its size. */
export function coloured(image, map) {
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  const table = tableOf(map);
  for (let index = 0; index < pixels.data.length; index += 4) {
    const grey = 4 * pixels.data[index];
    pixels.data.set(table.subarray(grey, grey + 4), index);
  }
  context.putImageData(pixels, 0, 0);
  return canvas;
}

/** Draw a map's scale, from 0 to its largest value, over black as over the darkest film. */
export function drawScale(canvas, map) {
  const context = canvas.getContext("2d");
  const table = tableOf(map);
  context.fillStyle = "#000";
  context.fillRect(0, 0, canvas.width, canvas.height);
  for (let x = 0; x < canvas.width; x++) {
    const [red, green, blue, alpha] = table.subarray(4 * Math.round((255 * map.largest * x) / (canvas.width - 1)));
    context.fillStyle = `rgb(${red} ${green} ${blue} / ${alpha / 255})`;
    context.fillRect(x, 0, 1, canvas.height);
  }
}
