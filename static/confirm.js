// Asks before a film is deleted: a click away from "open" lies what cannot be undone.

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-deletes]")) return;
  event.preventDefault();
  const dialog = document.querySelector("#confirm");  // the page's present one: see pages.js
  dialog.querySelector(".name").textContent = form.dataset.deletes;
  dialog.returnValue = "";
  dialog.addEventListener("close", () => { if (dialog.returnValue) form.submit(); }, { once: true });
  dialog.showModal();
});
