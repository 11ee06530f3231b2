// The buttons and sliders around the film: each is bound to one setting by its `data-setting`.

const STEP = 5;

/** Let every control change its setting, and show every change, whoever made it. */
export function bind(root, settings) {
  const controls = root.querySelectorAll("[data-setting]");
  for (const control of controls) {
    const type = control.matches("button") ? "click" : "input";
    control.addEventListener(type, () => settings.set({ [control.dataset.setting]: chosen(control) }));
  }
  settings.watch((now) => {
    for (const control of controls) show(control, now[control.dataset.setting]);
    for (const part of root.querySelectorAll("[data-shown-for]")) part.hidden = !isShownFor(part, now);
    root.querySelector("#mirrored")?.toggleAttribute("hidden", !now.mirror);
    root.dataset.tool = now.tool;
  });
}

function chosen(control) {
  if (control.matches("button")) return control.getAttribute("aria-pressed") !== "true";
  return control.type === "range" ? Number(control.value) : control.value;
}

function show(control, value) {
  if (control.matches("button")) control.setAttribute("aria-pressed", value);
  else if (control.type === "radio") control.checked = control.value === value;
  else {
    control.value = value;
    const output = control.parentElement.querySelector("output");
    if (output) output.textContent = `${Math.round(value)} %`;
  }
}

// `data-shown-for="layer:probability uncertainty"`: only while the setting has one of these values.
function isShownFor(part, now) {
  const [setting, values] = part.dataset.shownFor.split(":");
  return values.split(" ").includes(now[setting]);
}

/** Choose the value of a setting that comes after the present one. */
export function next(settings, setting, values) {
  const index = values.indexOf(settings.now[setting]);
  settings.set({ [setting]: values[(index + 1) % values.length] });
}

/** Hide what lies over the film, or show it again. */
export function hideOrShow(settings) {
  const { layer, hiddenLayer } = settings.now;
  if (layer === "off") settings.set({ layer: hiddenLayer ?? settings.initial.layer });
  else settings.set({ layer: "off", hiddenLayer: layer });
}

export function fade(settings, direction) {
  settings.set({ opacity: Math.min(100, Math.max(0, settings.now.opacity + STEP * direction)) });
}
