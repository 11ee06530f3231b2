// Which pixels of the film are marked: a byte for each, 1 or 0, row by row.

export class Mask {
  /** @param pixels Taken over, not copied. */
  constructor(width, height, pixels = new Uint8Array(width * height)) {
    this.width = width;
    this.height = height;
    this.pixels = pixels;
    this.fresh = this.all;  // the box outside of which nothing changed since somebody last set this to null
  }

  get all() {
    return { left: 0, top: 0, right: this.width, bottom: this.height };
  }

  get count() {
    let sum = 0;
    for (let index = 0; index < this.pixels.length; index++) sum += this.pixels[index];  // ten times as fast as `reduce`
    return sum;
  }

  /**
   * Draw a line with round ends: every pixel is set whose centre lies within the radius, and the one under its end.
   * @returns The box outside of which nothing changed.
   */
  draw(from, to, radius, value) {
    const box = this.#within({
      left: Math.min(from.x, to.x) - radius - 1,
      top: Math.min(from.y, to.y) - radius - 1,
      right: Math.max(from.x, to.x) + radius + 1,
      bottom: Math.max(from.y, to.y) + radius + 1,
    });
    for (let y = box.top; y < box.bottom; y++) {
      const [left, right] = spanOf(from, to, radius, y + 0.5);
      const first = Math.max(box.left, Math.ceil(left - 0.5));
      const last = Math.min(box.right - 1, Math.floor(right - 0.5));
      if (first <= last) this.pixels.fill(value, y * this.width + first, y * this.width + last + 1);
    }
    const [x, y] = [Math.floor(to.x), Math.floor(to.y)];
    if (x >= 0 && y >= 0 && x < this.width && y < this.height) this.pixels[y * this.width + x] = value;
    this.fresh = around(this.fresh, box);
    return box;
  }

  /** Take over another's pixels. */
  copy(pixels) {
    this.pixels.set(pixels);
    this.fresh = this.all;
  }

  #within({ left, top, right, bottom }) {
    return {
      left: Math.max(0, Math.floor(left)),
      top: Math.max(0, Math.floor(top)),
      right: Math.min(this.width, Math.ceil(right)),
      bottom: Math.min(this.height, Math.ceil(bottom)),
    };
  }
}

/** The box around two boxes; the first may be missing. */
export function around(box, other) {
  if (!box) return other;
  return {
    left: Math.min(box.left, other.left),
    top: Math.min(box.top, other.top),
    right: Math.max(box.right, other.right),
    bottom: Math.max(box.bottom, other.bottom),
  };
}

// Where a row crosses the line: it is convex, so from the leftmost to the rightmost crossing of its ends and its middle.
function spanOf(from, to, radius, y) {
  const spans = [from, to].map((end) => {
    const half = Math.sqrt(radius ** 2 - (y - end.y) ** 2);
    return Number.isNaN(half) ? [Infinity, -Infinity] : [end.x - half, end.x + half];
  });
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  if (length > 0) spans.push(middleOf(from, to, radius, y, length));
  return [Math.min(...spans.map(([left]) => left)), Math.max(...spans.map(([, right]) => right))];
}

// A row's part of the rectangle between the ends: not beyond either end, and not further than the radius from the line.
function middleOf(from, to, radius, y, length) {
  const [across, down] = [(to.x - from.x) / length, (to.y - from.y) / length];
  const height = y - from.y;
  const along = between(across, down * height, 0, length);
  const beside = between(down, -across * height, -radius, radius);
  const span = [Math.max(along[0], beside[0]) + from.x, Math.min(along[1], beside[1]) + from.x];
  return span[0] <= span[1] ? span : [Infinity, -Infinity];
}

// The x for which low ≤ factor · x + offset ≤ high.
function between(factor, offset, low, high) {
  if (factor === 0) return offset >= low && offset <= high ? [-Infinity, Infinity] : [Infinity, -Infinity];
  const ends = [(low - offset) / factor, (high - offset) / factor];
  return factor > 0 ? ends : ends.reverse();
}
