"""What an archive's films leave beside the table: masks, and DICOM objects."""

import os
from pathlib import Path

from app.analysis.keeping import kept_columns
from app.batch.work import Outcome
from app.exports.catalogue import EXPORTS, exports_of
from app.exports.reading import Reading
from app.studies.store import Study

DICOM_EXPORTS = [export for export in EXPORTS if export.file in ("segmentation.dcm", "report.dcm")]


def write_pictures(outcome: Outcome, masks: Path | None, dicom: Path | None, secret: str) -> None:
    """Write what is wanted of a film that was answered.

    Args:
        outcome: With the film.
        masks: Folder for its mask; None: not wanted.
        dicom: Folder for segmentation and structured report; None: not wanted.
        secret: Key of identifiers.
    """
    film, sha256 = outcome.film, outcome.sha256
    if film is None:
        return
    answer = film.answer
    if masks and not answer.is_withheld:
        _write(masks / f"{sha256}.png", answer.mask.png)
    if dicom:
        now = outcome.entry.path.stat().st_mtime
        study = Study(
            id=answer.id,
            owner="",
            file_name=outcome.entry.name,
            created_at=now,
            expires_at=now,
            answer=answer,
            **kept_columns(film, secret),
        )
        offered = exports_of(study)
        for export in (export for export in DICOM_EXPORTS if export in offered):
            _write(dicom / f"{sha256}-{export.file}", export.make(Reading(study, secret), False))


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; of two that write the same at once, either."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        draft.write_bytes(data)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    os.replace(draft, path)
