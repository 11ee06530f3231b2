"""The worklist in a real browser: many films, some of which fail, in an order that is safe to read."""

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from app import create_app
from app.segmentation.decision.calibration import Finding
from app.segmentation.decision.doubts import UNFAMILIAR, Doubt
from app.web.services import services
from tests.support.browser import SIZES, assert_accessible, serving
from tests.support.film_files import to_dicom, to_png
from training.releasing.phantom.drawing import draw_phantom

WARNING = Doubt("clipped_exposure", "warning", "Much of the film is burnt out.")
ANSWERS = {  # side of the film in pixels: its answer
    256: ("sure.png", Finding.POSITIVE, 0.93, ()),
    257: ("likely.png", Finding.POSITIVE, 0.71, (WARNING,)),
    258: ("strange.png", Finding.INDETERMINATE, 0.02, (UNFAMILIAR,)),
    259: ("perhaps.png", Finding.INDETERMINATE, 0.45, ()),
    260: ("doubtful.png", Finding.NEGATIVE, 0.03, (WARNING,)),
    261: ("hardly.png", Finding.NEGATIVE, 0.12, ()),
}
DEFECT = 262  # pixels of a film on which the server fails
IN_ORDER = ["sure.png", "likely.png", "letter.txt", "strange.png", "perhaps.png", "doubtful.png", "hardly.png"]


@pytest.fixture(scope="module")
def address(checkpoint_path, tmp_path_factory) -> Iterator[str]:
    """A server whose answers are the test's: by the side of the film."""
    database = tmp_path_factory.mktemp("server") / "studies.sqlite"
    app = create_app({"WEIGHTS": str(checkpoint_path), "DATABASE_URL": f"sqlite:///{database}"})
    predictor = services(app).predictor
    predict = predictor.predict

    def answer(radiograph):
        if len(radiograph.image) == DEFECT:
            raise RuntimeError("a defect")
        prediction = predict(radiograph)
        _, finding, probability, doubts = ANSWERS.get(len(radiograph.image), ANSWERS[256])
        nothing = {"mask": np.zeros_like(prediction.mask), "regions": (), "withheld_for": UNFAMILIAR.code}
        chosen = {"finding": finding, "probability": probability, "doubts": doubts}
        return dataclasses.replace(prediction, **chosen, **(nothing if UNFAMILIAR in doubts else {}))

    predictor.predict = answer
    with serving(app) as address:
        yield address


@pytest.fixture(scope="module")
def films(tmp_path_factory) -> list[Path]:
    """A film for every kind of answer and a file that is none, the least suspicious first."""
    folder = tmp_path_factory.mktemp("films")
    for side, (name, *_) in ANSWERS.items():
        (folder / name).write_bytes(to_png(draw_phantom(1, side).image))
    (folder / "letter.txt").write_text("no film")
    return [folder / name for name in reversed(IN_ORDER)]


def upload(page: Page, *paths: Path) -> None:
    page.goto("/")
    choose(page, *paths)


def choose(page: Page, *paths: Path) -> None:
    before = page.locator(".outcome").count()
    page.set_input_files("#films", paths)
    expect(page.locator(".outcome")).to_have_count(before + len(paths), timeout=60_000)
    expect(page.locator("#queue")).to_be_hidden()


def expect_films(page: Page, *names: str) -> None:
    """Expect these films in sight, from the top."""
    expect(page.locator(".outcome .film-name >> visible=true")).to_have_text(names)


def test_films_stand_in_the_order_of_suspicion_as_they_arrive_and_after(page, films, complaints):
    upload(page, *films)
    expect_films(page, *IN_ORDER)
    counts = page.locator("tbody:visible .count").all_inner_texts()
    assert counts == ["2", "2", "1", "2"]
    page.reload()
    expect_films(page, *IN_ORDER)
    expect(page.locator("#shown")).to_have_text("All 7 films shown")
    assert [text for text in complaints if "415" not in text] == []  # the browser logs a refused film's status


