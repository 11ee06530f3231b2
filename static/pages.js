// A page whose content can give way to another film's, so that the reader leaves neither the page nor full screen.

import { setAddress } from "./address.js";

const starters = [];
let present = new AbortController();

/** Run a function on this page's content, and on all that takes its place; its signal tells that the content has gone. */
export function onEachPage(start) {
  starters.push(start);
  start(present.signal);
}

/** Put another page's content in the place of this one's. */
export function replacePage(page, address) {
  present.abort();
  present = new AbortController();
  document.title = page.title;
  document.querySelector("main").replaceWith(document.adoptNode(page.querySelector("main")));
  document.body.classList.remove("expired");
  setAddress(address);
  scrollTo(0, 0);
  for (const start of starters) start(present.signal);
}
