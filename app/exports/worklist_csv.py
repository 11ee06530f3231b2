"""The worklist as a table for a spreadsheet."""

import io
import unicodedata
from collections.abc import Iterable

from defusedcsv import csv

from app.studies.answer import NOTICE
from app.studies.reading_order import group_of
from app.studies.study import Study

COLUMNS = (
    *(
        "position",
        "group",
        "file",
        "finding",
        "probability",
        "withheld_for",
        "marked",
        "side_stated",
        "regions",
        "warnings",
        "taken_on",
    ),
    *("reader", "model", "model_sha256", "notice"),
)


FORMULA_SIGNS = ("=", "+", "-", "@", "|", "%")


def worklist_csv(studies: Iterable[Study]) -> bytes:
    """Write studies as CSV (RFC 4180), in UTF-8 with the mark that spreadsheets look for.

    A file may have the name of a formula: defusedcsv puts an apostrophe before it, and no spreadsheet computes it.

    Args:
        studies: In reading order.
    """
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(COLUMNS)
    for position, study in enumerate(studies, start=1):
        table.writerow(_row(position, study))
    return text.getvalue().encode("utf-8-sig")


def _row(position: int, study: Study) -> list[object]:
    answer, group = study.answer, group_of(study)
    return [
        position,
        group.title,
        _defused(study.file_name),
        answer.finding,
        "" if answer.is_withheld else answer.probability,  # the figure means nothing there
        answer.withheld_for or "",
        " and ".join(sorted(answer.film.place_of(side) for side in answer.sides)),
        "yes" if answer.film.states_side else "no",
        len(answer.regions),
        " ".join(doubt.code for doubt in answer.warnings),
        study.taken_on or "",
        study.verdict or "",
        answer.model.name,
        answer.model.short_hash,
        NOTICE,
    ]


def _defused(text: str) -> str:
    """Put an apostrophe before what some spreadsheet reads as a formula though no ASCII sign begins it: ＝1+1."""
    plain = unicodedata.normalize("NFKC", text).strip()
    return f"'{text}" if plain[:1] in FORMULA_SIGNS and text[:1] not in FORMULA_SIGNS else text
