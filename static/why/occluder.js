// The slow explanation: started, watched while it grows, cancelled.

import { unpacked } from "./maps.js";
import { occlusion } from "./server.js";
import { duration } from "./words.js";
import { tr } from "../words.js";

export class Occluder {
  #abort = null;
  #started = 0;

  /**
   * @param section The section "Why".
   * @param kept The map that was computed before, or null.
   * @param onMap Is called with every new state of the map.
   */
  constructor(section, kept, onMap) {
    const $ = (selector) => section.querySelector(selector);
    this.address = section.dataset.address;
    this.onMap = onMap;
    this.parts = {
      start: $("[data-do=start]"), cancel: $("[data-do=cancel]"), progress: $(".why-progress"),
      bar: $(".why-progress progress"), count: $(".why-count"), outcome: $(".why-outcome"), said: $(".why-said"),
    };
    this.parts.start.addEventListener("click", () => this.run());
    this.parts.cancel.addEventListener("click", () => this.cancel());
    if (kept) this.#finish(tr("Complete: {count} patches were tried.", { count: kept.total }));
  }

  get running() {
    return this.#abort !== null;
  }

  /** Stop; what was computed is taken off the film: half a map misleads. */
  cancel() {
    this.#abort?.abort();
  }

  async run() {
    this.#abort = new AbortController();
    this.#started = performance.now();
    this.#prepare();
    let step = null;
    try {
      for await (step of occlusion(this.address, this.#abort.signal)) this.#show(step);
      this.#abort = null;
      this.#finish(tr("Complete: {count} patches were tried.", { count: step.total }));
    } catch (error) {
      this.#abort = null;
      this.#stop(error.name === "AbortError" ? tr("Cancelled.") : error.message);
      return this.onMap(null);
    }
    if (step) this.onMap(unpacked(step));  // once more: it grows no longer
  }

  #prepare() {
    const { start, cancel, progress, bar, count, outcome, said } = this.parts;
    bar.removeAttribute("value");
    count.textContent = tr("Waiting for a turn …");
    outcome.textContent = "";
    said.textContent = tr("Hiding one patch after another …");
    start.hidden = true;
    progress.hidden = false;
    cancel.focus();
  }

  #show(step) {
    const left = ((performance.now() - this.#started) / step.done) * (step.total - step.done) / 1000;
    this.parts.bar.max = step.total;
    this.parts.bar.value = step.done;
    this.parts.count.textContent = tr("{done} of {total} patches, about {time} left", { done: step.done, total: step.total, time: duration(left) });
    this.onMap(unpacked(step));
  }

  #stop(sentence) {
    const { start, progress, outcome, said } = this.parts;
    const held = progress.contains(document.activeElement);
    progress.hidden = true;
    start.hidden = false;
    outcome.textContent = said.textContent = sentence;
    if (held) start.focus();
  }

  #finish(sentence) {
    const { start, progress, outcome, said } = this.parts;
    const held = progress.contains(document.activeElement);
    progress.hidden = start.hidden = true;
    outcome.textContent = sentence;
    if (!held) return;
    said.textContent = sentence;
    outcome.focus();
  }
}
