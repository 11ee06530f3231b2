// A map of the server's: its values, its colours over the film, and where it is strongest, in words.

import { tr } from "../words.js";

const UNTRIED = -128;

// ColorBrewer's YlGnBu, dark to light, and Okabe and Ito's orange and blue: told apart by colour-blind people, and from
// the colours of the probability map, which means something else.
const RISING = ["081d58", "253494", "225ea8", "1d91c0", "41b6c4", "7fcdbb", "c7e9b4", "edf8b1", "ffffd9"].map(rgb);
const AGAINST = rgb("56b4e9"), FOR = rgb("ff9d1c");
const VEIL = [0, 0, 0, 0.55];
const OPAQUE_FROM = 0.6;  // the film shows through where there is little

/** Take a map out of its parcel: values from -1 to 1 of its peak, NaN where nothing is known. */
export function unpacked({ side, peak, levels }) {
  const bytes = Int8Array.from(atob(levels), (character) => (character.charCodeAt(0) << 24) >> 24);
  return { side, peak, values: Float32Array.from(bytes, (level) => (level === UNTRIED ? NaN : level / 127)) };
}

/** Red, green, blue, 0 to 255, and alpha, 0 to 1, of a value from 0 to 1. */
export function sequential(value) {
  const position = value * (RISING.length - 1);
  const before = Math.min(RISING.length - 2, Math.floor(position));
  const colour = RISING[before].map((channel, i) => channel + (RISING[before + 1][i] - channel) * (position - before));
  return [...colour, Math.min(1, value / OPAQUE_FROM)];
}

/** The same of a value from -1 to 1. */
export function diverging(value) {
  return [...(value < 0 ? AGAINST : FOR), Math.abs(value)];
}

/** Draw a map on a canvas, a pixel a cell; what is not known yet is veiled. A smaller peak makes it fainter. */
export function paint(canvas, map, colourOf, peak = map.peak) {
  canvas.width = canvas.height = map.side;
  const picture = new ImageData(map.side, map.side);
  map.values.forEach((value, cell) => {
    const colour = Number.isNaN(value) ? VEIL : colourOf(peak ? (value * map.peak) / peak : 0);
    picture.data.set([...colour.slice(0, 3), 255 * colour[3]], 4 * cell);
  });
  canvas.getContext("2d").putImageData(picture, 0, 0);
}

/** Draw a scale over black, as over the darkest film. */
export function paintScale(canvas, colourOf, lowest) {
  const context = canvas.getContext("2d");
  context.fillStyle = "#000";
  context.fillRect(0, 0, canvas.width, canvas.height);
  for (let x = 0; x < canvas.width; x++) {
    const [red, green, blue, alpha] = colourOf(lowest + ((1 - lowest) * x) / (canvas.width - 1));
    context.fillStyle = `rgb(${red} ${green} ${blue} / ${alpha})`;
    context.fillRect(x, 0, 1, canvas.height);
  }
}

/** The largest of a map's values times a sign: how large, and where in the picture as it is displayed. */
export function strongest(map, sign, mirrored) {
  let cell = -1, value = 0;
  map.values.forEach((candidate, index) => {
    if (sign * candidate > value) [cell, value] = [index, sign * candidate];
  });
  return cell < 0 ? null : { value: value * map.peak, place: placeName(ninthOf(cell, map.side), mirrored) };
}

/** The ninth of the picture that holds most of a map's values of one sign, as it is displayed; null without any. */
export function heaviest(map, sign, mirrored) {
  const sums = new Float64Array(9);
  map.values.forEach((value, cell) => {
    if (sign * value > 0) sums[ninthOf(cell, map.side)] += sign * value;
  });
  const most = Math.max(...sums);
  return most > 0 ? placeName(sums.indexOf(most), mirrored) : null;
}

function ninthOf(cell, side) {
  const third = (index) => Math.floor((3 * (index + 0.5)) / side);
  return 3 * third(Math.floor(cell / side)) + third(cell % side);
}

function placeName(ninth, mirrored) {
  const column = mirrored ? 2 - (ninth % 3) : ninth % 3;
  return [
    [tr("upper left"), tr("upper centre"), tr("upper right")],
    [tr("middle left"), tr("centre"), tr("middle right")],
    [tr("lower left"), tr("lower centre"), tr("lower right")],
  ][Math.floor(ninth / 3)][column];
}

function rgb(hex) {
  return [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16));
}