def test_each_film_has_its_progress_and_the_queue_can_be_stopped(page, films):
    page.goto("/")
    held = []
    page.route("**/studies", lambda route: held.append(route))  # nothing is answered yet
    page.set_input_files("#films", films)
    expect(page.locator("#waiting-list li")).to_have_count(7)
    expect(page.locator("#waiting-list progress")).to_have_count(7)
    expect(page.locator("#tally")).to_have_text("0 of 7 done")
    assert_accessible(page)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".outcome.failed")).to_have_count(5)
    expect(page.locator(".outcome.failed").first).to_contain_text("stopped")
    for route in held:
        route.continue_()
    expect(page.locator("#queue")).to_be_hidden(timeout=30_000)
    expect(page.locator(".outcome >> visible=true")).to_have_count(7)


def test_a_film_whose_upload_breaks_can_be_sent_again(page, films):
    page.goto("/")
    page.route("**/studies", lambda route: route.abort(), times=1)
    choose(page, films[-1])
    row = page.locator(".outcome.failed")
    expect(row).to_contain_text("no_answer")
    row.get_by_role("button", name="Retry sure.png").click()
    expect(page.locator(".outcome.positive")).to_contain_text("sure.png")
    expect(row).to_have_count(0)
    page.reload()
    expect_films(page, "sure.png")


def test_a_film_on_which_the_server_fails_has_the_number_of_the_incident(page, tmp_path):
    (tmp_path / "fatal.png").write_bytes(to_png(draw_phantom(1, DEFECT).image))
    upload(page, tmp_path / "fatal.png")
    expect(page.locator(".failed .detail")).to_have_text(re.compile(r"in the log under incident \w{8}\."))


def test_a_failed_film_does_not_vanish_while_others_are_read(page, films):
    letter = next(path for path in films if path.name == "letter.txt")
    upload(page, letter, films[-1])
    page.get_by_role("link", name="sure.png").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Pneumothorax suspected")
    page.get_by_role("link", name="All films").click()
    expect_films(page, "sure.png", "letter.txt")
    page.get_by_role("button", name="Dismiss letter.txt").click()
    expect_films(page, "sure.png")
    page.reload()
    expect_films(page, "sure.png")


def test_while_films_travel_a_result_opens_in_another_tab(page, films):
    upload(page, films[-1])
    page.route("**/studies", lambda route: None)
    page.set_input_files("#films", films[0])
    with page.expect_popup() as popup:
        page.get_by_role("link", name="sure.png").click()
    expect(popup.value.get_by_role("heading", level=1)).to_contain_text("Pneumothorax suspected")
    expect(page.locator("#waiting-list li")).to_have_count(1)
    page.unroute_all(behavior="ignoreErrors")


def test_a_folder_is_sent_with_its_folders_but_not_the_systems_own_files(page, films, tmp_path):
    (tmp_path / "ward" / "inner").mkdir(parents=True)
    (tmp_path / "ward" / ".DS_Store").write_text("…")
    (tmp_path / "ward" / "one.png").write_bytes(films[0].read_bytes())
    (tmp_path / "ward" / "inner" / "two.png").write_bytes(films[1].read_bytes())
    page.goto("/")
    page.set_input_files("#folder", tmp_path / "ward")
    expect(page.locator(".outcome")).to_have_count(2, timeout=30_000)
    expect_films(page, "two.png", "one.png")


def test_a_dropped_folder_is_read_to_its_end(page):
    """A browser hands out a folder's entries in portions; a script cannot make one, so these stand in."""
    page.goto("/")
    found = page.evaluate(
        """async () => {
            const file = (name) => ({ isFile: true, name, file: (resolve, reject) =>
                name === "lost" ? reject(new Error()) : resolve(new File(["x"], name)) });
            const folder = (portions) => ({ isDirectory: true, name: "folder", createReader: () => ({
                readEntries: (resolve) => resolve(portions.shift() ?? []) }) });
            const refuse = (resolve, reject) => reject(new Error());
            const locked = { isDirectory: true, name: "locked", createReader: () => ({ readEntries: refuse }) };
            const root = folder([[file("b"), file("a")], [folder([[file("c")]]), file("lost"), locked]]);
            const { droppedFiles } = await import("/static/worklist/folder.js");
            const files = await droppedFiles({ items: [{ webkitGetAsEntry: () => root }], files: [] });
            return files.map((file) => [file.name, file.size]).sort();
        }"""
    )
    assert found == [["a", 1], ["b", 1], ["c", 1], ["locked", 0], ["lost", 0]]


