"""Every export, clicked in a real browser."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.support.browser import open_result

TITLES = {
    "Report (PDF)": "report.pdf",
    "Overlay (PNG)": "overlay.png",
    "Mask (PNG)": "mask.png",
    "Answer (JSON)": "answer.json",
    "Segmentation": "segmentation.dcm",
    "Probability map": "probability.dcm",
    "Picture with overlay": "capture.dcm",
    "Structured report": "report.dcm",
}


def download(page: Page, title: str) -> tuple[str, bytes]:
    with page.expect_download(timeout=60_000) as started:
        page.get_by_role("button", name=title, exact=True).click()
    return started.value.suggested_filename, started.value.path().read_bytes()


def test_each_export_is_downloaded_and_the_page_stays(page, film, complaints):
    open_result(page, film)
    address = page.url
    for title, file in TITLES.items():
        name, content = download(page, title)
        assert name == f"chest-pleura-{file}"
        assert len(content) > 300
    assert page.url == address
    assert complaints == []


def test_whose_film_it_is_can_be_left_out(page, film):
    open_result(page, film)
    assert b"Phantom^Synthetic" in download(page, "Structured report")[1]
    page.get_by_role("checkbox", name="Remove patient data").check()
    name, content = download(page, "Structured report")
    assert name == "deidentified-pleura-report.dcm"
    assert b"Phantom" not in content


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)])
def test_the_section_is_accessible(page, film, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    open_result(page, film)
    expect(page.get_by_role("heading", name="Export")).to_be_visible()
    results = Axe().run(page, context="section.exports")
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
