// The viewer of a result: its parts put together. Other scripts may import `viewer` to add tools, painters and keys.

import { MAPS, drawScale } from "./viewer/colours.js";
import { bind } from "./viewer/controls.js";
import { basicTools, listen } from "./viewer/gestures.js";
import { addKeys } from "./viewer/keys.js";
import { keysOfViewer } from "./viewer/key_table.js";
import { Maps, MarkedArea, drawSides } from "./viewer/marks.js";
import { Ruler } from "./viewer/ruler.js";
import { Settings } from "./viewer/settings.js";
import { Stage } from "./viewer/stage.js";
import { keysOfStage } from "./viewer/stage_keys.js";

const root = document.querySelector("#viewer");
const image = root.querySelector(".film img");
const facts = JSON.parse(root.dataset.film);  // width, height, pixel_spacing_mm, image_left, states_side

const settings = new Settings({ layer: root.dataset.layer });
holdBack();
const stage = new Stage(root.querySelector(".stage"), facts, settings);
const tools = basicTools(stage);

/** Leave the overlay off until it is asked for: where the reader wants that, and where the answer is indeterminate. */
function holdBack() {
  const REMEMBERED = "pleura-reveal";
  const choice = root.querySelector("#reveal");
  let asked = root.closest("[data-reveal]")?.dataset.reveal === "asked";
  try {
    const wanted = localStorage.getItem(REMEMBERED) === "asked";
    asked ||= wanted;
    if (choice) {
      choice.checked = wanted;
      choice.addEventListener("change", () => localStorage.setItem(REMEMBERED, choice.checked ? "asked" : "first"));
    }
  } catch {
    // Storage is barred: the choice holds until the page is left.
  }
  if (asked) settings.set({ layer: "off", hiddenLayer: root.dataset.layer });
}

/** Say a sentence to those who do not see the stage. */
function announce(sentence) {
  root.querySelector("#said").textContent = sentence;
}

function paintMarks() {
  for (const contour of root.querySelectorAll(".contour")) {
    const area = new MarkedArea(contour);
    stage.painters.push((...place) => area.draw(...place));
  }
  if (root.dataset.probability) {
    const maps = new Maps({ probability: root.dataset.probability, uncertainty: root.dataset.uncertainty },
      () => stage.redraw());
    stage.painters.push((...place) => maps.draw(...place));
  }
  if (facts.states_side) stage.fixtures.push(drawSides(facts.image_left));
  for (const canvas of root.querySelectorAll("canvas[data-map]")) drawScale(canvas, MAPS[canvas.dataset.map]);
}

const actions = {
  fit: () => stage.view.fit(stage.panes[0]),
  actual: () => stage.view.zoom(stage.panes[0], 1 / devicePixelRatio / stage.view.scale),
  closer: () => stage.view.zoom(stage.panes[0], 1.25),
  farther: () => stage.view.zoom(stage.panes[0], 0.8),
  reset() {
    settings.reset();
    tools.ruler?.clear();
    actions.fit();
  },
  clear: () => tools.ruler.clear(),
  full: () => (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen()),
};

function wireActions() {
  for (const [name, act] of Object.entries(actions)) {
    root.querySelector(`[data-action=${name}]`)?.addEventListener("click", () => {
      act();
      stage.redraw();
    });
  }
  const full = root.querySelector("[data-action=full]");
  full.hidden = !document.fullscreenEnabled;
  document.addEventListener("fullscreenchange", () => full.setAttribute("aria-pressed", !!document.fullscreenElement));
}

function tell() {
  const { window, level } = settings.now;
  const percent = Math.round(100 * stage.view.scale * devicePixelRatio);
  root.querySelector("#zoom").textContent = `${percent} %`;
  root.querySelector("#windowing").textContent = `W ${Math.round(window)} L ${Math.round(level)}`;
}

document.documentElement.classList.add("scripting");
if (facts.pixel_spacing_mm) tools.ruler = new Ruler(stage, facts.pixel_spacing_mm, announce);
paintMarks();
bind(root, settings);
wireActions();
listen(stage, tools);
keysOfViewer({ settings, tools });
keysOfStage({ stage, settings, tools });
stage.element.addEventListener("drawn", tell);
stage.element.addEventListener("drawn", () => root.classList.add("drawn"), { once: true });

export const viewer = { root, stage, settings, tools, addKeys, announce, ready: stage.show(image) };
