"""Pages in the reader's language: which one is spoken, that it is remembered, and that nothing is left in English."""

import io
import re
from html.parser import HTMLParser
from urllib.parse import urljoin

import pytest

from app.analysis import language
from app.segmentation.decision.doubts import UNFAMILIAR, doubt
from app.web.languages import COOKIE
from app.web.services import services
from tests.support.answers import REGION, make_prediction, region_mask
from tests.support.film_files import to_png
from tests.support.forms import token, upload
from training.releasing.phantom.drawing import draw_phantom

GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}
SPOKEN_ATTRIBUTES = ("aria-label", "alt", "title", "placeholder", "data-tip", "data-label", "data-expired")
WORD = re.compile(r"[A-Za-zÀ-ž]{2,}")
BETWEEN = "\x00"
SAID = re.compile(r"⟦[^⟦⟧]*⟧")
PROPER = re.compile(
    r"Pleura|tiny|chest\.png|SHA-256|DICOM|PNG|HTTP|OpenAPI|Grad-CAM|English|Deutsch|[0-9a-f]{12,}|\bmin\b|\bs\b|mm²|[a-z]+_[a-z_]+"
    r"|python -m training report|\bnot_\w+|EXAMPLE \w+\.webp|val|test"
)
"""What is the same in every language: names, codes, units."""


@pytest.fixture(scope="module")
def film() -> bytes:
    """A synthetic film as a PNG."""
    return to_png(draw_phantom(1, 320).image)


@pytest.fixture
def with_answer(app, monkeypatch):
    """Have the model give an answer of the test's choice."""

    def choose(finding: str, probability: float, marked: bool = False, doubts: tuple = ()) -> None:
        regions = (REGION,) if marked else ()
        answer = make_prediction(finding, probability, region_mask(marked), regions, doubts)
        monkeypatch.setattr(services(app).predictor, "predict", lambda radiograph: answer)

    return choose


def test_the_browser_s_language_is_spoken(client):
    german, english = client.get("/", headers=GERMAN), client.get("/", headers={"Accept-Language": "fr"})
    assert (german.headers["Content-Language"], english.headers["Content-Language"]) == ("de", "en")
    assert '<html lang="de">' in german.text
    assert "Ist auf dieser Aufnahme ein Pneumothorax?" in german.text
    assert "Is there a pneumothorax on this film?" in english.text
    assert {"Accept-Language", "Cookie"} <= set(german.vary)
    assert "Is there a pneumothorax" in client.get("/").text


def test_a_reader_chooses_another_and_it_is_remembered(client):
    form = {"csrf_token": token(client), "language": "de", "back": "/model"}
    answer = client.post("/language", data=form)
    assert (answer.status_code, answer.location) == (303, "/model")
    assert client.get("/", headers={"Accept-Language": "en"}).headers["Content-Language"] == "de"
    assert client.post("/language", data={**form, "language": "xx"}).status_code == 303
    assert client.get("/").headers["Content-Language"] == "de"


@pytest.mark.parametrize(
    "back", ["//evil.example/", "https://evil.example/", "/\\evil.example", "", "/\t/evil.example", "/\n"]
)
def test_the_choice_leads_nowhere_else(client, back):
    answer = client.post("/language", data={"csrf_token": token(client), "language": "de", "back": back})
    assert answer.location == "/"


@pytest.mark.parametrize(
    ("path", "form", "before", "back"),
    [
        ("/studies", {"films": (io.BytesIO(b"no film"), "report.pdf")}, "/", "/"),
        ("/studies/one/verdict", {"csrf_token": "stale"}, "/studies/one?show=warned", "/studies/one?show=warned"),
        ("/nothing", {}, "https://evil.example/studies/one", "/"),
    ],
)
def test_the_choice_on_an_answer_to_a_form_leads_to_a_page(client, path, form, before, back):
    referrer = {"Referer": urljoin("http://localhost", before)}
    answer = client.post(path, data={"csrf_token": token(client), **form}, headers=referrer)
    assert answer.status_code >= 400
    assert f'name="back" value="{back}"' in answer.text
    assert client.get(back).status_code != 405


def test_errors_speak_the_reader_s_language_and_the_api_english(client):
    page = client.get("/nothing", headers=GERMAN)
    assert "Hier ist nichts" in page.text
    assert "not_found" in page.text
    problem = client.post("/api/v1/predictions", headers=GERMAN)
    assert problem.json["title"] == "No film was chosen"


