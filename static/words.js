// What the scripts say, in the reader's language: the page brings the words along where they are not English.

const block = globalThis.document?.getElementById("words");
const words = block ? JSON.parse(block.textContent) : {};
const locale = globalThis.document?.documentElement.lang || "en";

function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);
}

/** A text in the reader's language, with values in the places that their names stand in. */
export function tr(text, values = {}) {
  return filled(words[text] ?? text, values);
}

/** A text with a count in it: `one` for one, `many` for any other. */
export function trN(one, many, count, values = {}) {
  const [single, several] = words[one] ?? [one, many];
  return filled(count === 1 ? single : several, { count, ...values });
}

/** A figure with so many digits after its point, which is a comma in German. */
export function figure(value, digits = 0) {
  const text = value.toFixed(digits);
  return locale === "de" ? text.replace(".", ",") : text;
}
