// Shows whose films these are, or hides it, as for teaching. A classic script, so that nothing is shown before it has run.

"use strict";

{
  const KEY = "pleura.hide-identity";
  const root = document.documentElement;
  let hidden = false;
  try {
    hidden = localStorage.getItem(KEY) === "yes";
  } catch {
    // Storage is barred: the choice holds until the page is left.
  }

  root.classList.toggle("anonymous", hidden);
  document.addEventListener("DOMContentLoaded", () => {
    const choice = document.querySelector("#show-identity");
    if (!choice) return;
    choice.checked = !hidden;
    choice.addEventListener("change", () => {
      try {
        localStorage.setItem(KEY, choice.checked ? "no" : "yes");
      } catch {
        // As above.
      }
      root.classList.toggle("anonymous", !choice.checked);
    });
  });
}
