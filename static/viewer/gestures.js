// Mouse, pen, trackpad and fingers on the stage.

import { paneAt } from "./geometry.js";
import { clamp } from "./settings.js";

const NEAR = 16;  // CSS pixels
const PER_PIXEL = 0.25;  // percent of window or level for each pixel of a drag
const TOOL_OF_BUTTON = { 1: "move", 2: "window" };

/**
 * Let pointers act on a stage.
 * @param tools By name: {down, move, up, cancel}, each optional; they get {place, pane, dx, dy}.
 */
export function listen(stage, tools) {
  const { element, settings } = stage;
  const pointers = new Map();
  let drag = null;

  const begin = (event, name) => {
    const place = stage.placeOf(event);
    drag = { tool: tools[name], pane: paneAt(stage.panes, place), place };
    drag.tool.down?.({ place, pane: drag.pane, dx: 0, dy: 0 });
  };
  const finish = (how) => {
    drag?.tool[how]?.({ place: drag.place, pane: drag.pane, dx: 0, dy: 0 });
    drag = null;
  };

  element.addEventListener("pointerdown", (event) => {
    element.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, stage.placeOf(event));
    if (pointers.size > 1) return finish("cancel");
    begin(event, toolFor(event, stage));
  });
  element.addEventListener("pointermove", (event) => {
    if (!pointers.has(event.pointerId)) return;
    const place = stage.placeOf(event);
    if (pointers.size === 2) pinch(stage, pointers, event.pointerId, place);
    else if (drag) {
      const [dx, dy] = [place.x - drag.place.x, place.y - drag.place.y];
      drag.place = place;
      drag.tool.move?.({ place, pane: drag.pane, dx, dy });
    }
    pointers.set(event.pointerId, place);
  });
  for (const [type, how] of [["pointerup", "up"], ["pointercancel", "cancel"]]) {
    element.addEventListener(type, (event) => {
      pointers.delete(event.pointerId);
      finish(how);
    });
  }
  element.addEventListener("wheel", (event) => {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const speed = event.ctrlKey ? 0.01 : 0.0016;  // a trackpad's pinch comes as a wheel with Ctrl
    const place = stage.placeOf(event);
    stage.view.zoom(paneAt(stage.panes, place), Math.exp(-event.deltaY * lines * speed), place);
    stage.redraw();
  }, { passive: false });
  element.addEventListener("contextmenu", (event) => event.preventDefault());
  element.addEventListener("dblclick", (event) => {
    if (settings.now.tool === "move") fitOrEnlarge(stage, stage.placeOf(event));
  });
  // A finger on a film that fits scrolls the page; two fingers always enlarge.
  element.addEventListener("drawn", () => {
    element.style.touchAction = stage.view.fitted && settings.now.tool === "move" ? "pan-y" : "none";
  });
}

function toolFor(event, stage) {
  if (event.button in TOOL_OF_BUTTON) return TOOL_OF_BUTTON[event.button];
  if (stage.divider !== null && Math.abs(stage.placeOf(event).x - stage.divider) < NEAR) return "divider";
  return event.shiftKey ? "window" : stage.settings.now.tool;
}

function pinch(stage, pointers, moved, place) {
  const still = [...pointers].find(([id]) => id !== moved)[1];
  const before = pointers.get(moved);
  const apart = (point) => Math.max(1, Math.hypot(point.x - still.x, point.y - still.y));
  const middle = { x: (place.x + still.x) / 2, y: (place.y + still.y) / 2 };
  stage.view.pan((place.x - before.x) / 2, (place.y - before.y) / 2);
  stage.view.zoom(paneAt(stage.panes, middle), apart(place) / apart(before), middle);
  stage.redraw();
}

function fitOrEnlarge(stage, place) {
  const pane = paneAt(stage.panes, place);
  if (stage.view.fitted) stage.view.zoom(pane, 1 / devicePixelRatio / stage.view.scale, place);
  else stage.view.fit(pane);
  stage.redraw();
}

/** What drags do: move the film, its window and level, or the divider. */
export function basicTools(stage) {
  const { settings } = stage;
  return {
    move: {
      move({ dx, dy }) {
        stage.view.pan(dx, dy);
        stage.redraw();
      },
    },
    window: {
      move: ({ dx, dy }) => shiftWindow(settings, PER_PIXEL * dx, PER_PIXEL * dy),
    },
    divider: {
      move: ({ place }) => settings.set({ swipe: clamp((100 * place.x) / stage.element.clientWidth, 0, 100) }),
    },
  };
}

/** Widen the window and raise the level, in percent; a higher level is a darker film. */
export function shiftWindow(settings, wider, higher) {
  const { window, level } = settings.now;
  settings.set({ window: clamp(window + wider, 2, 200), level: clamp(level + higher, 0, 100) });
}
