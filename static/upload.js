// Sends chosen or dropped films, two at a time, and shows how far each has come. One that fails spoils no other.

import { update as countDown } from "./expiry.js";
import { forget, remember, remembered } from "./worklist/failures.js";
import { droppedFiles, isFilm } from "./worklist/folder.js";
import { failure, send } from "./worklist/send.js";
import "./worklist/menus.js";
import { place, start } from "./worklist/table.js";
import { figure, tr, trN } from "./words.js";

const AT_ONCE = 2;  // the server analyses one film at a time: meanwhile the next one travels
const MANY = 4;     // films on their way after which single announcements would be noise

const $ = (selector) => document.querySelector(selector);
const form = $("#upload");
const announcement = $("#progress");
const maxBytes = Number(form.dataset.maxBytes);

const waiting = [];
let under_way = 0, done = 0, failed = 0;
let latest = null;

function enqueue(files) {
  const films = files.filter(isFilm);
  const leftOut = files.length - films.length;
  if (!waiting.length && !under_way) done = failed = 0;
  for (const file of films) {
    const item = $("#waiting").content.cloneNode(true).firstElementChild;
    item.querySelector(".name").textContent = file.name;
    $("#waiting-list").append(item);
    waiting.push({ file, item });
  }
  if (leftOut) {
    announcement.textContent = trN("{count} hidden file was left out", "{count} hidden files were left out", leftOut);
  }
  advance();
}

function advance() {
  while (under_way < AT_ONCE && waiting.length) analyse(waiting.shift());
  showTally();
}

async function analyse({ file, item }) {
  under_way += 1;
  try {
    const outcome = file.size > maxBytes ? tooLarge(file) : await send(file, item, form.action);
    finish(file, item, outcome);
    latest = outcome;
  } finally {
    under_way -= 1;
    advance();
  }
  if (done === 1 && !failed && !waiting.length && !under_way && isTouched()) latest.querySelector(".film-name a").click();
}

// On a phone one film is sent to be looked at.
function isTouched() {
  return matchMedia("(pointer: coarse)").matches;
}

function finish(file, item, row) {
  item.remove();
  done += 1;
  if (row.classList.contains("failed")) {
    failed += 1;
    offerRetry(row, file, remember(row));
  }
  place(row);
  countDown();
  const left = waiting.length + under_way - 1;
  announcement.textContent = left > MANY ? tr("{done} films done, {left} to go", { done, left }) : row.dataset.summary;
}

function offerRetry(row, file, memory) {
  row.querySelector(".dismiss").addEventListener("click", () => {
    forget(memory);
    row.remove();
    $("#films").focus();
  });
  const retry = row.querySelector(".retry");
  if (memory.code === "form_expired") retry.firstChild.textContent = tr("Reload");
  retry.addEventListener("click", () => {
    if (memory.code === "form_expired") return location.reload();
    if (!file) return $("#films").click();  // the page was left meanwhile: the browser wants it chosen anew
    forget(memory);
    row.remove();
    enqueue([file]);
    $("#waiting-list").focus();
  });
}

function showTally() {
  const total = done + waiting.length + under_way;
  $("#queue").hidden = !waiting.length && !under_way;
  $("#tally").textContent = failed ? tr("{done} of {total} done, {failed} failed", { done, total, failed })
    : tr("{done} of {total} done", { done, total });
  $("#overall").value = total ? done / total : 0;
  $("#stop").hidden = !waiting.length;
}

// What was not sent stays in sight, as a film without an answer, and can be sent after all.
function stop() {
  for (const { file, item } of waiting.splice(0)) {
    finish(file, item, failure(file.name, tr("Not sent"), tr("You stopped the queue before this film."), "stopped"));
  }
  showTally();
}

function tooLarge(file) {
  const size = figure(file.size / 2 ** 20, 1);
  return failure(file.name, tr("The file is too large"),
    tr("The file has {size} MiB; {limit} MiB is the limit. Send a single film.", { size, limit: maxBytes / 2 ** 20 }), "file_too_large");
}

document.documentElement.classList.add("scripting");
for (const memory of remembered()) {
  const row = failure(memory.name, memory.title, memory.detail, memory.code);
  place(row);
  offerRetry(row, null, memory);
}
start();
for (const input of [$("#films"), $("#folder")]) {
  input.addEventListener("change", () => {
    enqueue([...input.files]);
    input.value = "";  // so that the same film can be chosen again
  });
}
$("#stop").addEventListener("click", stop);
for (const type of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(type, (event) => {
    event.preventDefault();  // else a film dropped beside the zone would replace the page
    const leaves = type === "drop" || (type === "dragleave" && event.relatedTarget === null);
    form.classList.toggle("dragging", !leaves);
  });
}
document.addEventListener("drop", async (event) => enqueue(await droppedFiles(event.dataTransfer)));
$("#film-list").addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link) return;
  link.target = waiting.length || under_way ? "_blank" : "";  // leaving the page would end the queue
  const row = link.closest(".outcome");
  row?.classList.remove("unseen-yet");
  row?.querySelector(".seen .state")?.replaceChildren(tr("Seen"));
});
addEventListener("beforeunload", (event) => {
  if (waiting.length || under_way) event.preventDefault();
});
