import assert from "node:assert/strict";
import { test } from "node:test";
import { Mask, around } from "../../static/correct/mask.js";

const rows = (mask) =>
  Array.from({ length: mask.height }, (_, y) => mask.pixels.slice(y * mask.width, (y + 1) * mask.width).join(""));

test("a dot marks the pixels whose centres lie within the radius", () => {
  const mask = new Mask(5, 5);
  mask.draw({ x: 2.5, y: 2.5 }, { x: 2.5, y: 2.5 }, 1, 1);
  assert.deepEqual(rows(mask), ["00000", "00100", "01110", "00100", "00000"]);
  assert.equal(mask.count, 5);
});

test("the smallest brush marks the pixel under it", () => {
  const mask = new Mask(3, 3);
  mask.draw({ x: 0.1, y: 0.1 }, { x: 0.1, y: 0.1 }, 0.1, 1);
  assert.deepEqual(rows(mask), ["100", "000", "000"]);
});

test("a line has no gap, in any direction", () => {
  for (const to of [{ x: 19, y: 1 }, { x: 1, y: 19 }, { x: 19, y: 19 }, { x: 19, y: 7 }]) {
    const mask = new Mask(20, 20);
    mask.draw({ x: 1, y: 1 }, to, 1.2, 1);
    const longest = Math.max(to.x - 1, to.y - 1);
    for (let step = 0; step <= longest; step++) {
      const x = Math.floor(1 + ((to.x - 1) * step) / longest);
      const y = Math.floor(1 + ((to.y - 1) * step) / longest);
      assert.equal(mask.pixels[y * 20 + x], 1, `(${x}, ${y}) towards (${to.x}, ${to.y})`);
    }
  }
});

test("a line agrees with the distance of each pixel's centre from it", () => {
  const [from, to, radius] = [{ x: 3.2, y: 4.7 }, { x: 21.4, y: 12.3 }, 3.3];
  const mask = new Mask(30, 20);
  mask.draw(from, to, radius, 1);
  for (let y = 0; y < 20; y++) {
    for (let x = 0; x < 30; x++) {
      const [across, down] = [to.x - from.x, to.y - from.y];
      const along = ((x + 0.5 - from.x) * across + (y + 0.5 - from.y) * down) / (across ** 2 + down ** 2);
      const place = Math.min(1, Math.max(0, along));
      const distance = Math.hypot(from.x + place * across - x - 0.5, from.y + place * down - y - 0.5);
      if (Math.abs(distance - radius) > 1e-9) assert.equal(mask.pixels[y * 30 + x], Number(distance < radius), `${x}, ${y}`);
    }
  }
});

test("nothing changes outside the box that is told, nor outside the film", () => {
  const mask = new Mask(10, 10);
  const box = mask.draw({ x: -4, y: 5 }, { x: 3, y: 5 }, 2, 1);
  assert.equal(box.left, 0);
  mask.pixels.forEach((value, index) => {
    const [x, y] = [index % 10, Math.floor(index / 10)];
    if (value) assert.ok(x >= box.left && x < box.right && y >= box.top && y < box.bottom);
  });
  const untouched = mask.count;
  mask.draw({ x: 50, y: 50 }, { x: 60, y: 60 }, 2, 1);
  assert.equal(mask.count, untouched);
});

test("drawing with 0 rubs out", () => {
  const mask = new Mask(8, 8, new Uint8Array(64).fill(1));
  mask.draw({ x: 4, y: 4 }, { x: 4, y: 4 }, 20, 0);
  assert.equal(mask.count, 0);
});

test("the box around two boxes holds both", () => {
  const [one, other] = [{ left: 1, top: 5, right: 3, bottom: 9 }, { left: 2, top: 0, right: 8, bottom: 6 }];
  assert.deepEqual(around(one, other), { left: 1, top: 0, right: 8, bottom: 9 });
  assert.deepEqual(around(null, other), other);
});
