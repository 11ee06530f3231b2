"""Example films: synthetic, drawn by `tests.support.examples`, and analysed as any film that is uploaded."""

from dataclasses import dataclass

from flask import abort, current_app

from app.analysis.language import mark
from app.config import ROOT
from app.studies.study import Study
from app.web.intake import take_in
from app.web.limits import count_film
from app.web.session import own_worklist


@dataclass(frozen=True)
class Example:
    """One example film.

    Attributes:
        name: In its address, `/?example=<name>`, and of its file in `static/examples/`.
        title: As the start page names it.
    """

    name: str
    title: str

    @property
    def file(self) -> str:
        """Its place among the static files."""
        return f"examples/{self.name}.webp"


EXAMPLES = (
    Example("pneumothorax", mark("With a pneumothorax")),
    Example("normal", mark("Without one")),
    Example("turned", mark("Lying on its side: doubted")),
)


def offered() -> tuple[Example, ...]:
    """List the examples that the operator lets the start page offer."""
    return EXAMPLES if current_app.config["EXAMPLES"] == "on" else ()


def open_example(name: str) -> Study:
    """Return this session's study of an example; analyse it if there is none.

    A link that is followed twice, or fetched ahead by a browser, costs one inference.
    """
    example = next((example for example in offered() if example.name == name), None) or abort(404)
    for study in own_worklist().studies:
        if study.example == name:
            return study
    count_film()
    data = (ROOT / "static" / example.file).read_bytes()
    return take_in(data, f"EXAMPLE {name}.webp", example=name)
