"""The pages in English and German: accessible, on a narrow screen too, and in one language throughout."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import assert_accessible

PHONE = {"width": 390, "height": 844}
GERMAN_ASKS = {"de": "Ist auf dieser Aufnahme ein Pneumothorax?", "en": "Is there a pneumothorax on this film?"}


@pytest.fixture(params=["de", "en"])
def spoken(request, browser, address):
    """A page of a browser that asks for a language, and that language."""
    context = browser.new_context(base_url=address, locale=request.param, viewport=PHONE)
    context.set_default_timeout(20_000)
    yield context.new_page(), request.param
    context.close()


def fits(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_every_main_page_is_accessible_and_fits_a_phone(spoken, film):
    page, language = spoken
    page.goto("/")
    expect(page.locator("h1")).to_have_text(GERMAN_ASKS[language])
    assert_accessible(page)
    assert fits(page)
    page.set_input_files("#films", film)
    expect(page.locator(".outcome")).to_have_count(1, timeout=30_000)
    assert fits(page)
    page.get_by_role("link", name="chest.dcm", exact=True).click()
    expect(page.locator("#viewer.drawn")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == language
    assert_accessible(page)
    assert fits(page)
    result = page.url
    page.goto(f"{result}/correct")
    expect(page.locator("h1")).to_be_visible()
    assert_accessible(page)
    assert fits(page)
    page.goto("/model")
    expect(page.locator("h1")).to_be_visible()
    assert_accessible(page)
    assert fits(page)


def test_scripts_speak_the_page_s_language(browser, address, film):
    context = browser.new_context(base_url=address, locale="de-DE")
    page = context.new_page()
    page.goto("/")
    page.set_input_files("#films", film)
    expect(page.locator(".outcome")).to_have_count(1, timeout=30_000)
    expect(page.locator("#progress")).to_have_text(re.compile("chest.dcm: Verdacht auf Pneumothorax"))
    page.get_by_role("link", name="chest.dcm", exact=True).click()
    expect(page.locator("#viewer.drawn")).to_be_visible()
    page.locator(".stage").press("?")
    expect(page.locator("#key-groups")).to_contain_text("Vergrößern")
    page.goto(f"{page.url.split('?')[0]}/correct")
    expect(page.locator("#share")).to_have_text(re.compile(r"\d,\d\d % markiert"))
    context.close()


def test_the_language_is_switched_on_the_page_and_stays(page):
    page.goto("/model")
    page.get_by_role("button", name="Deutsch").click()
    expect(page.locator("h1")).to_have_text("Über das Modell")
    page.goto("/")
    expect(page.locator("h1")).to_have_text(GERMAN_ASKS["de"])
    page.get_by_role("button", name="English").click()
    expect(page.locator("h1")).to_have_text(GERMAN_ASKS["en"])
