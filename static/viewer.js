// The overlay's and the film's display controls. They change what is seen, never what was found.

const $ = (selector) => document.querySelector(selector);
const film = $(".film img");
const overlay = $(".overlay");
const brightness = $("#brightness");
const contrast = $("#contrast");

function showFilm() {
  film.style.filter = `brightness(${brightness.value}%) contrast(${contrast.value}%)`;
}

function showOverlay() {
  const opacity = $("#opacity");
  overlay.classList.toggle("hidden", !$("#show-overlay").checked);
  $(".contour").classList.toggle("hidden", !$("#show-contour").checked);
  $(".fill").style.opacity = opacity.value / 100;
  $("output[for=opacity]").textContent = `${opacity.value} %`;
}

function toggle(checkbox) {
  checkbox.checked = !checkbox.checked;
  checkbox.dispatchEvent(new Event("input", { bubbles: true }));
}

document.documentElement.classList.add("scripting");
for (const control of [brightness, contrast]) control.addEventListener("input", showFilm);
$("#reset").addEventListener("click", () => {
  brightness.value = contrast.value = 100;
  showFilm();
});
if (overlay) {
  for (const id of ["#show-overlay", "#show-contour", "#opacity"]) $(id).addEventListener("input", showOverlay);
  showOverlay();
  const keys = { h: $("#show-overlay"), c: $("#show-contour") };
  document.addEventListener("keydown", (event) => {
    const checkbox = keys[event.key.toLowerCase()];
    if (!checkbox || event.ctrlKey || event.metaKey || event.altKey || !$("#shortcuts").checked) return;
    toggle(checkbox);
  });
}
