// Counts down to each study's deletion. Five minutes before it asks whether to keep the film longer; when the time is
// over it says so, and stops showing what the server has no longer. It never loads the page anew: a drawing may be on it.

import { onEachPage } from "./pages.js";
import { tr } from "./words.js";

const WARN_SECONDS = 300;
const shown = new WeakMap();
const banner = () => document.querySelector("#expiring");

function start(time) {
  shown.set(time, Date.now() + 1000 * Number(time.dataset.secondsLeft));
}

/** How long a study is still kept, by its time element. */
function secondsLeft(time) {
  if (!shown.has(time)) start(time);
  return (shown.get(time) - Date.now()) / 1000;
}

export function update() {
  document.querySelectorAll("time[data-seconds-left]").forEach((time) => {
    const seconds = secondsLeft(time);
    time.textContent = `${Math.max(0, Math.ceil(seconds / 60))} min`;
    if (seconds <= 0) time.closest(".outcome")?.remove();
  });
  const last = banner() && document.querySelector(`time[data-seconds-left]`);
  if (last) warn(secondsLeft(last));
}

function warn(seconds) {
  if (document.body.classList.contains("expired")) return;
  banner().hidden = seconds > WARN_SECONDS;
  if (seconds <= 0) expire();
  else banner().querySelector(".when").textContent = tr("in {minutes} min", { minutes: Math.ceil(seconds / 60) });
}

function expire() {
  document.body.classList.add("expired");
  banner().querySelector("p").textContent = banner().dataset.expired;
  banner().querySelector("form")?.remove();
}

/** Ask the server for more time; it says how much there is now. */
async function keep(form) {
  const failure = form.querySelector("[role=alert]");
  failure.textContent = "";
  try {
    const answer = await fetch(form.action, {
      method: "POST", body: new FormData(form), headers: { "X-Requested-With": "XMLHttpRequest" },
    });
    if (!answer.ok) throw new Error();
    const { seconds_left: seconds } = await answer.json();
    document.querySelectorAll("time[data-seconds-left]").forEach((time) => {
      time.dataset.secondsLeft = seconds;
      start(time);
    });
    update();
    if (seconds <= WARN_SECONDS) failure.textContent = tr("It cannot be kept longer than that.");
  } catch {
    failure.textContent = tr("The server did not take it. Try again.");
  }
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("#expiring form")) return;
  event.preventDefault();
  keep(event.target);
});

onEachPage(update);
setInterval(update, 5000);
document.addEventListener("visibilitychange", update);
