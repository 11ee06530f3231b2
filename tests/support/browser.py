"""A real browser, and a real server for it."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Page, expect
from werkzeug.serving import make_server

from app.web.services import services

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

SIZES = [(1440, 900), (390, 844)]


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """Serve until the block is left; yield the address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    services(app).studies.close()


def upload(page: Page, *paths: Path) -> None:
    """Choose films on the first page, and wait for what becomes of each."""
    page.goto("/")
    before = page.locator(".outcome").count()
    page.set_input_files("#films", paths)
    expect(page.locator(".outcome")).to_have_count(before + len(paths), timeout=30_000)


def show_result(page: Page, film: Path) -> None:
    """Upload one film and open its result; under a finger it opens by itself."""
    page.goto("/")
    page.set_input_files("#films", film)
    if not page.evaluate("matchMedia('(pointer: coarse)').matches"):
        page.get_by_role("link", name=film.name, exact=True).first.click(timeout=30_000)
    page.wait_for_url("**/studies/*", timeout=30_000)


def open_result(page: Page, film: Path) -> None:
    """Upload the synthetic film, and open its result."""
    upload(page, film)
    expect(page.locator("#progress")).to_have_text("chest.dcm: Pneumothorax suspected, 1 warning")
    expect(page.locator(".empty")).to_be_hidden()
    page.get_by_role("link", name="chest.dcm").click()
    expect(page.locator("#viewer.drawn")).to_be_visible()  # the script runs


def assert_accessible(page: Page) -> None:
    """Fail where axe finds a fault, be the page dark or light."""
    page.emulate_media(reduced_motion="reduce")  # a colour on its way from one to the other has no contrast
    for _ in range(2):
        page.evaluate("document.documentElement.classList.toggle('light')")
        results = Axe().run(page)
        assert results.violations_count == 0, results.generate_report()
