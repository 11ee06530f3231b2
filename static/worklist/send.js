// One film to the server, and its row back. Never throws: whatever happens, there is a row that says so.

import { refusalOn } from "../refusal.js";
import { renew, token } from "../token.js";
import { tr } from "../words.js";

const MOST_TRIES = 60;
const LONGEST_WAIT = 60;  // seconds, whatever the server asks for

// A server that has as many films waiting as it may says when to come back: then the film is sent again.
export async function send(file, item, address) {
  let renewed = false;
  for (let tries = 1; ; tries += 1) {
    const request = await post(file, item, address);
    const refusal = refusalOn(request.response);
    if (refusal?.code === "form_expired" && !renewed) {
      renewed = await renew().then(() => true, () => true);
      continue;
    }
    const seconds = Number(request.getResponseHeader("Retry-After"));
    const isBusy = [429, 503].includes(request.status);
    if (!isBusy || !seconds || tries === MOST_TRIES) return rowOf(request, refusal, file);
    const reason = refusal?.title ?? tr("The server is busy");
    await wait(Math.min(seconds, LONGEST_WAIT) * (1 + Math.random()), reason, item);  // so that not all come back at once
  }
}

function post(file, item, address) {
  const progress = item.querySelector("progress");
  const show = (text) => { item.querySelector(".state").textContent = text; };
  const body = new FormData();
  body.append("films", file);
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("POST", address);
    request.responseType = "document";
    request.setRequestHeader("X-CSRFToken", token());
    request.setRequestHeader("X-Requested-With", "XMLHttpRequest");
    request.upload.addEventListener("progress", (event) => {
      progress.value = event.loaded / event.total;
      show(tr("Uploading, {share} %", { share: Math.round(100 * progress.value) }));
    });
    request.upload.addEventListener("load", () => {
      progress.removeAttribute("value");
      show(tr("Analysing …"));
    });
    request.addEventListener("loadend", () => resolve(request));
    request.send(body);
  });
}

async function wait(seconds, reason, item) {
  const state = item.querySelector(".state");
  for (let left = Math.ceil(seconds); left > 0; left -= 1) {
    state.textContent = tr("{reason}, trying again in {seconds} s", { reason, seconds: left });
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

function rowOf(request, refusal, file) {
  const row = request.response?.querySelector("tr.outcome");
  if (row) return document.adoptNode(row);
  // What befell the whole request is no row, and knows no file's name.
  if (refusal) return failure(file.name, refusal.title, refusal.detail, refusal.code);
  return failure(file.name, tr("The server gave no answer"),
    tr("The connection broke, or the server is busy, or the file is gone. Try again."), "no_answer");
}

export function failure(name, title, detail, code) {
  const row = document.querySelector("#failed").content.cloneNode(true).firstElementChild;
  for (const place of row.querySelectorAll(".actions .unseen")) place.textContent = ` ${name}`;
  row.querySelector(".name").textContent = name;
  row.querySelector(".title").textContent = title;
  row.querySelector(".detail").textContent = detail;
  row.querySelector("code.reason").textContent = code;
  row.dataset.summary = `${name}: ${title}. ${detail}`;
  return row;
}
