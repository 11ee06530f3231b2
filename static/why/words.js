// Figures as the page writes them.

import { figure } from "../words.js";

/** A difference of logits; with a sign also where it is positive, if asked for. */
export function logits(value, signed = false) {
  const digits = Math.abs(value) < 0.095 ? 3 : 2;
  if (!Number(Math.abs(value).toFixed(digits))) return "0";
  return `${value < 0 ? "−" : signed ? "+" : ""}${figure(Math.abs(value), digits)}`;
}

/** A probability, which is never printed as a certainty; figure and sign are never parted. */
export function percent(probability) {
  if (probability < 0.01) return "<\u00a01\u00a0%";
  return probability > 0.99 ? ">\u00a099\u00a0%" : `${(100 * probability).toFixed(0)}\u00a0%`;
}

/** How long something takes, in whole seconds or minutes. */
export function duration(seconds) {
  return seconds < 100 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`;
}
