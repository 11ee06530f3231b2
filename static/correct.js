// The page on which a reader corrects a mask: its parts put together.

import { Brush } from "./correct/brush.js";
import { fetchMask, toPng } from "./correct/codec.js";
import { History } from "./correct/history.js";
import { MaskPainter, paintBrush } from "./correct/painter.js";
import { refusalOf } from "./refusal.js";
import { fetchWithToken } from "./token.js";
import { bind, fade, hideOrShow } from "./viewer/controls.js";
import { basicTools, listen } from "./viewer/gestures.js";
import { addKeys } from "./viewer/keys.js";
import { drawSides } from "./viewer/marks.js";
import { Settings, clamp } from "./viewer/settings.js";
import { Stage } from "./viewer/stage.js";
import { zoomActions, zoomKeys } from "./viewer/zoom.js";
import { figure, tr } from "./words.js";

const root = document.querySelector("#viewer");
const data = root.dataset;
const [width, height] = [Number(data.width), Number(data.height)];
const $ = (selector) => root.querySelector(selector);
const LARGEST_SIZE = Number($("[data-setting=size]").max);

const settings = new Settings({ tool: "brush", layer: "area", opacity: 40, size: Math.round(LARGEST_SIZE / 5) });
const stage = new Stage($(".stage"), { width, height }, settings);

function tell(sentence) {
  $("#said").textContent = sentence;
}

/** What the buttons do to the mask; each but undo and redo can be undone. */
function maskActions(mask, history, brush, modelMask) {
  const replace = (pixels) => {
    brush.lift();
    history.begin();
    mask.copy(pixels);
    history.touch(mask.all);
    history.commit();
  };
  const step = (way) => {
    brush.lift();
    history[way]();
  };
  return {
    undo: () => step("undo"),
    redo: () => step("redo"),
    clear: () => replace(new Uint8Array(mask.pixels.length)),
    model: () => replace(modelMask.pixels),
  };
}

function wire(actions) {
  for (const [name, act] of Object.entries(actions)) {
    $(`[data-action=${name}]`).addEventListener("click", () => {
      act();
      stage.redraw();
      stage.element.dispatchEvent(new Event("changed"));
    });
  }
}

function showState(mask, history) {
  $("[data-action=undo]").setAttribute("aria-disabled", !history.canUndo);
  $("[data-action=redo]").setAttribute("aria-disabled", !history.canRedo);
  const share = (100 * mask.count) / mask.pixels.length;
  document.querySelector("#share").textContent = share ? tr("{share} % marked", { share: figure(share, 2) }) : tr("Nothing marked");
}

function resize(factor) {
  const { size } = settings.now;
  const changed = Math.round(size * factor);
  settings.set({ size: clamp(changed === size ? size + Math.sign(factor - 1) : changed, 1, LARGEST_SIZE) });
}

function keys() {
  addKeys(tr("What a drag does"), [
    { key: "b", label: tr("Brush"), control: "[data-setting=tool][value=brush]" },
    { key: "e", label: tr("Eraser"), control: "[data-setting=tool][value=eraser]" },
    { key: "v", label: tr("Move"), control: "[data-setting=tool][value=move]" },
    { key: "w", label: tr("Window and level"), control: "[data-setting=tool][value=window]" },
    { key: ",", label: tr("Smaller brush"), run: () => resize(0.8) },
    { key: ".", label: tr("Larger brush"), run: () => resize(1.25) },
  ]);
  addKeys(tr("Mask"), [
    { key: "z", label: tr("Undo"), control: "[data-action=undo]" },
    { key: "y", label: tr("Redo"), control: "[data-action=redo]" },
    { key: "Delete", label: tr("Clear"), control: "[data-action=clear]" },
    { key: "o", label: tr("The model’s mask"), control: "[data-action=model]" },
    { key: "h", label: tr("Hide or show"), run: () => hideOrShow(settings) },
    { key: "[", label: tr("Fainter"), run: () => fade(settings, -1) },
    { key: "]", label: tr("Stronger"), run: () => fade(settings, 1) },
  ]);
  addKeys(tr("Film"), zoomKeys());
  addKeys(tr("Help"), [{ key: "?", label: tr("This sheet"), control: "[data-action=keys]" }]);
  document.addEventListener("keydown", chord);
}

// What every drawing program answers to.
function chord(event) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
  const name = { z: event.shiftKey ? "redo" : "undo", y: "redo" }[event.key.toLowerCase()];
  if (!name) return;
  event.preventDefault();
  $(`[data-action=${name}]`).click();
}

async function save(picture) {
  const body = new FormData();
  body.append("mask", picture, "mask.png");
  const answer = await fetchWithToken(location.href, { method: "POST", body, redirect: "manual" }).catch(() => {
    throw new Error(tr("The connection broke."));
  });
  if (answer.type === "opaqueredirect") return;  // it was taken
  if (answer.status === 404) throw new Error(tr("The server has this film no longer."));
  throw new Error((await refusalOf(answer))?.detail ?? tr("The server did not take it."));
}

/** Give the drawing to the reader where the server cannot take it. */
function offerDownload(link, picture) {
  URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(picture);
  link.hidden = false;
}

/** Save on the button, then go back; ask before a drawing is lost. */
function wireSaving(mask, history, brush) {
  const form = document.querySelector("#save");
  const failure = form.querySelector("[role=alert]");
  const download = form.querySelector("[download]");
  let saving = false;
  form.querySelector("button").disabled = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (saving) return;
    saving = true;
    failure.textContent = "";
    form.setAttribute("aria-busy", "true");
    brush.lift();
    const picture = await toPng(mask);
    try {
      await save(picture);
      location.assign(form.dataset.back);
    } catch (error) {
      saving = false;
      form.removeAttribute("aria-busy");
      failure.textContent = tr("Not saved: {reason} Your drawing is still here.", { reason: error.message });
      offerDownload(download, picture);
    }
  });
  addEventListener("beforeunload", (event) => {
    if (history.changed && !saving) event.preventDefault();
  });
}

async function start() {
  const [mask, modelMask] = await Promise.all(
    [data.mask, data.modelMask].map((address) => fetchMask(address, width, height)),
  );
  const history = new History(mask);
  const brush = new Brush(stage, mask, history, tell);
  const painter = new MaskPainter(mask);
  stage.painters.push((...place) => painter.paint(...place), (context, pane, view) => {
    if (brush.at && brush.chosen) paintBrush(context, pane, view, brush.at, brush.radius, brush.isDown);
  });
  if (data.imageLeft) stage.fixtures.push(drawSides(data.imageLeft));
  bind(root, settings);
  settings.watch(({ size }) => {
    $("#size").textContent = `${size} px`;
    stage.redraw();
  });
  wire({ ...zoomActions(stage), ...maskActions(mask, history, brush, modelMask) });
  listen(stage, { ...basicTools(stage), ...brush.tools });
  stage.element.addEventListener("changed", () => showState(mask, history));
  stage.element.addEventListener("drawn", () => root.classList.add("drawn"), { once: true });
  keys();
  showState(mask, history);
  await stage.show($(".film img"));
  wireSaving(mask, history, brush);
}

document.documentElement.classList.add("scripting");
start().catch(() => {
  document.querySelector("#save .failure").textContent = tr("Film or mask could not be loaded. Reload the page.");
});
