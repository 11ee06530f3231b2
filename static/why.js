// The section "Why": nothing of it is loaded until it is opened. A reload finds it as it was left.

const section = document.querySelector("#why");
const details = section.querySelector("details");
const memory = `pleura-why ${section.dataset.address}`;

document.documentElement.classList.add("scripting");
details?.addEventListener("toggle", async () => {
  if (!details.open) return sessionStorage.removeItem(memory);
  sessionStorage.setItem(memory, "open");
  const { show } = await import("./why/section.js");
  show(section);
});
if (details && sessionStorage.getItem(memory)) details.open = true;
