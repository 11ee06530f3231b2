// The table of films: rows in reading order, a filter that says what it hides, next and previous by key.

import { setAddress } from "../address.js";
import { bindLetterSwitch } from "../letter_keys.js";
import { inTab } from "../stored.js";
import { tr, trN } from "../words.js";

const $ = (selector) => document.querySelector(selector);
const table = $("#film-list");
const find = $("#find");
const keys = $("#list-keys");
const LAST = "pleura-last-film";  // the page of a result leaves it here

const rows = () => [...table.querySelectorAll(".outcome")];

// The server wrote each row's place into it; see order_of in app/studies/reading_order.py.
export function place(row) {
  const body = table.querySelector(`tbody[data-group="${row.dataset.group}"]`);
  const after = [...body.querySelectorAll(".outcome")].find((other) => other.dataset.order > row.dataset.order);
  body.insertBefore(row, after ?? null);
}

function chosen() {
  return $("input[name=show]:checked").value;
}

function isShown(row) {
  const group = chosen();
  const fits = !group || row.dataset.group === group || (group === "warned" && row.dataset.warned);
  return Boolean(fits) && textOf(row).includes(find.value.trim().toLowerCase());
}

// As the server's own filter reads it: app/web/listing.py.
function textOf(row) {
  const parts = [row.querySelector(".film-name"), ...row.querySelectorAll(".patient .whose > *")];
  return parts.map((part) => part.textContent.trim()).join(" ").toLowerCase();
}

/** The filter's part of an address: it holds while films are opened, and when the reader comes back. */
function query() {
  const parameters = new URLSearchParams();
  if (chosen()) parameters.set("show", chosen());
  if (find.value.trim()) parameters.set("find", find.value.trim());
  return parameters.size ? `?${parameters}` : "";
}

function carryFilter() {
  const search = query();
  if (location.search !== search) setAddress(location.pathname + search);
  for (const link of table.querySelectorAll(".film-name a")) if (link.search !== search) link.search = search;
  for (const form of table.querySelectorAll("form")) form.action = new URL(form.action).pathname + search;
}

function takeFilter() {
  const parameters = new URLSearchParams(location.search);
  find.value = parameters.get("find") ?? "";
  const wanted = [...document.querySelectorAll("input[name=show]")].find((input) => input.value === parameters.get("show"));
  if (wanted) wanted.checked = true;
}

function refresh() {
  const patients = new Map();
  for (const row of rows()) {
    row.hidden = !isShown(row);
    patients.set(row.dataset.patient, (patients.get(row.dataset.patient) ?? 0) + 1);
  }
  for (const row of rows()) {
    const link = row.querySelector(".priors");
    if (link) link.hidden = patients.get(row.dataset.patient) < 2;
  }
  for (const body of table.tBodies) {
    const all = body.querySelectorAll(".outcome").length;
    const seen = body.querySelectorAll(".outcome:not([hidden])").length;
    write(body.querySelector(".count"), seen === all ? `${all}` : tr("{seen} of {all}", { seen, all }));
    body.hidden = !all;
  }
  tell();
  carryFilter();
}

// Only what changes is written: the table is watched, and writing is a change.
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function tell() {
  const all = rows();
  const hidden = all.filter((row) => row.hidden);
  const suspected = hidden.filter((row) => row.dataset.group === "suspected").length;
  $("#show-all").hidden = !hidden.length;
  $(".shown").classList.toggle("hiding", hidden.length > 0);
  write($("#shown"), hidden.length ? hiddenBy(hidden.length, all.length, suspected)
    : all.length ? trN("All {count} film shown", "All {count} films shown", all.length) : "");
}

function hiddenBy(hidden, all, suspected) {
  if (!suspected) return trN("{hidden} of {count} film hidden by the filter", "{hidden} of {count} films hidden by the filter", all, { hidden });
  return trN("{hidden} of {count} film hidden by the filter, {suspected} of them suspected",
    "{hidden} of {count} films hidden by the filter, {suspected} of them suspected", all, { hidden, suspected });
}

function showAll() {
  find.value = "";
  $("input[name=show][value='']").checked = true;
  refresh();
  find.focus();
}

// Arrow keys and letters move from film to film, across groups; hidden films are skipped, as the filter says.
function move(step) {
  const targets = rows().filter((row) => !row.hidden).map((row) => row.querySelector("a, .retry"));
  const here = document.activeElement.closest(".outcome")?.querySelector("a, .retry");
  const at = targets.indexOf(here);
  const next = at < 0 ? (step > 0 ? 0 : targets.length - 1) : Math.min(Math.max(at + step, 0), targets.length - 1);
  targets[next]?.focus();
}

const COMMANDS = { j: () => move(1), k: () => move(-1), "/": () => find.focus() };
const ARROWS = { ArrowDown: () => move(1), ArrowUp: () => move(-1) };

// Back from a film, its row is where the reader goes on, unless they have gone elsewhere before this was loaded.
function returnToRow() {
  const last = inTab.get(LAST) ?? location.hash.slice(1);  // the address may be of an earlier return
  inTab.remove(LAST);
  const link = document.getElementById(last);
  const row = link?.closest(".outcome");  // the address may name another part of the page
  if (!row || row.hidden) return;
  if (![document.body, link].includes(document.activeElement)) return;
  row.scrollIntoView({ block: "center" });
  link.focus({ preventScroll: true });
}

function obey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("[type=search], ol")) return;
  const command = (keys.checked && COMMANDS[event.key.toLowerCase()])
    || (event.target.matches("#film-list *, body") && ARROWS[event.key]);
  if (!command) return;
  event.preventDefault();
  command();
}

export function start() {
  bindLetterSwitch(keys);
  find.addEventListener("input", refresh);
  find.addEventListener("keydown", (event) => { if (event.key === "Escape") showAll(); });
  $(".choices").addEventListener("change", refresh);
  $("#show-all").addEventListener("click", showAll);
  document.addEventListener("keydown", obey);
  new MutationObserver(refresh).observe(table, { childList: true, subtree: true });
  takeFilter();
  refresh();
  returnToRow();
}
