// The choice of an encoder stage.

import { tr } from "../words.js";

const NAMES = {
  1: [tr("the only one")],
  2: [tr("fine"), tr("coarse")],
  3: [tr("fine"), tr("medium"), tr("coarse")],
  4: [tr("fine"), tr("rather fine"), tr("rather coarse"), tr("coarse")],
  5: [tr("fine"), tr("rather fine"), tr("medium"), tr("rather coarse"), tr("coarse")],
};

/** Fill a fieldset with a radio button a stage; the last, which sees the most, is chosen. */
export function fillStages(fieldset, stages, film, onChange) {
  const names = NAMES[stages.length] ?? [];
  stages.forEach(({ side }, index) => {
    const label = document.createElement("label");
    const input = Object.assign(document.createElement("input"), { type: "radio", name: "why-stage", value: index });
    input.checked = index === stages.length - 1;
    input.addEventListener("change", onChange);
    const cell = [film.width, film.height].map((length) => Math.round(length / side)).join(" × ");
    label.append(input, ` ${index + 1}, ${names[index] ?? ""} `, note(cell));
    fieldset.append(label);
  });
}

function note(text) {
  return Object.assign(document.createElement("span"), { className: "muted", textContent: text });
}
