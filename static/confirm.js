// Asks before a film is deleted: a click away from "open" lies what cannot be undone.

const dialog = document.querySelector("#confirm");

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-deletes]")) return;
  event.preventDefault();
  dialog.querySelector(".name").textContent = form.dataset.deletes;
  dialog.returnValue = "";
  dialog.addEventListener("close", () => { if (dialog.returnValue) form.submit(); }, { once: true });
  dialog.showModal();
});
