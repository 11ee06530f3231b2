// Films fetched before they are asked for: their page and their picture, decoded.

const LONGEST = 60_000;  // milliseconds that a page is believed: films are deleted, and verdicts change
const AHEAD = { headers: { "X-Purpose": "prefetch" } };  // not seen yet, as far as list and audit trail are concerned
const films = new Map();

/** Fetch a film's page and picture; at once if they were fetched before. */
export function filmAt(address) {
  const known = films.get(address);
  if (known && Date.now() - known.at < LONGEST) return known.film;
  const film = fetchFilm(address);
  films.clear();  // one is enough: a decoded film is large
  films.set(address, { film, at: Date.now() });
  film.catch(() => films.delete(address));
  return film;
}

export function forget() {
  films.clear();
}

async function fetchFilm(address) {
  const answer = await fetched(address);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const picture = await fetched(page.querySelector(".viewer .film img").getAttribute("src"));
  const bitmap = await createImageBitmap(await picture.blob(), { colorSpaceConversion: "none" });
  return { page, bitmap };
}

async function fetched(address) {
  const answer = await fetch(address, AHEAD);
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer;
}