def test_a_refused_film_says_why_in_german(client):
    client.set_cookie(COOKIE, "de")
    answer = upload(client, (b"no film", "report.pdf"), script=True)
    assert "Diese Art von Datei kann nicht gelesen werden" in answer.text
    assert "unsupported_format" in answer.text


def test_exports_speak_the_reader_s_language(client, film, with_answer):
    with_answer("positive", 0.87, marked=True)
    address = upload(client, (film, "chest.png")).location
    report = client.get(f"{address}/exports/report.pdf", headers=GERMAN)
    assert report.headers["Content-Language"] == "de"
    assert b"/Lang (de)" in report.data


class Seen(HTMLParser):
    """Gathers what a reader sees or hears of a page; what is marked as English may be English."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Take in the attributes that are read out."""
        named = dict(attributes)
        silent = tag in ("script", "style", "code", "kbd") or named.get("lang") in ("en", "de") and tag != "html"
        if tag not in ("img", "input", "meta", "link", "path", "rect", "circle", "line"):
            self.open.append((tag, silent))
        if not any(quiet for _, quiet in self.open):
            self.texts += [value for name, value in attributes if name in SPOKEN_ATTRIBUTES and value]

    def handle_endtag(self, tag: str) -> None:
        """Leave an element."""
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        """Take in what stands in an element."""
        if not any(quiet for _, quiet in self.open):
            self.texts.append(data)


class Everything(dict):
    """A catalogue in which every text is said, and brackets show where one begins and ends."""

    def get(self, text, default=None):
        """Say a text."""
        return self[text]

    def __missing__(self, text: str) -> str:
        return f"⟦{text}⟧"

    def __contains__(self, text: object) -> bool:
        return True


class Pairs(Everything):
    """The same for what is counted."""

    def get(self, one, default=None):
        """Say both forms."""
        return tuple(f"⟦{form}⟧" for form in default)


@pytest.fixture
def pseudo(monkeypatch):
    """Speak a language that is English between brackets."""
    monkeypatch.setattr(language, "_catalogue", lambda code: language.Catalogue(Everything(), Pairs(), ()))
    monkeypatch.setattr(language, "number", lambda value, digits=0: f"{value:.{digits}f}")


def unsaid(page: str) -> list[str]:
    """What of a page did not come from the catalogue."""
    seen = Seen()
    seen.feed(page)
    text = BETWEEN.join(seen.texts)  # a sentence may go on in another element
    while SAID.search(text):  # brackets within brackets: a value that was said
        text = SAID.sub(" ", text)
    return [" ".join(part.split()) for part in text.split(BETWEEN) if WORD.search(PROPER.sub(" ", part))]


DOUBTS = (
    doubt("tilted", "It lies at a slant."),
    doubt("burned_in_text", "There is text."),
    doubt("colour_image", "Red."),
)


@pytest.mark.parametrize(
    ("finding", "probability", "marked", "doubts"),
    [
        ("positive", 0.87, True, ()),
        ("positive", 0.87, True, DOUBTS),
        ("negative", 0.03, False, ()),
        ("indeterminate", 0.45, True, ()),
        ("indeterminate", 0.6, False, (UNFAMILIAR,)),
    ],
)
def test_nothing_on_a_page_is_left_in_english(client, film, with_answer, pseudo, finding, probability, marked, doubts):
    client.set_cookie(COOKIE, "de")
    with_answer(finding, probability, marked, doubts)
    address = upload(client, (film, "chest.png")).location
    pages = ["/", "/?show=warned", "/model", address, f"{address}/correct", "/nothing"]
    left = {page: unsaid(client.get(page).text) for page in pages}
    client.post(f"{address}/verdict", data={"csrf_token": token(client), "verdict": "right"})
    client.post(f"{address}/correct/nothing", data={"csrf_token": token(client)})
    left |= {f"{page} judged": unsaid(client.get(page).text) for page in ("/", address)}
    failed = upload(client, (b"no film", "chest.png"))
    left["failed"] = unsaid(failed.text)
    assert {page: texts for page, texts in left.items() if texts} == {}


def test_the_check_would_see_an_english_text(pseudo):
    assert unsaid("<p>⟦ein ⟦zwei⟧⟧ left over</p><p aria-label='heard'>⟦x⟧</p>") == ["left over", "heard"]
