// The section "Why": nothing of it is loaded until it is opened. A reload finds it as it was left.

import { onEachPage } from "./pages.js";
import { inTab } from "./stored.js";

document.documentElement.classList.add("scripting");
onEachPage((signal) => {
  const section = document.querySelector("#why");
  const details = section.querySelector("details");
  const memory = `pleura-why ${section.dataset.address}`;
  details?.addEventListener("toggle", async () => {
    if (!details.open) return inTab.remove(memory);
    inTab.set(memory, "open");
    const { show } = await import("./why/section.js");
    if (!signal.aborted) show(section, signal);
  });
  if (details && inTab.get(memory)) details.open = true;
});
