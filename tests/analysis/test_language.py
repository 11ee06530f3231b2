"""The catalogue is whole and current, and what is taken from it is said as German has it."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from app.analysis.language import (
    LANGUAGES,
    SOURCE,
    TRANSLATIONS,
    day,
    language,
    number,
    script_words,
    speaking,
    tr,
    tr_core,
    tr_n,
)
from app.segmentation.decision.doubts import DOUBTS

ROOT = Path(__file__).parents[2]
PLACE = re.compile(r"\{\w*\}")
OTHERS = sorted(set(LANGUAGES) - {SOURCE})


@pytest.fixture(scope="module")
def extracted(tmp_path_factory) -> Catalog:
    """What the source says to readers now."""
    path = tmp_path_factory.mktemp("words") / "messages.pot"
    keywords = ["-k", "tr", "-k", "tr_n:1,2", "-k", "trN:1,2", "-k", "mark"]
    pybabel = [sys.executable, "-m", "babel.messages.frontend", "-q", "extract", "-F", "app/translations/babel.cfg"]
    subprocess.run([*pybabel, *keywords, "-o", str(path), "."], cwd=ROOT, check=True, env={"PYTHONPATH": str(ROOT)})
    with path.open("rb") as file:
        return read_po(file)


def catalogue_of(code: str) -> Catalog:
    with (TRANSLATIONS / code / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file)


def forms(message: Message) -> tuple[list[str], list[str]]:
    """The English and the other forms of a message."""
    ids = [message.id] if isinstance(message.id, str) else list(message.id)
    strings = [message.string] if isinstance(message.string, str) else list(message.string)
    return ids, strings


@pytest.mark.parametrize("code", OTHERS)
def test_every_text_is_translated_and_none_is_left_over(extracted, code):
    catalogue = catalogue_of(code)
    assert {message.id for message in extracted if message.id} == {message.id for message in catalogue if message.id}
    assert not catalogue.obsolete
    for message in catalogue:
        if message.id:
            ids, strings = forms(message)
            assert not message.fuzzy, ids
            assert all(strings), ids
            for one, other in zip(ids, strings, strict=True):
                assert Counter(PLACE.findall(one)) == Counter(PLACE.findall(other)), one


@pytest.mark.parametrize("code", OTHERS)
def test_no_sentence_is_glued_together(code):
    """A text that begins or ends with a blank is a piece of a sentence, and its order would be English everywhere."""
    for message in catalogue_of(code):
        for text in sum(forms(message), []) if message.id else ():
            assert text == text.strip(), text
            assert "  " not in text


@pytest.mark.parametrize("code", DOUBTS)
def test_advice_is_said_in_german(code):
    advice = DOUBTS[code][1]
    with speaking("de"):
        assert tr_core(advice) != advice


def test_what_the_core_measured_is_said_with_its_figures():
    found = (
        "The film is unusually dark for its contrast: its median grey lies at 3 % of its range, those of the training "
        "films between 28 % and 88 %."
    )
    unlike = (
        "This does not look like the frontal chest films that the model has learnt from. It differs too much from them "
        "(48; limit 26)."
    )
    child = "The patient is 11 months old by the file, under 18; few of the training films are children’s."
    with speaking("de"):
        assert "ungewöhnlich dunkel" in tr_core(found)
        assert "bei 3 %" in tr_core(found)
        assert tr_core(unlike).endswith("Sie unterscheidet sich zu sehr von ihnen (48; Grenze 26).")
        assert "11 Monate alt, unter 18" in tr_core(child)
        assert tr_core("Nobody ever said this.") == "Nobody ever said this."
    assert tr_core(unlike) == unlike


def test_figures_and_days_are_written_as_the_language_has_them():
    assert (number(12345.678, 1), day("2024-01-31")) == ("12,345.7", "2024-01-31")
    with speaking("de"):
        assert (number(12345.678, 1), day("2024-01-31"), day("never")) == ("12.345,7", "31.01.2024", "never")
        assert tr_n("{count} warning", "{count} warnings", 1) == "1 Warnung"
        assert tr_n("{count} warning", "{count} warnings", 2) == "2 Warnungen"
        assert tr("born {day}", day="x") == "geboren x"
    assert language() == SOURCE
    assert script_words() == {}


def test_no_script_says_words_that_are_not_translated():
    said = re.compile(r"\b(?:textContent|innerText|title|ariaLabel) = (.*[\"'`].*)")
    bare = []
    for path in (ROOT / "static").rglob("*.js"):
        for line in path.read_text().splitlines():
            for found in said.finditer(line):
                spoken = re.sub(r"\$\{[^}]*\}", "", found[1])
                spoken = re.sub(r"(?:querySelector\w*|\$)\([^)]*\)", "", spoken)
                if re.search(r"[\"'`][^\"'`]*[A-Za-z]{4,}", spoken) and not re.search(r"\btrN?\(", spoken):
                    bare.append(f"{path.name}: {line.strip()}")
    assert bare == []
