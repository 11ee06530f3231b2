// What the server says when it refuses: to a script in a problem document, to a form on a page.

/** Read an answer's { title, detail, code }; null where it says nothing of the kind, as one of a proxy. */
export async function refusalOf(answer) {
  const text = await answer.clone().text();
  try {
    return JSON.parse(text);
  } catch {
    return refusalOn(new DOMParser().parseFromString(text, "text/html"));
  }
}

/** Read the same off a page, which may be missing. */
export function refusalOn(page) {
  const outcome = page?.querySelector(".outcome.failed");
  if (!outcome) return null;
  const text = (selector) => outcome.querySelector(selector).textContent.trim();
  return { title: text("h1, h3, .title"), detail: text(".detail"), code: text("code.reason") };
}
