// The viewer of a result: its parts put together. Other scripts may import `viewer` to add tools, painters and keys.

import { onEachPage } from "./pages.js";
import { MAPS, drawScale } from "./viewer/colours.js";
import { bind } from "./viewer/controls.js";
import { basicTools, listen } from "./viewer/gestures.js";
import { addKeys } from "./viewer/keys.js";
import { keysOfViewer } from "./viewer/key_table.js";
import { Maps, MarkedArea, drawSides, nameMarked } from "./viewer/marks.js";
import { holdBack } from "./viewer/reveal.js";
import { Ruler } from "./viewer/ruler.js";
import { Settings } from "./viewer/settings.js";
import { Stage } from "./viewer/stage.js";
import { keysOfStage } from "./viewer/stage_keys.js";
import { zoomActions } from "./viewer/zoom.js";

const full = document.documentElement;  // not the viewer: another film's takes its place
let handed = null;

/** The viewer on the page; another one after each film that takes its place. */
export let viewer = null;

/** Hand over the next page's film, decoded. */
export function hand(bitmap) {
  handed = bitmap;
}

/** Say a sentence to those who do not see the stage. */
function announce(root, sentence) {
  root.querySelector("#said").textContent = sentence;
}

function paintMarks(root, stage, facts) {
  for (const contour of root.querySelectorAll(".contour")) {
    const area = new MarkedArea(contour);
    stage.painters.push((...place) => area.draw(...place));
  }
  if (root.dataset.probability) {
    const sign = root.querySelector("#map-loading");
    const maps = new Maps({ probability: root.dataset.probability, uncertainty: root.dataset.uncertainty },
      () => stage.redraw(), (isWaiting) => { sign.hidden = !isWaiting; });
    stage.painters.push((...place) => maps.draw(...place));
  }
  if (facts.states_side) stage.fixtures.push(drawSides(facts.image_left));
  stage.fixtures.push(nameMarked);
  for (const canvas of root.querySelectorAll("canvas[data-map]")) drawScale(canvas, MAPS[canvas.dataset.map]);
}

function actionsOf(stage, settings, tools) {
  const zooms = zoomActions(stage);
  return {
    ...zooms,
    actual: () => stage.view.zoom(stage.panes[0], 1 / devicePixelRatio / stage.view.scale),
    reset() {
      settings.reset();
      tools.ruler?.clear();
      zooms.fit();
    },
    clear: () => tools.ruler.clear(),
    full: () => (document.fullscreenElement ? document.exitFullscreen() : full.requestFullscreen()),
  };
}

function wireActions(root, stage, actions, signal) {
  for (const [name, act] of Object.entries(actions)) {
    root.querySelector(`[data-action=${name}]`)?.addEventListener("click", () => {
      act();
      stage.redraw();
    });
  }
  const button = root.querySelector("[data-action=full]");
  const tell = () => button.setAttribute("aria-pressed", !!document.fullscreenElement);
  button.hidden = !document.fullscreenEnabled;
  document.addEventListener("fullscreenchange", tell, { signal });
  if (document.fullscreenElement) tell();
}

function tellView(root, stage) {
  const { window, level } = stage.settings.now;
  const percent = Math.round(100 * stage.view.scale * devicePixelRatio);
  root.querySelector("#zoom").textContent = `${percent} %`;
  root.querySelector("#windowing").textContent = `W ${Math.round(window)} L ${Math.round(level)}`;
}

function start(signal) {
  const root = document.querySelector("#viewer");
  const facts = JSON.parse(root.dataset.film);  // width, height, pixel_spacing_mm, image_left, states_side
  const settings = new Settings({ layer: root.dataset.layer });
  holdBack(root, settings);
  const stage = new Stage(root.querySelector(".stage"), facts, settings);
  const tools = basicTools(stage);
  const say = (sentence) => announce(root, sentence);
  if (facts.pixel_spacing_mm) tools.ruler = new Ruler(stage, facts.pixel_spacing_mm, say);
  paintMarks(root, stage, facts);
  bind(root, settings);
  wireActions(root, stage, actionsOf(stage, settings, tools), signal);
  listen(stage, tools);
  keysOfViewer({ settings, tools });
  keysOfStage({ stage, settings, tools });
  stage.element.addEventListener("drawn", () => tellView(root, stage));
  stage.element.addEventListener("drawn", () => root.classList.add("drawn"), { once: true });
  signal.addEventListener("abort", () => stage.close());
  const ready = stage.show(handed ?? root.querySelector(".film img"));
  ready.catch(() => root.classList.add("failed"));
  handed = null;
  viewer = { root, stage, settings, tools, addKeys, announce: say, ready };
}

document.documentElement.classList.add("scripting");
onEachPage(start);
