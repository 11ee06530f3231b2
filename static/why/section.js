// The opened section: which map lies over the film, and what is said of it.

import { viewer } from "../viewer.js";
import * as server from "./server.js";
import { fillFeatures } from "./features.js";
import { diverging, heaviest, paint, paintScale, sequential, strongest, unpacked } from "./maps.js";
import { Occluder } from "./occluder.js";
import { fillStages } from "./stages.js";
import { logits, percent } from "./words.js";
import { tr } from "../words.js";

let section, maps, occluder;
let mirrored = false;
const $ = (selector) => section.querySelector(selector);

/** Show the section: what is kept at once, the rest as soon as it is computed. */
export async function show(element, signal) {
  if (section === element) return;
  section = element;
  [maps, occluder, mirrored] = [null, null, false];
  signal.addEventListener("abort", () => occluder?.cancel());
  $("[data-do=retry]").addEventListener("click", load);
  $("#why-opacity").addEventListener("input", showOpacity);
  for (const way of section.querySelectorAll("[name=why-way]")) way.addEventListener("change", draw);
  await load();
}

async function load() {
  const element = section;
  $(".why-failed").hidden = true;
  try {
    const kept = await server.kept(element.dataset.address);
    if (!kept.activations) say(tr("Computing what moved the score …"));
    const activations = kept.activations ?? await server.activations(element.dataset.address);
    if (section !== element) return;  // another film has taken its place
    start(activations, kept.occlusion);
    say("");
  } catch (error) {
    if (section !== element) return;
    say("");
    $(".why-reason").textContent = error.message;
    $(".why-failed").hidden = false;
  }
}

function start(activations, occlusion) {
  const film = JSON.parse(section.dataset.film);
  maps = {
    stages: activations.stages.map(unpacked),
    features: activations.feature_maps.map((one) => ({ ...one, ...unpacked(one) })),
    occlusion: occlusion && unpacked(occlusion),
  };
  const image = $(".why-film img");
  image.src = image.dataset.src;
  $(".why-body").hidden = false;
  $(".why-score").textContent = tr("The score explained: {chance}, a logit of {logit}.",
    { chance: percent(activations.probability), logit: logits(activations.score) });
  fillStages($(".why-stages"), maps.stages, film, draw);
  fillFeatures($(".why-features"), maps.features, image, draw);
  const element = section;
  occluder = new Occluder(section, occlusion, (map) => {
    if (section !== element) return;
    maps.occlusion = map;
    draw();
  });
  followMirror();
  showOpacity();
  draw();
}

function draw() {
  const way = $("[name=why-way]:checked").value;
  for (const part of section.querySelectorAll("[data-way]")) part.hidden = part.dataset.way !== way;
  const views = { stages: drawStage, features: drawFeature, occlusion: drawOcclusion };
  views[way]();
}

function drawStage() {
  const map = maps.stages[Number($("[name=why-stage]:checked").value)];
  const where = heaviest(map, 1, mirrored);
  place(map, sequential, where ? tr("Raised the score most at the picture’s {place}.", { place: where })
    : tr("Nothing here raised the score."));
  legend(sequential, 0, tr("low"), "", tr("high"));
}

function drawFeature() {
  const map = maps.features[Number($("[name=why-feature]:checked").value)];
  const largest = Math.max(...maps.features.map((one) => one.peak));
  const where = heaviest(map, Math.sign(map.contribution), mirrored);
  const values = { number: map.channel, logits: logits(map.contribution, true), place: where };
  place(map, diverging, where ? tr("Channel {number}: about {logits} logits, most at the picture’s {place}.", values)
    : tr("Channel {number}: about {logits} logits.", values), largest);
  legend(diverging, -1, tr("lowered the score"), "0", tr("raised it"));
}

function drawOcclusion() {
  const map = maps.occlusion;
  $(".why-legend").hidden = !map;
  if (!map) return place(null, diverging, tr("Not computed yet."));
  const fall = strongest(map, 1, mirrored), rise = strongest(map, -1, mirrored);
  const falls = fall && tr("The score falls most, by {logits} logits, when the picture’s {place} is hidden.",
    { logits: logits(fall.value), place: fall.place });
  const rises = rise && tr("The score rises most, by {logits} logits, when the picture’s {place} is hidden.",
    { logits: logits(rise.value), place: rise.place });
  const changes = [falls, rises].filter(Boolean).join(" ") || tr("The score does not change, whatever is hidden.");
  place(map, diverging, occluder.running ? tr("So far: {sentences}", { sentences: changes }) : changes);
  legend(diverging, -1, tr("score rises when hidden, {logits}", { logits: logits(map.peak, true) }), "0",
    tr("score falls when hidden, {logits}", { logits: logits(-map.peak) }));
}

function place(map, colourOf, sentence, peak) {
  const canvas = $(".why-map");
  if (map) paint(canvas, map, colourOf, peak);
  else canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
  canvas.setAttribute("aria-label", tr("Map over the film. {sentence}", { sentence }));
  $(".why-sentence").textContent = sentence;
}

function legend(colourOf, lowest, low, middle, high) {
  $(".why-legend").hidden = false;
  paintScale($(".why-legend canvas"), colourOf, lowest);
  $(".why-low").textContent = low;
  $(".why-middle").textContent = middle;
  $(".why-high").textContent = high;
}

function showOpacity() {
  const { value } = $("#why-opacity");
  $(".why-map").style.opacity = value / 100;
  $("output[for=why-opacity]").textContent = `${value} %`;
}

/** Turn the picture as the reader has turned the film above. */
function followMirror() {
  viewer.settings.watch((now) => {
    if (now.mirror === mirrored) return;
    mirrored = now.mirror;
    section.classList.toggle("mirrored", mirrored);
    draw();
  });
}

function say(sentence) {
  $(".why-said").textContent = sentence;
}
