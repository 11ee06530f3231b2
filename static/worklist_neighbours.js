// From a result to the next one of the worklist: J and K, or the arrow keys where nothing else wants them.

const link = (rel) => document.querySelector(`.neighbours a[rel=${rel}]`);
const steps = { j: "next", k: "prev", ArrowRight: "next", ArrowLeft: "prev" };

function keysAreOn() {
  return localStorage.getItem("pleura-list-keys") !== "off" && document.querySelector("#shortcuts")?.checked !== false;
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  const isArrow = event.key.startsWith("Arrow");
  const step = steps[isArrow ? event.key : event.key.toLowerCase()];
  if (!step || !(isArrow ? event.target === document.body : keysAreOn())) return;
  if (event.target.matches("input[type=text], input[type=search], input[type=number], textarea, select")) return;
  link(step)?.click();
});
