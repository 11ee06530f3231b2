"""The whole way of a film, in a real browser."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser import SIZES, assert_accessible, open_result, upload
from tests.support.film_files import to_dicom


def test_from_a_dicom_film_to_its_answer(page, film, complaints):
    open_result(page, film)
    expect(page.get_by_role("heading", level=1)).to_have_text("Pneumothorax suspected · 1 warning")
    film_shown = page.get_by_alt_text("The uploaded chest radiograph")
    assert film_shown.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [384, 384]
    assert page.locator(".contour").evaluate("path => path.getTotalLength()") > 100
    expect(page.locator("tbody")).to_contain_text("mm² at the detector")
    assert complaints == []


@pytest.mark.parametrize("size", SIZES)
def test_a_refused_film_is_shown_with_what_to_do(page, phantom, size, tmp_path):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    scan = tmp_path / "scan.dcm"
    scan.write_bytes(to_dicom(phantom.image, Modality="CT"))
    upload(page, scan)
    row = page.locator(".outcome.failed")
    expect(row).to_contain_text("The modality is CT; send a radiograph")
    picture = row.get_by_alt_text("What the file shows")
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 320
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert_accessible(page)


def test_a_hundred_files_that_fail_keep_no_film_from_its_answer(page, film, tmp_path):
    letters = [tmp_path / f"letter {number}.txt" for number in range(99)]
    for letter in letters:
        letter.write_text("no film")
    page.goto("/")
    page.set_input_files("#films", [*letters[:50], film, *letters[50:]])
    expect(page.locator("#tally")).to_contain_text("of 100 done")
    expect(page.locator(".outcome.failed")).to_have_count(99, timeout=90_000)
    expect(page.locator(".outcome").first).to_contain_text("Pneumothorax suspected")
    expect(page.locator("#queue")).to_be_hidden()


def test_each_film_that_fails_says_why(page, film, tmp_path):
    broken, huge, letter = tmp_path / "broken.dcm", tmp_path / "huge.dcm", tmp_path / "letter.txt"
    broken.write_bytes(film.read_bytes()[:50_000])
    letter.write_text("no film")
    with huge.open("wb") as file:
        file.truncate(101 * 2**20)
    upload(page, broken, film, huge, letter)
    outcomes = page.locator("#film-list .outcome")
    expect(outcomes.nth(0)).to_contain_text("Pneumothorax suspected")
    for name, reason in (
        ("broken.dcm", "truncated_image"),
        ("huge.dcm", "The file has 101.0 MiB; 100 MiB is the limit."),
        ("letter.txt", "unsupported_format"),
    ):
        expect(outcomes.filter(has_text=name)).to_contain_text(reason)


def test_a_page_from_before_a_restart_sends_its_films_all_the_same(page, context, film):
    page.goto("/")
    context.clear_cookies()
    page.set_input_files("#films", film)
    expect(page.locator(".outcome")).to_contain_text("Pneumothorax suspected")


def test_a_browser_that_keeps_no_cookies_is_told_so_and_can_reload(page, context, film):
    page.goto("/")
    stale = page.request.post("/studies").text()  # what a server says to a form without its token
    page.route("**/studies", lambda route: route.fulfill(status=400, content_type="text/html", body=stale))
    page.set_input_files("#films", film)
    row = page.locator(".outcome.failed")
    expect(row).to_contain_text("chest.dcm")
    expect(row).to_contain_text("form_expired")
    page.unroute("**/studies")
    with page.expect_navigation():
        row.get_by_role("button", name="Reload").click()
    expect(row.get_by_role("button", name="Reload")).to_be_visible()


def test_where_a_browser_bars_storage_the_list_and_the_result_work(page, film, complaints):
    for storage in ("localStorage", "sessionStorage"):
        barred = "{ get() { throw new DOMException('barred', 'SecurityError'); } }"
        page.add_init_script(f"Object.defineProperty(window, '{storage}', {barred})")
    open_result(page, film)
    page.get_by_text("Show what moved the score").click()
    expect(page.locator(".why-score")).to_contain_text("The score explained")
    page.goto("/")
    page.route("**/studies", lambda route: route.abort(), times=1)
    page.set_input_files("#films", film)
    expect(page.locator(".outcome.failed")).to_contain_text("no_answer")
    assert [text for text in complaints if "ERR_FAILED" not in text] == []


def test_a_film_can_be_dropped(page, film):
    page.goto("/")
    transfer = page.evaluate_handle(
        """bytes => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], "dropped.dcm"));
            return transfer;
        }""",
        list(film.read_bytes()),
    )
    page.dispatch_event(".drop", "dragover", {"dataTransfer": transfer})
    expect(page.locator("form.dragging")).to_be_visible()
    page.dispatch_event(".drop", "drop", {"dataTransfer": transfer})
    expect(page.locator("form.dragging")).to_have_count(0)
    expect(page.get_by_role("link", name="dropped.dcm")).to_be_visible()


def test_another_browser_session_gets_nothing(page, browser, address, film):
    open_result(page, film)
    expect(page).to_have_url(re.compile("/studies/"))
    stranger = browser.new_context()
    for path in ("", "/film.png", "/mask.png"):
        assert stranger.request.get(page.url + path).status == 404
        assert page.request.get(page.url + path).status == 200
    stranger.close()


def test_deleting_now_takes_the_film_off_the_list(page, film):
    open_result(page, film)
    place = page.url
    page.get_by_role("button", name="Delete now").click()
    expect(page.get_by_role("dialog")).to_contain_text(f"Delete {film.name}?")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.request.get(place).ok
    page.get_by_role("button", name="Delete now").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator(".empty")).to_be_visible()
    assert page.goto(place).status == 404


def test_an_expired_result_does_not_stay_on_the_screen(page, film):
    page.clock.install()
    upload(page, film)
    page.locator(".menu summary").click()
    expect(page.locator("time")).to_have_text("60 min")
    page.clock.fast_forward("15:00")
    expect(page.locator("time")).to_have_text("45 min")
    page.clock.fast_forward("46:00")
    expect(page.locator("#film-list .outcome")).to_have_count(0)


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until a control has the focus."""
    for _ in range(60):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"Tab does not reach {target}")


