// Counts down to each study's deletion, and then stops showing it: the server has it no longer.

const shown = new Map();

function start(time) {
  shown.set(time, Date.now() + 1000 * Number(time.dataset.secondsLeft));
}

export function update() {
  document.querySelectorAll("time[data-seconds-left]").forEach((time) => {
    if (!shown.has(time)) start(time);
    const seconds = (shown.get(time) - Date.now()) / 1000;
    time.textContent = `${Math.max(0, Math.ceil(seconds / 60))} min`;
    if (seconds <= 0) expire(time);
  });
}

function expire(time) {
  const item = time.closest(".outcome");
  if (item) item.remove();
  else location.reload();
}

update();
setInterval(update, 5000);
document.addEventListener("visibilitychange", update);