def test_a_filter_says_what_it_hides_and_hides_no_group(page, films):
    upload(page, *films)
    page.get_by_text("None seen by the model", exact=True).first.click()
    expect_films(page, "doubtful.png", "hardly.png")
    expect(page.locator("#shown")).to_have_text("5 of 7 films hidden by the filter, 2 of them suspected")
    assert page.locator("tbody:visible .count").all_inner_texts() == ["0 of 2", "0 of 2", "0 of 1", "2"]
    choose(page, films[-1])  # a film that arrives while it is hidden
    expect(page.locator("#shown")).to_have_text("6 of 8 films hidden by the filter, 3 of them suspected")
    page.get_by_role("button", name="Show all").click()
    expect(page.locator("#shown")).to_have_text("All 8 films shown")
    page.get_by_text("With warnings", exact=True).click()
    expect_films(page, "likely.png", "strange.png", "doubtful.png")
    page.get_by_role("searchbox").fill("DOUBT")
    expect_films(page, "doubtful.png")
    page.get_by_role("searchbox").press("Escape")
    expect(page.locator(".outcome >> visible=true")).to_have_count(8)
    page.get_by_role("searchbox").fill("sure")
    page.reload()
    expect_films(page, "sure.png", "sure.png")  # the filter stands in the address
    page.goto("/")
    expect(page.locator(".outcome >> visible=true")).to_have_count(8)  # and nowhere else


def focused(page: Page) -> str:
    return page.evaluate("document.activeElement.textContent.trim()")


def expect_result(page: Page, name: str, position: str) -> None:
    expect(page.locator(".study .name").first).to_have_text(name)
    expect(page.locator(".neighbours")).to_contain_text(position)
    page.wait_for_load_state()  # the script that obeys the keys runs


def test_from_film_to_film_with_the_keyboard_alone(page, films, complaints):
    upload(page, *[path for path in films if path.suffix == ".png"])
    page.reload()
    order = [name for name in IN_ORDER if name != "letter.txt"]
    for name in order:
        page.keyboard.press("j")
        assert focused(page) == name
    page.keyboard.press("ArrowDown")
    assert focused(page) == order[-1]
    for name in reversed(order[:-1]):
        page.keyboard.press("ArrowUp")
        assert focused(page) == name
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect_result(page, "sure.png", "1 of 6")
    for key, name, position in (
        ("j", "likely.png", "2 of 6"),
        ("ArrowRight", "strange.png", "3 of 6"),
        ("ArrowLeft", "likely.png", "2 of 6"),
        ("k", "sure.png", "1 of 6"),
        ("k", "sure.png", "1 of 6"),  # there is none before it
    ):
        page.keyboard.press(key)
        expect_result(page, name, position)
    assert complaints == []


def test_letter_keys_can_be_switched_off_for_good(page, films):
    upload(page, films[-1])
    page.get_by_role("checkbox", name="Letter keys").uncheck()
    page.reload()
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.tagName") == "BODY"
    page.keyboard.press("ArrowDown")
    assert focused(page) == "sure.png"


def test_letters_in_the_search_field_are_letters(page, films):
    upload(page, films[-1])
    page.keyboard.press("/")
    page.keyboard.type("jk/")
    expect(page.get_by_role("searchbox")).to_have_value("jk/")


