"""What became of a file, as a row of the table."""

from app.batch.pictures import Pictures
from app.batch.work import Outcome
from app.segmentation.errors import PleuraError
from app.studies.answer import NOTICE, Answer
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
    name, sha256, error = outcome.entry.name, outcome.sha256, outcome.error
    if isinstance(error, PleuraError):
        problem, detail = problem_of(error)
        return _refused(name, sha256, problem.code, detail, model_sha256)
    if error is not None:
        return _refused(name, sha256, UNREADABLE, f"{error.strerror}.", model_sha256)
    if outcome.film is None:
        return []
    pictures.write(outcome)
    return _answered(name, sha256, outcome.film.answer)


def _answered(path: str, sha256: str, answer: Answer) -> list[object]:
    marked = sum(region.area_fraction for region in answer.regions)
    return [
        *(path, sha256, "", "", str(answer.finding)),
        "" if answer.is_withheld else f"{answer.probability:.4f}",  # the figure means nothing there
        answer.withheld_for or "",
        " ".join(doubt.code for doubt in answer.doubts),
        len(answer.regions),
        " and ".join(sorted(answer.film.place_of(side) for side in answer.sides)),
        "yes" if answer.film.states_side else "no",
        f"{marked:.6f}",
        *(answer.model.name, answer.model.sha256, NOTICE),
    ]


def _refused(path: str, sha256: str, code: str, detail: str, model_sha256: str) -> list[object]:
    return [path, sha256, code, detail, *[""] * (len(COLUMNS) - 6), model_sha256, NOTICE]
