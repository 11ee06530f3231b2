// From a result to the next one of the worklist: by letters, or by the arrow keys where nothing else wants them. The next
// film is fetched while this one is read, and takes its place without the page being left: full screen stays.

import { onEachPage, replacePage } from "../pages.js";
import { inTab } from "../stored.js";
import { hand, viewer } from "../viewer.js";
import { addKeys } from "../viewer/keys.js";
import { filmAt, forget } from "./ahead.js";
import { tr } from "../words.js";

const PATIENCE = 300;  // milliseconds before a slow film is spoken of
const link = (rel) => document.querySelector(`.neighbours a[rel=${rel}]`);
const HOLDERS = [".stage", ".neighbours a[rel=next]", ".neighbours a[rel=prev]"];  // of the focus, on every film's page
const ARROWS = { ArrowRight: "next", ArrowLeft: "prev" };
const said = Object.assign(document.createElement("p"), { role: "status" });
let isTurning = false;

function tell(sentence, className) {
  Object.assign(said, { textContent: sentence, className });
}

async function turn(address) {
  if (isTurning) return;
  isTurning = true;
  tell("", "unseen");
  const slow = setTimeout(() => tell(tr("Loading the film …"), "turning"), PATIENCE);
  try {
    const { page, bitmap } = await filmAt(address);
    forget();
    if (page.documentElement.lang !== document.documentElement.lang) return location.assign(address);  // another tab chose it
    hand(bitmap);
    const holder = HOLDERS.find((selector) => document.activeElement?.matches(selector));
    replacePage(page, address);
    if (holder) (document.querySelector(holder) ?? document.querySelector(".neighbours a")).focus({ preventScroll: true });
    clearTimeout(slow);
    tell(page.title, "unseen");
    fetch(address, { method: "HEAD" });  // now it is seen
  } catch {
    location.assign(address);  // the server says what is wrong
  } finally {
    clearTimeout(slow);
    isTurning = false;
  }
}

function start() {
  const nav = document.querySelector(".neighbours");
  inTab.set("pleura-last-film", nav.dataset.row);  // the list goes on from there
  addKeys(tr("Worklist"), [
    { key: "j", label: tr("Next film"), control: ".neighbours a[rel=next]" },
    { key: "k", label: tr("Previous film"), control: ".neighbours a[rel=prev]" },
  ]);
  nav.addEventListener("click", (event) => {
    const chosen = event.target.closest("a[rel=next], a[rel=prev]");
    if (!chosen || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    turn(chosen.href);
  });
  viewer.ready.then(() => link("next") && filmAt(link("next").href).catch(() => {}), () => {});
}

document.addEventListener("keydown", (event) => {
  if (!(event.key in ARROWS) || !event.target.matches("body, .neighbours a")) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  link(ARROWS[event.key])?.click();
});

document.body.append(said);
onEachPage(start);