def test_where_nothing_can_lie_over_a_film_there_are_no_keys_for_it(page, films):
    upload(page, next(path for path in films if path.name == "strange.png"))
    page.get_by_role("link", name="strange.png").click()
    expect(page.locator("#viewer.drawn")).to_be_visible()
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keys")
    expect(sheet.get_by_text("Invert")).to_be_visible()
    expect(sheet.get_by_text(re.compile("Compare|Fainter|Style|Hide"))).to_have_count(0)
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    compared = page.evaluate("import('/static/viewer.js').then(({ viewer }) => viewer.settings.now.compare)")
    assert compared == "off"


def test_two_films_of_one_patient_side_by_side(page, tmp_path, complaints):
    for number, day in enumerate(("20240301", "20240105", "20231224")):
        film = to_dicom(draw_phantom(number, 256).image, PatientID="4711", StudyDate=day)
        (tmp_path / f"{day}.dcm").write_bytes(film)
    upload(page, tmp_path / "20240301.dcm")
    expect(page.locator(".priors")).to_be_hidden()
    choose(page, tmp_path / "20240105.dcm")
    expect(page.locator(".priors >> visible=true")).to_have_count(2)  # the first film learns of it, too
    choose(page, tmp_path / "20231224.dcm")
    page.locator(".outcome", has_text="20240301").get_by_role("link", name=re.compile("Compare")).click()
    expect(page.locator(".day")).to_have_text(["2024-01-05 earlier", "2024-03-01 later"])
    expect(page.get_by_text("They are 56 days apart.")).to_be_visible()
    for image in page.locator(".pair img").all():
        assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") == 256
    expect(page.locator(".pair figure.drawn")).to_have_count(2)
    page.locator(".pair figcaption").first.evaluate("caption => caption.append('A long remark. '.repeat(40))")
    left, right = (image.bounding_box() for image in page.locator(".pair img").all())
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] <= right["x"]
    page.keyboard.press("h")
    expect(page.get_by_role("checkbox", name="Marked areas")).not_to_be_checked()
    assert_accessible(page)
    page.get_by_role("link", name="2023-12-24").click()
    expect(page.locator(".day").first).to_contain_text("2023-12-24")
    page.get_by_role("button", name="Deutsch").click()
    expect(page.locator("h1")).to_have_text("Zwei Aufnahmen eines Patienten")
    expect(page.locator(".pair figure.drawn")).to_have_count(2)
    assert_accessible(page)
    assert complaints == []


def test_two_films_move_and_enlarge_together(page, tmp_path, complaints):
    for side, day in ((256, "20240301"), (320, "20240105")):
        film = to_dicom(draw_phantom(3, side).image, PatientID="4711", StudyDate=day)
        (tmp_path / f"{day}.dcm").write_bytes(film)
    upload(page, tmp_path / "20240301.dcm", tmp_path / "20240105.dcm")
    page.get_by_role("link", name=re.compile("Compare")).first.click()
    expect(page.locator(".pair figure.drawn")).to_have_count(2)
    page.locator(".stage").first.hover()
    page.mouse.wheel(0, -400)
    page.locator(".stage").last.focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("slider", name="Window").fill("60")
    views = page.evaluate(
        """async () => {
            const frame = () => new Promise(requestAnimationFrame);
            for (let count = 0; count < 4; count++) await frame();
            const { stages } = await import("/static/worklist/compare.js");
            return stages.map(({ view, panes, settings }) => [view.scale / view.fitting(panes[0]),
                view.centre.x / view.film.width, view.centre.y / view.film.height, settings.now.window]);
        }"""
    )
    assert views[0] == pytest.approx(views[1])
    enlarged, across, _, window = views[0]
    assert enlarged > 1.5
    assert across > 0.5
    assert window == 60
    page.get_by_role("button", name="Reset").click()
    expect(page.get_by_role("slider", name="Window")).to_have_value("100")
    assert complaints == []


