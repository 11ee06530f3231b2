"""From film to film: within the filter, in full screen, at once, and back to the row one came from."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import assert_accessible, upload
from tests.support.film_files import to_png
from training.releasing.phantom.drawing import draw_phantom

ROWS_IN_SIGHT = {(1440, 900): 15, (2560, 1440): 30}


@pytest.fixture(scope="module")
def films(tmp_path_factory) -> list:
    """Three small films."""
    folder = tmp_path_factory.mktemp("films")
    for number in range(3):
        (folder / f"film-{number}.png").write_bytes(to_png(draw_phantom(number, 256).image))
    return sorted(folder.iterdir())


def names(page: Page) -> list[str]:
    return page.locator(".outcome .film-name >> visible=true").all_inner_texts()


def open_first(page: Page) -> None:
    page.locator(".outcome .film-name a >> visible=true").first.click()
    expect(page.locator("#viewer.drawn")).to_be_visible()


def expect_film(page: Page, name: str) -> None:
    expect(page.locator(".study .name").first).to_have_text(name)
    expect(page.locator("#viewer.drawn")).to_be_visible()


def test_thirty_films_are_in_sight(page, films, tmp_path):
    for number in range(32):
        (tmp_path / f"film-{number}.png").write_bytes(films[0].read_bytes())
    page.goto("/")
    page.set_input_files("#films", sorted(tmp_path.iterdir()))
    expect(page.locator(".outcome")).to_have_count(32, timeout=120_000)
    expect(page.locator("#queue")).to_be_hidden()
    for size, least in ROWS_IN_SIGHT.items():
        page.set_viewport_size({"width": size[0], "height": size[1]})
        seen = page.locator(".outcome").evaluate_all(
            "rows => rows.filter((row) => row.getBoundingClientRect().bottom <= innerHeight).length"
        )
        assert seen >= least
    page.set_viewport_size({"width": 1440, "height": 900})
    page.locator(".outcome").last.scroll_into_view_if_needed()
    head = page.locator("#film-list thead th").first.bounding_box()
    bar = page.locator(".reading-room .topbar").first.bounding_box()
    assert bar["y"] == 0
    assert head["y"] == pytest.approx(bar["height"], abs=1.5)


def test_each_film_has_a_thumbnail_and_is_new_until_it_was_seen(page, films):
    upload(page, *films)
    picture = page.locator(".outcome .picture img").first
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 96
    expect(page.locator(".outcome .seen .state")).to_have_text(["New", "New", "New"])
    open_first(page)
    page.get_by_role("link", name="All films").click()
    expect(page.locator(".outcome .seen .state")).to_have_text(["Seen", "New", "New"])


def test_the_filter_holds_while_films_are_opened(page, films):
    upload(page, *films)
    everything = names(page)
    page.get_by_role("searchbox").fill("film-1")
    page.get_by_role("searchbox").fill("film-")
    open_first(page)
    expect(page.locator(".neighbours")).to_contain_text("1 of 3 with “film-”")
    page.keyboard.press("j")
    expect_film(page, everything[1])
    expect(page.locator(".neighbours")).to_contain_text("2 of 3 with “film-”")
    page.get_by_role("button", name="No pneumothorax here").click()
    expect(page.get_by_text("Your mask marks nothing.")).to_be_visible()
    expect(page.locator(".neighbours")).to_contain_text("2 of 3 with “film-”")  # a verdict does not end it
    page.get_by_role("link", name="All films").click()
    expect(page.get_by_role("searchbox")).to_have_value("film-")
    expect(page.get_by_role("link", name=everything[1])).to_be_focused()
    page.get_by_role("searchbox").fill("film-1")
    page.get_by_role("button", name="Deutsch").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.get_by_role("searchbox")).to_have_value("film-1")


def test_back_returns_to_the_row(page, films):
    upload(page, *films)
    everything = names(page)
    page.get_by_text("With warnings", exact=True).click()
    page.get_by_text("All", exact=True).click()
    open_first(page)
    page.keyboard.press("j")
    expect_film(page, everything[1])
    page.go_back()
    expect(page.get_by_role("link", name=everything[1])).to_be_focused()


def test_a_second_return_goes_to_its_own_row_not_to_the_address_s(page, films):
    upload(page, *films)
    everything = names(page)
    open_first(page)
    page.get_by_role("link", name="All films").click()
    expect(page.get_by_role("link", name=everything[0])).to_be_focused()
    page.get_by_role("link", name=everything[2]).click()
    expect_film(page, everything[2])
    page.go_back()
    expect(page.get_by_role("link", name=everything[2])).to_be_focused()


def test_the_address_of_another_part_of_the_list_is_no_row(page, films, complaints):
    page.goto("/#main")  # as the link to the content leaves it
    page.set_input_files("#films", films[0])
    expect(page.locator(".outcome")).to_have_count(1)
    assert complaints == []


def test_after_turning_the_whole_page_is_the_present_film_s(page, films, complaints):
    upload(page, *films)
    everything = names(page)
    open_first(page)
    for position, key in ((1, "Enter"), (2, "ArrowRight")):
        page.locator("[rel=next]").press(key)
        expect_film(page, everything[position])
        left = page.locator("[rel=next]") if position == 1 else page.get_by_role("link", name="All films")
        expect(left).to_be_focused()
        expect(page.get_by_role("status").filter(has_text=f"{everything[position]}: ")).to_have_text(page.title())
    present = page.url
    page.get_by_role("button", name="Deutsch").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    assert page.url == present
    expect_film(page, everything[2])
    page.keyboard.press("k")
    expect_film(page, everything[1])
    page.get_by_role("button", name="Jetzt löschen").click()
    expect(page.get_by_role("dialog")).to_contain_text(everything[1])
    page.get_by_role("button", name="Löschen", exact=True).click()
    expect(page.locator(".outcome")).to_have_count(2)
    assert everything[1] not in names(page)
    assert complaints == []


def test_a_language_chosen_in_another_tab_does_not_mix_with_this_one(page, films):
    upload(page, *films)
    everything = names(page)
    open_first(page)
    with page.expect_response(lambda answer: "/film.png" in answer.url and answer.request.resource_type == "fetch"):
        page.keyboard.press("j")
        expect_film(page, everything[1])
    other = page.context.new_page()
    other.goto("/model")
    other.get_by_role("button", name="Deutsch").click()
    expect(other.locator("html")).to_have_attribute("lang", "de")
    page.keyboard.press("k")
    expect_film(page, everything[0])
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.locator("#feedback-title")).to_have_text("Ihr Urteil")


def test_the_next_film_is_there_before_it_is_asked_for(page, films, complaints):
    upload(page, *films)
    everything = names(page)
    with page.expect_response(lambda answer: "/film.png" in answer.url and answer.request.resource_type == "fetch"):
        open_first(page)
    page.wait_for_load_state("networkidle")
    page.route("**/studies/**", lambda route: route.abort() if route.request.method == "GET" else route.continue_())
    page.keyboard.press("j")
    expect_film(page, everything[1])
    page.unroute_all(behavior="ignoreErrors")
    assert [text for text in complaints if "ERR_FAILED" not in text] == []
    page.goto("/")
    expect(page.locator(".outcome .seen .state")).to_have_text(["Seen", "Seen", "New"])  # fetched ahead is not seen


def test_keys_go_from_film_to_film_in_full_screen(page, films, complaints):
    upload(page, *films)
    everything = names(page)
    open_first(page)
    page.keyboard.press("f")
    expect(page.get_by_role("button", name="Full screen")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".masthead")).to_be_hidden()
    for key, name in (("j", everything[1]), ("j", everything[2]), ("j", everything[2]), ("k", everything[1])):
        page.keyboard.press(key)
        expect_film(page, name)
        assert page.evaluate("document.fullscreenElement !== null")
    page.keyboard.press("i")  # the keys are the present film's
    assert page.evaluate("import('/static/viewer.js').then(({ viewer }) => viewer.settings.now.invert)")
    assert_accessible(page)
    page.keyboard.press("f")
    expect(page.locator(".masthead")).to_be_visible()
    assert complaints == []


def test_a_row_s_menu_deletes_and_closes(page, films):
    upload(page, films[0])
    menu = page.locator(".outcome details.menu")
    menu.locator("summary").click()
    expect(menu.get_by_role("button", name="Delete now")).to_be_visible()
    assert_accessible(page)
    page.keyboard.press("Escape")
    expect(menu.get_by_role("button", name="Delete now")).to_be_hidden()
    menu.locator("summary").click()
    menu.get_by_role("button", name="Delete now").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator(".outcome")).to_have_count(0)


def test_films_are_dropped_anywhere_on_the_list(page, films):
    upload(page, films[0])
    transfer = page.evaluate_handle(
        """bytes => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], "dropped.png"));
            return transfer;
        }""",
        list(films[1].read_bytes()),
    )
    expect(page.get_by_text("Add films", exact=True)).to_be_visible()
    page.dispatch_event(".outcome", "drop", {"dataTransfer": transfer})
    expect(page.get_by_role("link", name="dropped.png")).to_be_visible()
