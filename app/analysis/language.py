"""The language in which an answer is read: English, as the source has it, or another of `app/translations`.

Pages, scripts, PDF and structured report take their words from one catalogue, a PO file that Babel reads as it is:
there is nothing to compile. The core knows no languages: its sentences, which hold measured values, are known again by
the templates of the catalogue (`tr_core`). Codes, the API and tables for programs stay English.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from babel.dates import format_date
from babel.messages.catalog import Message
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

TRANSLATIONS = Path(__file__).parents[1] / "translations"
SOURCE = "en"
LANGUAGES = {SOURCE: "English", "de": "Deutsch"}
"""Code: its own name."""

NUMBERED = re.compile(r"\{(\d+)\}")
FIGURE = re.compile(r"-?\d+\.\d+( ?%)?")

_current: ContextVar[str] = ContextVar("language", default=SOURCE)


@dataclass(frozen=True)
class Catalogue:
    """What is said in another language.

    Attributes:
        texts: Of an English text.
        counted: Of an English singular: the singular, and the plural.
        templates: How a sentence of the core is known, and what is said for it; the most particular first.
    """

    texts: dict[str, str]
    counted: dict[str, tuple[str, str]]
    templates: tuple[tuple[re.Pattern[str], str], ...]


def language() -> str:
    """Return the code of the language that is spoken now."""
    return _current.get()


def speak(code: str) -> None:
    """Speak a language of `LANGUAGES` from now on, in this thread or context."""
    _current.set(code)


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Speak a language within a block."""
    token = _current.set(code)
    try:
        yield
    finally:
        _current.reset(token)


def mark(text: str) -> str:
    """Mark a text that is said later, for the catalogue."""
    return text


def tr(text: str, /, **values: object) -> str:
    """Say a whole sentence or name in the reader's language.

    Args:
        text: In English, with places for values: "{count} films".
        values: For the places.
    """
    if language() != SOURCE:
        text = _catalogue(language()).texts.get(text) or text
    return text.format(**values) if values else text


def tr_n(one: str, many: str, count: int, /, **values: object) -> str:
    """Say a sentence with a count in it, "{count}"; English and German have a singular and a plural."""
    forms = (one, many)
    if language() != SOURCE:
        forms = _catalogue(language()).counted.get(one, forms)
    return (forms[0] if count == 1 else forms[1]).format(count=count, **values)


def tr_core(sentences: str) -> str:
    """Say what the core found, in English and with its values in it, in the reader's language.

    What the catalogue does not know stays English. Values are said by the same catalogue ("dark"), or are figures.
    """
    if language() == SOURCE or not sentences:
        return sentences
    return _known(sentences, _catalogue(language())) or " ".join(
        _known(sentence, _catalogue(language())) or sentence
        for sentence in re.split(r"(?<=[.!?]) (?=[A-Z])", sentences)
    )


def _known(text: str, catalogue: Catalogue) -> str | None:
    if text in catalogue.texts:
        return catalogue.texts[text]
    for pattern, said in catalogue.templates:
        if found := pattern.fullmatch(text):
            values = {place: _value(value, catalogue) for place, value in found.groupdict().items()}
            return "".join(values[f"p{part}"] if at % 2 else part for at, part in enumerate(NUMBERED.split(said)))
    return None


def _value(text: str, catalogue: Catalogue) -> str:
    if FIGURE.fullmatch(text):
        return text.replace(".", ",") if language() == "de" else text
    return _known(text, catalogue) or text


def number(value: float, digits: int = 0) -> str:
    """Print a figure with so many digits after its point, and thousands set apart."""
    if language() == SOURCE:
        return f"{value:,.{digits}f}"
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    return format_decimal(value, pattern, locale=language())


def day(iso: str) -> str:
    """Print a date, given as 2024-01-31; what is no date stays as it is."""
    if language() == SOURCE:
        return iso
    try:
        return format_date(date.fromisoformat(iso), "dd.MM.yyyy", locale=language())
    except ValueError:
        return iso


def script_words() -> dict[str, str | list[str]]:
    """Return what the pages' scripts say in the reader's language, by what they say in English; {} in English."""
    if language() == SOURCE:
        return {}
    words: dict[str, str | list[str]] = {}
    for message in _messages(language()):
        if any(path.endswith(".js") for path, _ in message.locations):
            one, said = _forms(message)
            words[one] = said[0] if len(said) == 1 else list(said)
    return words


def _path(code: str) -> Path:
    return TRANSLATIONS / code / "LC_MESSAGES" / "messages.po"


@cache
def _messages(code: str) -> tuple[Message, ...]:
    with _path(code).open("rb") as file:
        return tuple(message for message in read_po(file) if message.id)


def _forms(message: Message) -> tuple[str, tuple[str, ...]]:
    """Return what is said in English, of a plural its singular; and what is said instead, in one form or two."""
    one = message.id if isinstance(message.id, str) else message.id[0]
    said = message.string or one
    return one, (said,) if isinstance(said, str) else tuple(said)


@cache
def _catalogue(code: str) -> Catalogue:
    forms = dict(_forms(message) for message in _messages(code))
    texts = {one: said[0] for one, said in forms.items() if len(said) == 1}
    counted = {one: (said[0], said[1]) for one, said in forms.items() if len(said) == 2}
    numbered = sorted((text for text in texts if NUMBERED.search(text)), key=lambda text: -len(NUMBERED.sub("", text)))
    return Catalogue(texts, counted, tuple((_pattern(text), texts[text]) for text in numbered))


def _pattern(template: str) -> re.Pattern[str]:
    """Turn "It has {0} of {1}." into a pattern with a group for each place."""
    parts = NUMBERED.split(template)
    known = "".join(f"(?P<p{part}>.+?)" if at % 2 else re.escape(part) for at, part in enumerate(parts))
    return re.compile(known, re.DOTALL)