def test_the_whole_way_with_the_keyboard_alone(page, film, complaints):
    with page.expect_file_chooser() as chooser:  # from the start: the browser takes a moment to begin listening
        page.goto("/")
        tab_to(page, page.locator("#films"))
        page.keyboard.press("Space")
    chooser.value.set_files(film)
    result = page.get_by_role("link", name=film.name)
    result.wait_for()
    page.keyboard.press("j")
    expect(result).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#viewer.drawn")).to_be_visible()
    tab_to(page, page.get_by_role("button", name="Wrong", exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Wrong", exact=True)).to_have_attribute("aria-pressed", "true")
    tab_to(page, page.get_by_role("checkbox", name="Remove patient data"))
    page.keyboard.press("Space")
    tab_to(page, page.get_by_text("Show what moved the score"))
    page.keyboard.press("Enter")
    expect(page.locator(".why-score")).to_contain_text("The score explained")
    page.keyboard.press("Shift+Tab")
    tab_to(page, page.get_by_role("link", name="All films"))
    page.keyboard.press("Enter")
    expect(page.locator(".outcome")).to_contain_text("You: wrong")
    tab_to(page, page.locator(".menu summary"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("button", name="Delete now"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Keep", exact=True)).to_be_focused()
    tab_to(page, page.get_by_role("button", name="Delete", exact=True))
    page.keyboard.press("Enter")
    expect(page.locator(".outcome")).to_have_count(0)
    assert complaints == []


def test_it_works_without_scripts(browser, address, film):
    context = browser.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    page.set_input_files("#films", film)
    page.get_by_role("button", name="Analyse").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Pneumothorax suspected · 1 warning")
    page.wait_for_load_state()  # with its style sheets
    expect(page.locator(".overlay")).to_be_visible()
    shown = page.get_by_alt_text("The uploaded chest radiograph")
    assert page.locator(".overlay").bounding_box() == shown.bounding_box()
    expect(page.locator(".live")).not_to_have_count(0)
    expect(page.locator(".live >> visible=true")).to_have_count(0)
    context.close()


@pytest.mark.parametrize("size", SIZES)
def test_pages_are_accessible_and_fit(page, film, size, tmp_path, complaints):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    letter = tmp_path / "letter.txt"
    letter.write_text("no film")
    page.goto("/")
    assert_accessible(page)
    upload(page, film)
    assert complaints == []
    upload(page, letter)
    assert_accessible(page)
    page.get_by_role("link", name="chest.dcm").click()
    expect(page.locator("#viewer.drawn")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Delete now").click()
    assert_accessible(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto("/nowhere")
    assert_accessible(page)
