"""What became of a file, as a row of the table."""

from collections.abc import Mapping

from app.batch.pictures import Pictures
from app.batch.work import Outcome
from app.exports.answer_cells import cells_of
from app.segmentation.errors import PleuraError
from app.segmentation.notice import NOTICE
from app.web.problems import problem_of

COLUMNS = (
    *("path", "sha256", "code", "detail", "finding", "probability", "withheld_for", "doubts"),
    *("regions", "marked", "side_stated", "marked_fraction", "model", "model_sha256", "notice"),
)
UNREADABLE = "unreadable"
"""Code of what the file system refuses: it is tried again when a run goes on."""


def row_of(outcome: Outcome, model_sha256: str, pictures: Pictures) -> list[object]:
    """Make the row of a file, with a value for each of `COLUMNS`; its pictures first, so that no row is without them.

    Args:
        outcome: What became of it.
        model_sha256: Hash of the weights in use.
        pictures: What a film that was answered leaves beside the table.

    Returns:
        The row; an empty one where the film's content has one already.

    Raises:
        OSError: If the pictures cannot be written.
    """
    film, error = {"path": outcome.entry.name, "sha256": outcome.sha256}, outcome.error
    refused = {**film, "model_sha256": model_sha256, "notice": NOTICE}
    if isinstance(error, PleuraError):
        problem, detail = problem_of(error)
        return _row({**refused, "code": problem.code, "detail": detail})
    if error is not None:
        return _row({**refused, "code": UNREADABLE, "detail": f"{error.strerror}."})
    if outcome.film is None:
        return []
    pictures.write(outcome)
    return _row({**film, **cells_of(outcome.film.answer)})


def _row(cells: Mapping[str, object]) -> list[object]:
    return [cells.get(column, "") for column in COLUMNS]
