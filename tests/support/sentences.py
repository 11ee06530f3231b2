"""Finds what the core says to a reader, for the catalogue of translations: `app/translations/babel.cfg` names it.

The core writes its sentences with the measured values in them. A sentence "It has {width} pixels." is extracted as the
template "It has {0} pixels.", and so is what its values say in words ("dark" or "bright").
"""

import ast
import re
from collections.abc import Iterator
from typing import BinaryIO

SENTENCE = re.compile(r"([A-Z{]|\d).*[ }].*[.!?]", re.DOTALL)
LOGGED = re.compile(r"%[ds]|python -m|no part of a film|process did not start|^PLEURA_")
"""In what operators read, not readers."""

CLAUSES = {
    "checks.py": ("hardly any training film does", "the training films were turned by at most {0}°"),
    "header_checks.py": (
        *(
            "{0} years",
            "{0} months",
            "few",
            "nobody knows how many",
            "No modality is named",
            "The file names the modality {0}",
        ),
        *("smaller than an adult’s chest ({0} mm)", "larger than any detector for a chest ({0} mm)"),
    ),
    "population.py": ("one hospital",),
    "reading_order.py": (
        *("Suspected", "No usable answer", "Indeterminate", "None seen by the model", "by probability, highest first"),
        *("these may hold anything: failed, or answer withheld", "those with warnings first, then by probability"),
    ),
    "masks.py": ("Your mask", "Area", "Model’s area", "you", "the model"),
}
"""By module: what stands within a sentence and is no sentence itself."""


def of_core(
    fileobj: BinaryIO, _keywords: object, _comments: object, options: dict[str, str]
) -> Iterator[tuple[int, None, str, list[str]]]:
    """Yield the sentences of a module, as Babel asks: line, function, message, comments."""
    tree = ast.parse(fileobj.read())
    silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            silent |= {id(part) for part in node.values}
    for node in ast.walk(tree):
        if id(node) in silent:
            continue
        text = template_of(node)
        if text and SENTENCE.fullmatch(text) and not LOGGED.search(text):
            yield node.lineno, None, text, []
            for word in words_within(node):
                yield node.lineno, None, word, []
    name = str(getattr(fileobj, "name", "")).rsplit("/", 1)[-1]
    for clause in CLAUSES.get(name, ()):
        yield 1, None, clause, []


def template_of(node: ast.AST) -> str | None:
    """Return a text with a numbered place for each value; None of what is no text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return None
    text, place = "", 0
    for part in node.values:
        if isinstance(part, ast.Constant):
            text += part.value
        else:
            text, place = f"{text}{{{place}}}", place + 1
    return text


def words_within(node: ast.AST) -> Iterator[str]:
    """Yield the words that one value of a sentence may be: "dark" if …, else "bright"."""
    for part in ast.walk(node):
        if isinstance(part, ast.IfExp):
            for branch in (part.body, part.orelse):
                if isinstance(branch, ast.Constant) and isinstance(branch.value, str) and branch.value:
                    yield branch.value
