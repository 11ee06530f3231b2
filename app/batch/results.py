"""The table of a batch: a row a film, each written whole or not at all, so that a run can go on where it stopped."""

import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from defusedcsv import csv

from app.studies.answer import NOTICE, Answer

COLUMNS = (
    *("path", "sha256", "code", "detail", "finding", "probability", "withheld_for", "doubts"),
    *("regions", "marked", "side_stated", "marked_fraction", "model", "model_sha256", "notice"),
)
UNREADABLE = "unreadable"
"""Code of what the file system refuses: it is tried again when a run goes on."""


class ResultsError(ValueError):
    """The table cannot be used, or not be written to; the message says why, and what to do."""


class Results:
    """A table that is appended to.

    Rows know a film by its content: a film that was answered under another path is not answered again.
    """

    def __init__(self, path: Path, model_sha256: str) -> None:
        """Open a table, or begin one.

        Args:
            path: Where it is.
            model_sha256: Hash of the weights in use.

        Raises:
            ResultsError: If it is no such table, was made with other weights, or cannot be written.
        """
        self.path, self.model_sha256 = path, model_sha256
        self.known: dict[str, list[str]] = {}
        self.paths: set[tuple[str, str]] = set()
        try:
            rows = list(self._finished_rows()) if path.exists() else []
            self._begin(rows)
        except OSError as error:
            raise ResultsError(f"{path} cannot be written: {error.strerror}.") from error
        for row in rows:
            self._remember(row)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        os.close(self.file)

    def has(self, path: str, sha256: str) -> bool:
        """Whether this very film, at this path, has a row."""
        return (_as_read(path), sha256) in self.paths

    def repeat(self, path: str, sha256: str) -> bool:
        """Write a row for a film that is known under another path; False if it is not known."""
        row = self.known.get(sha256)
        if row is not None:
            self.append([path, *row[1:]])
        return row is not None

    def answered(self, path: str, sha256: str, answer: Answer) -> None:
        """Write the row of a film that was answered; errors as `append`."""
        self.append(answered_row(path, sha256, answer))

    def refused(self, path: str, sha256: str, code: str, detail: str) -> None:
        """Write the row of a film without an answer, with its reason; errors as `append`."""
        self.append(refused_row(path, sha256, code, detail, self.model_sha256))

    def append(self, row: Sequence[object]) -> None:
        """Write the row of a film, from `answered_row` or `refused_row`.

        Raises:
            ResultsError: If the disk is full; the table then ends with the row before.
        """
        line = _line(row)
        end = os.fstat(self.file).st_size
        try:
            if os.write(self.file, line) < len(line):
                raise OSError(28, "No space left on device")
        except OSError as error:
            os.ftruncate(self.file, end)
            raise ResultsError(
                f"{self.path} cannot be written: {error.strerror}. Nothing is lost: go on later."
            ) from error
        self._remember(next(csv.reader([line.decode()])))

    def _remember(self, row: list[str]) -> None:
        self.paths.add((row[0], row[1]))
        if row[1]:
            self.known[row[1]] = row

    def _finished_rows(self) -> Iterator[list[str]]:
        """Read the rows that stand whole, but for those that are to be tried again."""
        text = self.path.read_bytes()
        whole = text[: text.rfind(b"\n") + 1].decode()
        table = csv.reader(io.StringIO(whole, newline=""))
        if text and next(table, None) != list(COLUMNS):
            raise ResultsError(f"{self.path} is another kind of table. Name another file in --out.")
        for row in table:
            if len(row) != len(COLUMNS):
                continue  # a path with a line break in it was cut in two
            if row[-2] != self.model_sha256:
                raise ResultsError(
                    f"{self.path} was made with other weights, {row[-2][:12]}. Name another file in --out."
                )
            if row[2] != UNREADABLE:
                yield row

    def _begin(self, rows: list[list[str]]) -> None:
        """Write what stands already into a new file, and put it in the place of the old one."""
        draft = self.path.with_name(f"{self.path.name}.new")
        self.file = os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_RDWR | os.O_APPEND, 0o644)
        for row in [list(COLUMNS), *rows]:
            os.write(self.file, _line(row))
        os.replace(draft, self.path)


def answered_row(path: str, sha256: str, answer: Answer) -> list[object]:
    """Make the row of a film that was answered."""
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


def refused_row(path: str, sha256: str, code: str, detail: str, model_sha256: str) -> list[object]:
    """Make the row of a film without an answer, with its reason."""
    return [path, sha256, code, detail, *[""] * (len(COLUMNS) - 6), model_sha256, NOTICE]


def _line(row: Sequence[object]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(row)
    return text.getvalue().encode("utf-8", "backslashreplace")


def _as_read(path: str) -> str:
    """A path as the table gives it back: defused, where it looks like a formula."""
    return next(csv.reader([_line([path]).decode()]))[0]
