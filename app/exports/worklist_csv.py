"""The worklist as a table for a spreadsheet."""

import io
from collections.abc import Iterable

from defusedcsv import csv

from app.exports.answer_cells import cells_of, defused
from app.studies.reading_order import group_of
from app.studies.study import Study

COLUMNS = (
    *("position", "group", "file", "finding", "probability", "withheld_for", "marked", "side_stated", "regions"),
    *("warnings", "taken_on", "reader", "model", "model_sha256", "notice"),
)


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
    cells = {
        "position": position,
        "group": group_of(study).title,
        "file": study.file_name,
        "taken_on": study.taken_on or "",
        "reader": study.verdict or "",
        **cells_of(study.answer),
    }
    return [defused(cells[column]) for column in COLUMNS]
