// Counts down to each study's deletion. Five minutes before it asks whether to keep the film longer; when the time is
// over it says so, and stops showing what the server has no longer. It never loads the page anew: a drawing may be on it.

import { onEachPage } from "./pages.js";
import { refusalOf } from "./refusal.js";
import { fetchWithToken } from "./token.js";
import { tr } from "./words.js";

const WARN_SECONDS = 300;
const ends = new WeakMap();  // when a time element's study is deleted
const banner = () => document.querySelector("#expiring");
const times = () => [...document.querySelectorAll("time[data-seconds-left]")];
const tabs = openChannel();

// Where storage is barred the tabs may not speak to each other either.
function openChannel() {
  try {
    return new BroadcastChannel("pleura-kept");
  } catch {
    return null;
  }
}

/** How long a study is still kept, by its time element. */
function secondsLeft(time) {
  if (!ends.has(time)) ends.set(time, Date.now() + 1000 * Number(time.dataset.secondsLeft));
  return (ends.get(time) - Date.now()) / 1000;
}

export function update() {
  for (const time of times()) {
    const seconds = secondsLeft(time);
    time.textContent = `${Math.max(0, Math.ceil(seconds / 60))} min`;
    if (seconds <= 0) time.closest(".outcome")?.remove();
  }
  if (banner()) warn(Math.min(...times().map(secondsLeft)));
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
  const asked = { method: "POST", headers: { "X-Requested-With": "XMLHttpRequest" } };
  const answer = await fetchWithToken(form.action, asked).catch(() => null);
  if (!answer?.ok) {
    const refusal = answer && (await refusalOf(answer));
    failure.textContent = refusal?.detail ?? tr("The server did not take it. Try again.");
    return;
  }
  const { seconds_left: seconds } = await answer.json();
  const kept = { study: form.dataset.study, until: Date.now() + 1000 * seconds };
  extend(kept);
  tabs?.postMessage(kept);
  if (seconds <= WARN_SECONDS) failure.textContent = tr("It cannot be kept longer than that.");
}

/** Count down to a later end, whichever tab was asked for it. */
function extend({ study, until }) {
  for (const time of times()) if (time.dataset.study === study) ends.set(time, until);
  update();
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("#expiring form")) return;
  event.preventDefault();
  keep(event.target);
});

tabs?.addEventListener("message", ({ data }) => extend(data));
onEachPage(update);
setInterval(update, 5000);
document.addEventListener("visibilitychange", update);
