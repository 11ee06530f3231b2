"""How smoothly a large film moves, how soon a result is seen, and how heavy its page is, in headless Chromium.

    python -m tests.benchmarks.viewer

Headless, the processor does the work of a graphics processor: the film is drawn by canvas, not by WebGL. "Script" is
the time of the page's own code in a frame, "CPU" what all of Chromium's processes computed in it; in the rows "nothing"
the page draws nothing. Times between frames depend on what else the machine does; those of the processor hardly do.
"""

import argparse
import os
import statistics
import tempfile
from pathlib import Path

import cv2
import numpy as np
from playwright.sync_api import Page, sync_playwright

from app.config import read_settings
from tests.support.browser import ARGUMENTS, CHROMIUM
from tests.support.film_files import to_png
from tests.support.server import running_server
from training.releasing.phantom.drawing import draw_phantom

FRAMES = 60

WATCH = """
addEventListener("drawn", () => { window.drawnAt ??= performance.now(); }, true);
"""

MOVE = """async ([frames, what]) => {
    const { viewer: { stage, settings } } = await import("/static/viewer.js");
    const step = {
        nothing: () => {},
        pan: (frame) => stage.view.pan(frame % 40 < 20 ? 6 : -6, 3 - (frame % 7)),
        zoom: (frame) => stage.view.zoom(stage.panes[0], frame % 40 < 20 ? 1.03 : 1 / 1.03),
        window: (frame) => settings.set({ window: 60 + (frame % 40), level: 50 }),
    }[what];
    const times = [];
    let scripted = 0;
    const { draw } = stage;
    stage.draw = () => {
        const started = performance.now();
        draw.call(stage);
        scripted += performance.now() - started;
    };
    for (let frame = 0; frame <= frames; frame++) {
        times.push(await new Promise(requestAnimationFrame));
        step(frame);
        if (what !== "nothing") stage.redraw();
    }
    stage.draw = draw;
    return [times.slice(1).map((time, index) => time - times[index]), scripted / frames];
}"""

PAINTS = """() => {
    const arrived = performance.getEntriesByType("navigation")[0].responseEnd;
    const painted = performance.getEntriesByName("first-contentful-paint")[0].startTime;
    return [painted - arrived, window.drawnAt - arrived];
}"""


TURN = """() => new Promise((done) => {
    const started = performance.now();
    addEventListener("drawn", () => done(performance.now() - started), { once: true, capture: true });
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "j", bubbles: true }));
})"""


def main() -> None:
    """Parse the command line, and measure."""
    parser = argparse.ArgumentParser(description="Measure frame times, first paint and weight of a result.")
    parser.add_argument("--side", type=int, default=4000, help="side of the film in pixels")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        film = Path(name) / "film.png"
        film.write_bytes(to_png(draw_film(options.side)))
        with running_server(Path(name), PLEURA_WEIGHTS=read_settings()["WEIGHTS"]) as server:
            cores = len(os.sched_getaffinity(0))
            print(f"Film of {options.side}²; {cores} cores, load {os.getloadavg()[0]:.1f} before")
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            page = browser.new_page(base_url=server.url, viewport={"width": 1440, "height": 900})
            page.add_init_script(WATCH)
            measure(page, film)
            measure_turning(page, film)
            page.close()
            browser.close()


def cpu_seconds(page: Page) -> float:
    """The processor's time that all processes of the browser have taken so far."""
    session = page.context.browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    return sum(process["cpuTime"] for process in processes)


def draw_film(side: int) -> np.ndarray:
    """Draw a film a quarter as large, for a large one takes minutes to draw, and enlarge it."""
    return cv2.resize(draw_phantom(seed=0, size=side // 4).image, (side, side), interpolation=cv2.INTER_LINEAR)


def measure(page: Page, film: Path) -> None:
    """Print when a result was painted, the weight of its page, and the times between frames while the film moves."""
    page.goto("/")
    page.set_input_files("#films", film)
    result = page.get_by_role("link", name=film.name, exact=True)
    result.wait_for(timeout=120_000)
    sizes = {}
    page.on("requestfinished", lambda request: sizes.update({request.url: request.sizes()["responseBodySize"]}))
    result.click()
    page.locator("#viewer.drawn").wait_for(timeout=60_000)
    weight = sum(size for url, size in sizes.items() if not url.endswith("film.png"))
    painted, drawn = page.evaluate(PAINTS)
    print(f"Result page: {weight / 1024:.0f} KiB without the film; after its answer has arrived")
    print(f"first paint {painted:.0f} ms, film drawn {drawn:.0f} ms")
    drawer = page.evaluate("import('/static/viewer.js').then(({ viewer }) => viewer.stage.film.constructor.name)")
    print(f"{drawer + ', ms per frame':<28} {'median':>7} {'95 %':>7} {'script':>7} {'CPU':>7} {'frames/s':>9}")
    for scale in ("fit", "actual"):
        page.locator(f"[data-action={scale}]").click()
        for what in ("nothing", "pan", "zoom", "window"):
            before = cpu_seconds(page)
            times, script = page.evaluate(MOVE, [FRAMES, what])
            cpu = 1000 * (cpu_seconds(page) - before) / FRAMES
            median, high = statistics.median(times), statistics.quantiles(times, n=20)[-1]
            rate = 1000 / statistics.mean(times)
            print(f"{f'{scale}, {what}':<28} {median:>7.1f} {high:>7.1f} {script:>7.2f} {cpu:>7.1f} {rate:>9.0f}")
        page.locator("[data-action=reset]").click()


def measure_turning(page: Page, film: Path) -> None:
    """Print how soon after its key the next film of the worklist is drawn; it was fetched while this one was read."""
    page.goto("/")
    page.set_input_files("#films", {"name": "next.png", "mimeType": "image/png", "buffer": film.read_bytes()})
    page.locator(".outcome").nth(1).wait_for(timeout=120_000)
    page.goto("/")
    page.locator(".film-name a").first.click()
    times = []
    for _ in range(10):
        page.locator("#viewer.drawn").wait_for()
        page.wait_for_load_state("networkidle")
        times.append(page.evaluate(TURN))
        page.locator(".neighbours a[rel=prev]").click()
        page.locator(".neighbours a[rel=next]").wait_for()
    print(f"Next film: drawn {statistics.median(times):.0f} ms after its key, {max(times):.0f} ms at most")


if __name__ == "__main__":
    main()
