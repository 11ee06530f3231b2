// What this browser remembers from page to page. Where storage is barred nothing is: a choice then holds for its page.

export function stored(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function store(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // As above.
  }
}
