// Two films of one patient: what is done to the view of one is done to the other's.

import { areLettersOn } from "../letter_keys.js";
import { basicTools, listen } from "../viewer/gestures.js";
import { MarkedArea, drawSides } from "../viewer/marks.js";
import { holdBack } from "../viewer/reveal.js";
import { Settings } from "../viewer/settings.js";
import { Stage } from "../viewer/stage.js";
import { keysOfStage } from "../viewer/stage_keys.js";

const settings = new Settings({ style: "contour" });
holdBack(document.querySelector(".comparison"), settings);
export const stages = [...document.querySelectorAll(".pair figure")].map(makeStage);
let leader = stages[0];  // the one that was last touched

function makeStage(figure) {
  const film = JSON.parse(figure.dataset.film);
  const stage = new Stage(figure.querySelector(".stage"), film, settings);
  const contour = figure.querySelector(".contour");
  if (contour) {
    const area = new MarkedArea(contour);
    stage.painters.push((...place) => area.draw(...place));
  }
  if (film.states_side) stage.fixtures.push(drawSides(film.image_left));
  const tools = basicTools(stage);
  listen(stage, tools);
  keysOfStage({ stage, settings, tools });
  for (const type of ["pointerdown", "wheel", "focus"]) {
    stage.element.addEventListener(type, () => { leader = stage; }, { capture: true, passive: true });
  }
  stage.element.addEventListener("drawn", () => {
    figure.classList.add("drawn");
    if (stage === leader) stages.forEach(follow);
  });
  stage.show(figure.querySelector("img"));
  return stage;
}

function follow(stage) {
  if (stage === leader) return;
  stage.view.follow(leader.view, leader.panes[0], stage.panes[0]);
  stage.redraw();
}

function bindControls() {
  const box = document.querySelector("#show-marks");
  const sliders = document.querySelectorAll("[data-setting]");
  box.addEventListener("input", () => settings.set({ layer: box.checked ? "area" : "off" }));
  for (const slider of sliders) {
    slider.addEventListener("input", () => settings.set({ [slider.dataset.setting]: Number(slider.value) }));
  }
  settings.watch((now) => {
    for (const slider of sliders) slider.value = now[slider.dataset.setting];
    box.checked = now.layer === "area";
  });
  document.querySelector("#reset").addEventListener("click", () => {
    settings.reset();
    leader.view.fit(leader.panes[0]);
    leader.redraw();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "h" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!areLettersOn()) return;
    settings.set({ layer: settings.now.layer === "area" ? "off" : "area" });
  });
}

document.documentElement.classList.add("scripting");
bindControls();
