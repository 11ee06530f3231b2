// What the server is asked for, and how its refusals become errors with a sentence for a person.

import { refusalOf } from "../refusal.js";
import { fetchWithToken } from "../token.js";
import { tr } from "../words.js";

const BROKEN = tr("The connection broke, or the film is no longer kept.");

/** What was computed before: { activations, occlusion }, null where it was not. */
export async function kept(address) {
  return (await ask(address)).json();
}

/** Grad-CAM and feature maps. */
export async function activations(address) {
  return (await ask(`${address}/activations`, { method: "POST" })).json();
}

/** The occlusion map so far, again and again until it is complete. Aborting the signal stops the server's work, too. */
export async function* occlusion(address, signal) {
  const answer = await ask(`${address}/occlusion`, { method: "POST", signal });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "", step = null;
  while (true) {
    const { value, done } = await reader.read().catch(sayBroken);
    if (done) break;
    const lines = (text + value).split("\n");
    text = lines.pop();
    for (const line of lines) yield (step = JSON.parse(line));
  }
  if (step?.done !== step?.total || !step) throw new Error(BROKEN);
}

async function ask(address, options = {}) {
  const answer = await fetchWithToken(address, options).catch(sayBroken);
  if (answer.ok) return answer;
  const { title, detail } = (await refusalOf(answer)) ?? { title: tr("The server gave no answer"), detail: tr("Try again.") };
  throw new Error(`${title}. ${detail}`);
}

function sayBroken(error) {
  throw error.name === "AbortError" ? error : new Error(BROKEN);
}
