// Draws the mask over the film, one sample for each pixel of the screen, its outline opaque; and the brush's circle.

const MARK = 0x3db6ff;  // --mark, as a canvas keeps it: blue, green, red

export class MaskPainter {
  #canvas = new OffscreenCanvas(1, 1);
  #shown = "";  // how the canvas shows the mask

  constructor(mask) {
    this.mask = mask;
  }

  /** Paint onto the stage. */
  paint(context, pane, view, { layer, opacity }) {
    if (layer === "off") return;
    const { width, height } = context.canvas;
    const place = view.transform(pane);
    const wanted = JSON.stringify([place, width, height, opacity]);
    if (wanted !== this.#shown) {
      Object.assign(this.#canvas, { width, height });
      this.#render({ left: 0, top: 0, right: width, bottom: height }, place, opacity);
    } else if (this.mask.fresh) {
      this.#render(onScreen(this.mask.fresh, place, width, height), place, opacity);
    }
    this.#shown = wanted;
    this.mask.fresh = null;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(this.#canvas, 0, 0);
  }

  // A part of the screen: a pixel beside one of the other kind belongs to the outline, the rest of the mask to the fill.
  #render(part, place, opacity) {
    const [width, height] = [part.right - part.left, part.bottom - part.top];
    if (width <= 0 || height <= 0) return;
    const samples = this.#sample(part, place);
    const picture = new ImageData(width, height);
    const colours = new Uint32Array(picture.data.buffer);
    const fill = (Math.round(2.55 * opacity) << 24) | MARK;
    const outline = (255 << 24) | MARK;
    const across = width + 2;
    for (let y = 0; y < height; y++) {
      for (let x = 0, at = (y + 1) * across + 1; x < width; x++, at++) {
        const sum = samples[at - 1] + samples[at + 1] + samples[at - across] + samples[at + across];
        if (samples[at]) colours[y * width + x] = sum === 4 ? fill : outline;
        else if (sum) colours[y * width + x] = outline;
      }
    }
    this.#canvas.getContext("2d").putImageData(picture, part.left, part.top);
  }

  // With a frame of one pixel around it, so that every sample has four neighbours.
  #sample(part, { across, down, x, y }) {
    const { mask } = this;
    const [width, height] = [part.right - part.left + 2, part.bottom - part.top + 2];
    const samples = new Uint8Array(width * height);
    const filmAt = (pixel, offset, factor) => Math.floor(((pixel - 0.5) / devicePixelRatio - offset) / factor);
    const columns = Int32Array.from({ length: width }, (_, index) => filmAt(part.left + index, x, across));
    for (let row = 0; row < height; row++) {
      const line = filmAt(part.top + row, y, down);
      if (line < 0 || line >= mask.height) continue;
      const [start, target] = [line * mask.width, row * width];
      for (let index = 0; index < width; index++) {
        const column = columns[index];
        if (column >= 0 && column < mask.width) samples[target + index] = mask.pixels[start + column];
      }
    }
    return samples;
  }
}

// Where a box of the film is on the screen, in its pixels, with its outline.
function onScreen(box, { across, down, x, y }, width, height) {
  const edges = [box.left, box.right].map((edge) => (x + across * edge) * devicePixelRatio);
  return {
    left: Math.max(0, Math.floor(Math.min(...edges)) - 2),
    top: Math.max(0, Math.floor((y + down * box.top) * devicePixelRatio) - 2),
    right: Math.min(width, Math.ceil(Math.max(...edges)) + 2),
    bottom: Math.min(height, Math.ceil((y + down * box.bottom) * devicePixelRatio) + 2),
  };
}

/** Paint a brush's circle; over a bright film as over a dark one. */
export function paintBrush(context, pane, view, point, radius, down) {
  const { x, y } = view.toStage(pane, point);
  for (const [width, colour] of [[3, "rgb(0 0 0 / 0.6)"], [1.5, down ? "#ffb63d" : "#fff"]]) {
    context.lineWidth = width;
    context.strokeStyle = colour;
    context.beginPath();
    context.arc(x, y, Math.max(2, radius * view.scale), 0, 7);
    context.stroke();
  }
  context.fillStyle = "#fff";
  context.fillRect(x - 1, y - 1, 2, 2);
}
