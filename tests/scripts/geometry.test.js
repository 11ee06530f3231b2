import assert from "node:assert/strict";
import { test } from "node:test";
import { View, paneAt, panesOf } from "../../static/viewer/geometry.js";

const FILM = { width: 2000, height: 2500 };
const PANE = { x: 10, y: 20, width: 800, height: 600 };

const near = (found, wanted) => {
  assert.ok(Math.abs(found.x - wanted.x) < 1e-6 && Math.abs(found.y - wanted.y) < 1e-6, JSON.stringify({ found, wanted }));
};

test("a film fits its pane in true proportions, in the middle", () => {
  const view = new View(FILM);
  view.fit(PANE);
  assert.equal(view.scale, 600 / 2500);
  near(view.toStage(PANE, { x: 1000, y: 1250 }), { x: 410, y: 320 });
  near(view.toStage(PANE, { x: 0, y: 0 }), { x: 410 - 240, y: 20 });
});

test("stage and film are each other's inverse, mirrored or not", () => {
  for (const mirrored of [false, true]) {
    const view = new View(FILM);
    view.fit(PANE);
    view.mirrored = mirrored;
    view.zoom(PANE, 3, { x: 300, y: 200 });
    near(view.toFilm(PANE, view.toStage(PANE, { x: 123, y: 456 })), { x: 123, y: 456 });
  }
});

test("zooming keeps the point under the pointer where it is", () => {
  for (const mirrored of [false, true]) {
    const view = new View(FILM);
    view.fit(PANE);
    view.mirrored = mirrored;
    const place = { x: 333, y: 222 };
    const held = view.toFilm(PANE, place);
    view.zoom(PANE, 2.5, place);
    near(view.toFilm(PANE, place), held);
  }
});

test("zoom has limits", () => {
  const view = new View(FILM);
  view.fit(PANE);
  view.zoom(PANE, 1e6);
  assert.equal(view.scale, 16);
  view.zoom(PANE, 1e-9);
  assert.equal(view.scale, 0.5 * view.fitting(PANE));
});

test("panning moves the film with the pointer, mirrored or not, and not out of sight", () => {
  for (const mirrored of [false, true]) {
    const view = new View(FILM);
    view.fit(PANE);
    view.mirrored = mirrored;
    view.zoom(PANE, 4);
    const held = view.toFilm(PANE, { x: 400, y: 300 });
    view.pan(30, -12);
    near(view.toStage(PANE, held), { x: 430, y: 288 });
    view.pan(1e9, 1e9);
    assert.ok(view.centre.x >= 0 && view.centre.x <= FILM.width && view.centre.y >= 0 && view.centre.y <= FILM.height);
  }
});

test("one view follows another to the same part of a film of another size", () => {
  const [view, other] = [new View(FILM), new View({ width: 1000, height: 1000 })];
  view.fit(PANE);
  view.zoom(PANE, 4, { x: 300, y: 100 });
  other.follow(view, PANE, PANE);
  assert.ok(Math.abs(other.centre.x / 1000 - view.centre.x / 2000) < 1e-9);
  assert.ok(Math.abs(other.scale / other.fitting(PANE) - view.scale / view.fitting(PANE)) < 1e-9);
});

test("two panes share the stage along its longer side", () => {
  for (const [stage, along] of [[{ width: 1000, height: 600 }, "width"], [{ width: 400, height: 900 }, "height"]]) {
    const panes = panesOf(stage, "side");
    assert.deepEqual(panes.map(({ marked }) => marked), [false, true]);
    assert.equal(panes[0][along] + panes[1][along] + 2, stage[along]);
    assert.equal(paneAt(panes, { x: 1, y: 1 }), panes[0]);
    assert.equal(paneAt(panes, { x: stage.width - 1, y: stage.height - 1 }), panes[1]);
  }
  assert.equal(panesOf({ width: 10, height: 10 }, "off").length, 1);
});
