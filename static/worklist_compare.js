// Shows and hides what the model marks, on both films at once.

const box = document.querySelector("#show-marks");

function show() {
  for (const overlay of document.querySelectorAll(".overlay")) overlay.classList.toggle("hidden", !box.checked);
}

document.documentElement.classList.add("scripting");
box.addEventListener("input", show);
document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "h" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (localStorage.getItem("pleura-list-keys") === "off") return;
  box.checked = !box.checked;
  show();
});
