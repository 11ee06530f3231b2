// Two switches of every page: whose films these are is shown or hidden, as for teaching; the page is dark or light. A
// classic script, so that nothing is shown before it has run.

"use strict";

{
  const root = document.documentElement;
  const switches = [
    { id: "show-identity", key: "pleura.hide-identity", name: "anonymous", meant: false },
    { id: "light-page", key: "pleura.light-page", name: "light", meant: true },
  ]; // "meant": whether the box is checked where the page has the name

  for (const { id, key, name, meant } of switches) {
    root.classList.toggle(name, stored(key) === "yes");
    document.addEventListener("DOMContentLoaded", () => {
      const box = document.getElementById(id);
      if (!box) return;
      box.checked = root.classList.contains(name) === meant;
      box.addEventListener("change", () => {
        root.classList.toggle(name, box.checked === meant);
        store(key, box.checked === meant ? "yes" : "no");
      });
    });
  }

  // Storage may be barred: a choice then holds until the page is left.
  function stored(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  }

  function store(key, value) {
    try {
      localStorage.setItem(key, value);
    } catch {
      // As above.
    }
  }
}
