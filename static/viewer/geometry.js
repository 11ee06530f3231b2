// Where the film lies in a pane. Film coordinates are its own pixels, stage coordinates are CSS pixels.

import { clamp } from "./settings.js";

const LARGEST_SCALE = 16;  // CSS pixels to a pixel of the film
const SMALLEST_OF_FIT = 0.5;
const NEIGHBOUR_GAP = 2;

export class View {
  /** @param film {width, height} in its own pixels. */
  constructor(film) {
    this.film = film;
    this.centre = { x: film.width / 2, y: film.height / 2 };  // the film's point in the middle of a pane
    this.scale = 1;  // CSS pixels to a pixel of the film
    this.mirrored = false;
    this.fitted = true;  // stays so when the pane changes its size
  }

  fit(pane) {
    this.centre = { x: this.film.width / 2, y: this.film.height / 2 };
    this.scale = this.fitting(pane);
    this.fitted = true;
  }

  fitting(pane) {
    return Math.max(1e-6, Math.min(pane.width / this.film.width, pane.height / this.film.height));
  }

  /** The transform from the film's pixels to the stage: stage = offset + factor × film, on each axis. */
  transform(pane) {
    const across = this.mirrored ? -this.scale : this.scale;
    return {
      across,
      down: this.scale,
      x: pane.x + pane.width / 2 - across * this.centre.x,
      y: pane.y + pane.height / 2 - this.scale * this.centre.y,
    };
  }

  toStage(pane, point) {
    const { across, down, x, y } = this.transform(pane);
    return { x: x + across * point.x, y: y + down * point.y };
  }

  toFilm(pane, place) {
    const { across, down, x, y } = this.transform(pane);
    return { x: (place.x - x) / across, y: (place.y - y) / down };
  }

  /** Magnify, and keep the film's point at a place of the stage where it is. */
  zoom(pane, factor, place = { x: pane.x + pane.width / 2, y: pane.y + pane.height / 2 }) {
    const held = this.toFilm(pane, place);
    this.scale = clamp(this.scale * factor, SMALLEST_OF_FIT * this.fitting(pane), LARGEST_SCALE);
    const drifted = this.toFilm(pane, place);
    this.#look(this.centre.x + held.x - drifted.x, this.centre.y + held.y - drifted.y);
  }

  /** Move the film by CSS pixels. */
  pan(dx, dy) {
    const across = this.mirrored ? -this.scale : this.scale;
    this.#look(this.centre.x - dx / across, this.centre.y - dy / this.scale);
  }

  /** Look at the same part of this film as another view does of its own. */
  follow(view, itsPane, pane) {
    this.scale = (this.fitting(pane) * view.scale) / view.fitting(itsPane);
    this.#look((this.film.width * view.centre.x) / view.film.width, (this.film.height * view.centre.y) / view.film.height);
    this.mirrored = view.mirrored;
    this.fitted = view.fitted;
  }

  #look(x, y) {
    this.centre = { x: clamp(x, 0, this.film.width), y: clamp(y, 0, this.film.height) };
    this.fitted = false;
  }
}

/** The panes of a stage: one; or the bare film beside, or above, the film with what is marked. */
export function panesOf({ width, height }, compare) {
  if (compare !== "side") return [{ x: 0, y: 0, width, height, marked: true }];
  if (width >= height) {
    const half = (width - NEIGHBOUR_GAP) / 2;
    return [
      { x: 0, y: 0, width: half, height, marked: false },
      { x: half + NEIGHBOUR_GAP, y: 0, width: half, height, marked: true },
    ];
  }
  const half = (height - NEIGHBOUR_GAP) / 2;
  return [
    { x: 0, y: 0, width, height: half, marked: false },
    { x: 0, y: half + NEIGHBOUR_GAP, width, height: half, marked: true },
  ];
}

export function paneAt(panes, place) {
  const holds = (pane) => place.x < pane.x + pane.width && place.y < pane.y + pane.height;
  return panes.find(holds) ?? panes.at(-1);
}
