"""How smoothly a large film moves, and how soon a result is seen, in headless Chromium on this machine.

    python -m tests.benchmarks.viewer               # drawn by canvas, as without a graphics processor
    python -m tests.benchmarks.viewer --webgl       # drawn by WebGL, which the processor computes here

Figures depend on the machine and on what else it does: compare those of one run only.
"""

import argparse
import os
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from app.config import read_settings
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.phantom import draw_phantom, to_png
from tests.server import running_server

SOFTWARE_WEBGL = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
FRAMES = 120

WATCH = """
addEventListener("drawn", () => { window.drawnAt ??= performance.now(); }, true);
"""

TAKE_SOFTWARE = """
const getContext = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, wishes) {
    return getContext.call(this, kind, { ...wishes, failIfMajorPerformanceCaveat: false });
};
"""

MOVE = """async ([frames, what]) => {
    const { viewer: { stage, settings } } = await import("/static/viewer.js");
    const step = {
        pan: (frame) => stage.view.pan(frame % 40 < 20 ? 6 : -6, 3 - (frame % 7)),
        zoom: (frame) => stage.view.zoom(stage.panes[0], frame % 40 < 20 ? 1.03 : 1 / 1.03),
        window: (frame) => settings.set({ window: 60 + (frame % 40), level: 50 }),
    }[what];
    const times = [];
    for (let frame = 0; frame <= frames; frame++) {
        times.push(await new Promise(requestAnimationFrame));
        step(frame);
        stage.redraw();
    }
    return times.slice(1).map((time, index) => time - times[index]);
}"""

PAINTS = """() => {
    const arrived = performance.getEntriesByType("navigation")[0].responseEnd;
    const painted = performance.getEntriesByName("first-contentful-paint")[0].startTime;
    return [painted - arrived, window.drawnAt - arrived];
}"""


def main() -> None:
    """Parse the command line, and measure."""
    parser = argparse.ArgumentParser(description="Measure frame times and first paints of the viewer.")
    parser.add_argument("--side", type=int, default=4000, help="side of the film in pixels")
    parser.add_argument("--webgl", action="store_true", help="let Chromium compute WebGL with the processor")
    options = parser.parse_args()
    arguments = [argument for argument in ARGUMENTS if argument != "--disable-gpu" or not options.webgl]
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        film = Path(name) / "film.png"
        film.write_bytes(to_png(draw_phantom(seed=0, size=options.side).image))
        with running_server(Path(name), PLEURA_WEIGHTS=read_settings()["WEIGHTS"]) as server:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM, args=arguments + (SOFTWARE_WEBGL if options.webgl else [])
            )
            page = browser.new_page(base_url=server.url, viewport={"width": 1440, "height": 900})
            page.add_init_script(WATCH + (TAKE_SOFTWARE if options.webgl else ""))
            cores = len(os.sched_getaffinity(0))
            print(f"Film of {options.side}²; {cores} cores, load {os.getloadavg()[0]:.1f} before")
            measure(page, film)
            browser.close()


def measure(page: Page, film: Path) -> None:
    """Print when the result was painted, and the times between frames while it moves."""
    page.goto("/")
    page.set_input_files("#films", film)
    page.get_by_role("link", name=film.name, exact=True).click(timeout=120_000)
    page.locator("#viewer.drawn").wait_for(timeout=60_000)
    painted, drawn = page.evaluate(PAINTS)
    print(f"Result page, after its answer has arrived: first paint {painted:.0f} ms, film drawn {drawn:.0f} ms")
    drawer = page.evaluate("import('/static/viewer.js').then(({ viewer }) => viewer.stage.film.constructor.name)")
    print(f"{drawer + ', ms per frame':<28} {'median':>7} {'95 %':>7} {'frames/s':>9}")
    for scale in ("fit", "actual"):
        page.locator(f"[data-action={scale}]").click()
        for what in ("pan", "zoom", "window"):
            times = page.evaluate(MOVE, [FRAMES, what])
            high = statistics.quantiles(times, n=20)[-1]
            rate = 1000 / statistics.mean(times)
            print(f"{scale + ', ' + what:<28} {statistics.median(times):>7.1f} {high:>7.1f} {rate:>9.0f}")
        page.locator("[data-action=reset]").click()


if __name__ == "__main__":
    main()
