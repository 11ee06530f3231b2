"""What a table says of an answer, whichever table: the worklist's, or that of a batch."""

import unicodedata

from app.segmentation.notice import NOTICE
from app.studies.answer import Answer

FORMULA_SIGNS = ("=", "+", "-", "@", "|", "%")
UNSEEN = ("Z", "C")
"""First letters of the categories of blanks, and of what has no shape: controls, marks of direction and byte order."""


def defused(cell: object) -> object:
    """Put an apostrophe before a text that some spreadsheet reads as a formula though it begins with none of its signs.

    A sign may be a wide one (＝1+1), or stand behind what nobody sees; texts that begin with one defusedcsv defuses.
    """
    if not isinstance(cell, str) or cell.startswith(FORMULA_SIGNS):
        return cell
    seen = (sign for sign in unicodedata.normalize("NFKC", cell) if unicodedata.category(sign)[0] not in UNSEEN)
    return f"'{cell}" if next(seen, "") in FORMULA_SIGNS else cell


def cells_of(answer: Answer) -> dict[str, object]:
    """Return the cells by the names of their columns; a table takes those that it has."""
    return {
        "finding": str(answer.finding),
        "probability": "" if answer.is_withheld else f"{answer.probability:.4f}",  # the figure means nothing there
        "withheld_for": answer.withheld_for or "",
        "doubts": " ".join(doubt.code for doubt in answer.doubts),
        "warnings": " ".join(doubt.code for doubt in answer.warnings),
        "regions": len(answer.regions),
        "marked": " and ".join(sorted(answer.film.place_of(side) for side in answer.sides)),
        "side_stated": "yes" if answer.film.states_side else "no",
        "marked_fraction": f"{sum(region.area_fraction for region in answer.regions):.6f}",
        "model": answer.model.name,
        "model_sha256": answer.model.sha256,
        "notice": NOTICE,
    }
