// What the browser and the tab remember from page to page. Where storage is barred nothing is: a choice then holds for its page.

/** What this browser remembers. */
export const inBrowser = remembering(() => localStorage);

/** What this tab remembers. */
export const inTab = remembering(() => sessionStorage);

// Even to name a storage that is barred is an error.
function remembering(storage) {
  return {
    get: (key) => attempt(() => storage().getItem(key)),
    set: (key, value) => attempt(() => storage().setItem(key, value)),
    remove: (key) => attempt(() => storage().removeItem(key)),
  };
}

function attempt(act) {
  try {
    return act();
  } catch {
    return null;
  }
}
