"""A result on paper, whose film it is on the screen, and what happens before a film expires."""

import io

import pypdf
from playwright.sync_api import expect

from tests.support.browser import open_result


def test_a_result_is_printed_on_one_page_with_its_notice(page, film):
    open_result(page, film)
    pages = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True))).pages
    assert len(pages) == 1
    text = pages[0].extract_text()
    assert "Research use only" in text
    assert "Pneumothorax suspected" in text
    page.emulate_media(media="print")
    shown = page.locator(".film img").bounding_box()
    natural = page.locator(".film img").evaluate("image => image.naturalWidth / image.naturalHeight")
    assert abs(shown["width"] / shown["height"] - natural) < 0.01


def test_whose_film_it_is_can_be_hidden_and_stays_so(page, film):
    open_result(page, film)
    whose = page.locator(".film .whose")
    expect(whose).to_be_visible()
    page.get_by_label("Patient data", exact=True).uncheck()
    expect(whose).to_be_hidden()
    page.reload()
    expect(page.locator("#viewer.drawn")).to_be_visible()
    expect(whose).to_be_hidden()


def test_the_reader_is_asked_before_a_film_expires(page, film):
    page.clock.install()
    open_result(page, film)
    banner = page.locator("#expiring")
    expect(banner).to_be_hidden()
    page.clock.fast_forward("56:00")
    expect(banner).to_contain_text("deleted in 4 min")
    refusal = {"code": "storage_full", "title": "No room is left for films", "detail": "The disk is full."}
    page.route("**/keep", lambda route: route.fulfill(status=507, json=refusal), times=1)
    banner.get_by_role("button", name="Keep longer").click()
    expect(banner.get_by_role("alert")).to_have_text("The disk is full.")
    banner.get_by_role("button", name="Keep longer").click()
    expect(banner).to_be_hidden()
    page.clock.fast_forward("59:58")
    page.clock.fast_forward("00:10")
    expect(banner).to_contain_text("Expired")
    expect(page.locator(".study")).to_be_hidden()
