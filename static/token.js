// What every form carries against forgery. After a restart of the server the page's is stale: then a new one is fetched.

import { refusalOf } from "./refusal.js";

const meta = document.querySelector("meta[name=csrf-token]");

/** Send with a token, once more with a new one where the server knows ours no longer; rejects as `fetch` does. */
export async function fetchWithToken(address, options = {}) {
  const send = () => fetch(address, { ...options, headers: { ...options.headers, "X-CSRFToken": token() } });
  const answer = await send();
  const isStale = answer.status === 400 && (await refusalOf(answer))?.code === "form_expired";
  return isStale ? renew().then(send) : answer;
}

export function token() {
  return meta.content;
}

/** Fetch a new token; it belongs to a new session where the old one is not known any more. */
export async function renew() {
  const answer = await fetch("/");
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  meta.content = page.querySelector("meta[name=csrf-token]").content;
  for (const field of document.querySelectorAll("input[name=csrf_token]")) field.value = meta.content;
}