def compare(page: Page, folder: Path, *sides: int) -> None:
    """Open the comparison of films of one patient, each of these many pixels."""
    for month, side in enumerate(sides, 1):
        film = to_dicom(draw_phantom(3, side).image, PatientID="4711", StudyDate=f"20240{month}05")
        (folder / f"{side}.dcm").write_bytes(film)
    upload(page, *(folder / f"{side}.dcm" for side in sides))
    page.get_by_role("link", name=re.compile("Compare")).first.click()
    expect(page.locator(".pair figure.drawn")).to_have_count(len(sides))


def test_the_comparison_holds_back_what_the_results_hold_back(page, tmp_path):
    compare(page, tmp_path, 256, 259)  # one of them is indeterminate
    marks = page.get_by_role("checkbox", name="Marked areas")
    expect(marks).not_to_be_checked()
    page.keyboard.press("h")
    expect(marks).to_be_checked()
    page.get_by_role("button", name="Reset").click()
    expect(marks).not_to_be_checked()


def test_the_comparison_ends_when_one_of_its_films_does(page, tmp_path):
    page.clock.install()
    compare(page, tmp_path, 256, 257)
    expect(page.locator("#expiring")).to_be_hidden()
    earlier, later = page.locator(".pair time").all()
    later.evaluate("time => { time.dataset.secondsLeft = 9000; time.replaceWith(time.cloneNode(true)); }")
    page.clock.fast_forward("56:00")
    expect(page.locator("#expiring")).to_contain_text("One of the films is deleted in 4 min.")
    expect(page.locator(".comparison")).to_be_visible()
    page.clock.fast_forward("05:00")
    expect(page.locator("#expiring")).to_contain_text("Expired")
    expect(page.locator(".comparison")).to_be_hidden()


def test_a_film_that_is_kept_longer_in_one_tab_is_kept_in_every_tab(page, films):
    page.clock.install()
    upload(page, *films[-2:])
    result = page.context.new_page()
    result.goto(page.get_by_role("link", name="sure.png").get_attribute("href"))
    page.clock.fast_forward("58:00")
    result.route("**/keep", lambda route: route.fulfill(json={"seconds_left": 900}), times=1)
    result.get_by_role("button", name="Keep longer").click()
    expect(result.locator("#expiring")).to_be_hidden()
    page.clock.fast_forward("05:00")
    expect_films(page, "sure.png")


def test_the_list_is_downloaded_as_a_table(page, films):
    upload(page, *[path for path in films if path.suffix == ".png"])
    with page.expect_download() as started:
        page.get_by_role("link", name="Download the list as a table (CSV)").click()
    lines = started.value.path().read_text("utf-8-sig").splitlines()
    assert [line.split(",")[2] for line in lines] == ["file", *[name for name in IN_ORDER if name != "letter.txt"]]


@pytest.mark.parametrize("size", SIZES)
def test_every_state_is_accessible_and_fits(page, films, size, tmp_path):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    upload(page, *films)
    fits = "document.documentElement.scrollWidth <= innerWidth"
    assert_accessible(page)
    assert page.evaluate(fits)
    page.get_by_text("With warnings", exact=True).click()
    assert_accessible(page)
    for name, words in (
        ("likely.png", "so the model suspects a pneumothorax"),
        ("strange.png", "There is nothing to explain"),
        ("doubtful.png", "a negative finding does not rule one out"),
        ("perhaps.png", "Why indeterminate"),
    ):
        page.goto("/")
        page.get_by_role("link", name=name).click()
        expect(page.get_by_text(words)).to_be_visible()
        assert_accessible(page)
        assert page.evaluate(fits)
    for day in ("20240301", "20240105"):
        film = to_dicom(draw_phantom(7, 256).image, PatientID="4711", StudyDate=day)
        (tmp_path / f"{day}.dcm").write_bytes(film)
    upload(page, tmp_path / "20240301.dcm", tmp_path / "20240105.dcm")
    page.locator(".outcome", has_text="20240301").get_by_role("link", name=re.compile("Compare")).click()
    expect(page.get_by_role("heading", name="Two films of one patient")).to_be_visible()
    assert_accessible(page)
    assert page.evaluate(fits)
