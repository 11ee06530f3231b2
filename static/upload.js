// Sends the chosen or dropped films one after the other, and shows how far each has come.

import { update as countDown } from "./expiry.js";

const form = document.querySelector("#upload");
const input = document.querySelector("#films");
const list = document.querySelector("#film-list");
const announcement = document.querySelector("#progress");
const token = document.querySelector("meta[name=csrf-token]").content;
const maxBytes = Number(form.dataset.maxBytes);

let queue = Promise.resolve();

function enqueue(files) {
  const items = Array.from(files, (file) => {
    const item = document.querySelector("#waiting").content.cloneNode(true).firstElementChild;
    item.querySelector(".name").textContent = file.name;
    queue = queue.then(() => analyse(file, item));
    return item;
  });
  list.prepend(...items);
}

async function analyse(file, item) {
  const outcome = file.size > maxBytes ? tooLarge(file) : await send(file, item);
  item.replaceChildren(outcome);
  countDown();
  announcement.textContent = outcome.dataset.summary;
}

function send(file, item) {
  const progress = item.querySelector("progress");
  const show = (text) => { item.querySelector(".state").textContent = text; };
  const body = new FormData();
  body.append("films", file);
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.responseType = "document";
    request.setRequestHeader("X-CSRFToken", token);
    request.setRequestHeader("X-Requested-With", "XMLHttpRequest");
    request.upload.addEventListener("progress", (event) => {
      progress.value = event.loaded / event.total;
      show(`Uploading, ${Math.round(100 * progress.value)} %`);
    });
    request.upload.addEventListener("load", () => {
      progress.removeAttribute("value");
      show("Analysing …");
      announcement.textContent = `${file.name}: uploaded, analysing`;
    });
    request.addEventListener("loadend", () => {
      const outcome = request.response?.querySelector(".outcome");
      resolve(outcome ? named(document.adoptNode(outcome), file) : unanswered(file));
    });
    request.send(body);
  });
}

// A page of an error that befell the whole request knows no file's name.
function named(outcome, file) {
  if (outcome.classList.contains("failed") && !outcome.querySelector(".name")) {
    return failure(file, outcome.querySelector("h1, h3").textContent,
      outcome.querySelector(".detail").textContent, outcome.querySelector("code.reason").textContent);
  }
  return outcome;
}

function tooLarge(file) {
  const size = (file.size / 2 ** 20).toFixed(1);
  return failure(file, "The file is too large",
    `The file has ${size} MiB; ${maxBytes / 2 ** 20} MiB is the limit. Send a single film.`, "file_too_large");
}

function unanswered(file) {
  return failure(file, "The server gave no answer",
    "The connection broke, or the server is busy. Check that it runs, then choose the film again.", "no_answer");
}

function failure(file, title, detail, code) {
  const outcome = document.querySelector("#failed").content.cloneNode(true).firstElementChild;
  outcome.querySelector(".name").textContent = file.name;
  outcome.querySelector("h3").textContent = title;
  outcome.querySelector(".detail").textContent = detail;
  outcome.querySelector("code.reason").textContent = code;
  outcome.dataset.summary = `${file.name}: ${title}. ${detail}`;
  return outcome;
}

document.documentElement.classList.add("scripting");
input.addEventListener("change", () => {
  enqueue(input.files);
  input.value = "";  // so that the same film can be chosen again
});
for (const type of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(type, (event) => {
    event.preventDefault();  // else a film dropped beside the zone would replace the page
    const leaves = type === "drop" || (type === "dragleave" && event.relatedTarget === null);
    form.classList.toggle("dragging", !leaves);
  });
}
document.addEventListener("drop", (event) => enqueue(event.dataTransfer.files));
