"""The table of a batch: a row a film, each written whole or not at all, so that a run can go on where it stopped."""

import errno
import fcntl
import hashlib
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Self

from defusedcsv import csv

from app.batch.rows import COLUMNS, UNREADABLE
from app.exports.answer_cells import defused
from app.studies.answer import HASH_LENGTH


class ResultsError(ValueError):
    """The table cannot be used, or not be written to; the message says why, and what to do."""


class Results:
    """A table that is appended to, by one run at a time.

    Rows know a film by its content: a film that was answered under another path is not answered again. Rows stay on
    the disk; what is kept of each in memory is a hash or two and its place.
    """

    def __init__(self, path: Path, model_sha256: str) -> None:
        """Open a table, or begin one.

        Args:
            path: Where it is.
            model_sha256: Hash of the weights in use.

        Raises:
            ResultsError: If it is no such table, was made with other weights, is being written by another run, or
                cannot be written.
        """
        path = Path(os.path.realpath(path))  # what a link leads to is written, and the link stays
        self.path, self.model_sha256 = path, model_sha256
        self.draft = Path(f"{path}.new")
        self._places: dict[bytes, tuple[int, int]] = {}
        self._rows: set[bytes] = set()
        is_new = not path.exists()
        if not is_new and not path.is_file():  # a device, say, in whose place a table would be put
            raise ResultsError(f"{path} is no file. Name another one in --out.")
        try:
            with path.open("a+b") as standing:
                self._keep_others_out(standing)
                try:
                    self.file = self._begin(standing)
                except BaseException:
                    self.draft.unlink(missing_ok=True)
                    if is_new:
                        path.unlink()
                    raise
        except OSError as error:
            raise ResultsError(f"{path} cannot be written: {error.strerror}.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        os.close(self.file)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def known(self) -> list[str]:
        """Hashes of the films that have a row."""
        return [sha256.hex() for sha256 in self._places]

    def knows(self, sha256: str) -> bool:
        """Whether a film of this content has a row, under whatever path."""
        return bytes.fromhex(sha256) in self._places

    def has(self, path: str, sha256: str) -> bool:
        """Whether this very film, at this path, has a row."""
        return _key(_as_read(path), sha256) in self._rows

    def repeat(self, path: str, sha256: str) -> bool:
        """Write a row for a film that is known under another path; False if it is not known."""
        place = self._places.get(bytes.fromhex(sha256))
        if not place:
            return False
        start, length = place
        row = next(csv.reader(io.StringIO(os.pread(self.file, length, start).decode(), newline="")))
        self.append([path, *row[1:]])
        return True

    def append(self, row: Sequence[object]) -> None:
        """Write the row of a film, from `rows.row_of`.

        Raises:
            ResultsError: If the disk is full; the table then ends with the row before.
        """
        line = _line(row)
        end = os.fstat(self.file).st_size
        try:
            if os.write(self.file, line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            os.ftruncate(self.file, end)
            raise ResultsError(
                f"{self.path} cannot be written: {error.strerror}. Nothing is lost: go on later."
            ) from error
        self._remember(next(csv.reader(io.StringIO(line.decode(), newline=""))), end, len(line))

    def _remember(self, row: list[str], start: int, length: int) -> None:
        path, sha256 = row[:2]
        self._rows.add(_key(path, sha256))
        if sha256:
            self._places[bytes.fromhex(sha256)] = start, length

    def _keep_others_out(self, standing: BinaryIO) -> None:
        """Lock the table that stands, for as long as this process has it or what takes its place."""
        try:
            _lock(standing)
            if os.path.samestat(os.fstat(standing.fileno()), self.path.stat()):
                return
        except BlockingIOError:
            pass
        raise ResultsError(f"{self.path} is being written by another run. Wait for it, or name another file in --out.")

    def _begin(self, standing: BinaryIO) -> int:
        """Write what stands already into a new file, and put it in the place of the old one; return it, open."""
        with self.draft.open("w+b") as draft:
            _lock(draft)
            draft.write(_line(COLUMNS))
            for row, line in self._finished_rows(standing):
                self._remember(row, draft.tell(), len(line))
                draft.write(line)
            draft.flush()
            os.fsync(draft.fileno())
            os.replace(self.draft, self.path)
            file = os.dup(draft.fileno())
        fcntl.fcntl(file, fcntl.F_SETFL, os.O_APPEND)
        return file

    def _finished_rows(self, standing: BinaryIO) -> Iterator[tuple[list[str], bytes]]:
        """Read the rows that stand whole, each with its bytes, but for those that are to be tried again."""
        records = _records(standing)
        try:
            if os.fstat(standing.fileno()).st_size and next(records, ([], b""))[0] != list(COLUMNS):
                raise ResultsError(f"{self.path} is another kind of table. Name another file in --out.")
            for row, line in records:
                if len(row) != len(COLUMNS):
                    continue  # it was cut at a line break in a path
                cells = dict(zip(COLUMNS, row, strict=True))
                if cells["model_sha256"] != self.model_sha256:
                    raise ResultsError(
                        f"{self.path} was made with other weights, {cells['model_sha256'][:HASH_LENGTH]}. "
                        "Name another file in --out."
                    )
                if cells["code"] != UNREADABLE:
                    yield row, line
        except (UnicodeDecodeError, csv.Error) as error:
            raise ResultsError(f"{self.path} is no table of text. Name another file in --out.") from error


def _lock(file: BinaryIO) -> None:
    """Lock a file, if its file system has locks; BlockingIOError where another process has."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):
            raise


def _records(file: BinaryIO) -> Iterator[tuple[list[str], bytes]]:
    """Read a table row by row, each with the bytes that it stands in; a last line that was cut is none."""
    file.seek(0)
    lines: list[bytes] = []

    def kept() -> Iterator[str]:
        for line in file:
            if not line.endswith(b"\n"):
                return  # perhaps within a letter, or filled up with zeros when the power was cut
            lines.append(line)
            yield line.decode()

    for row in csv.reader(kept()):
        yield row, b"".join(lines)
        lines.clear()


def _line(row: Sequence[object]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerow(map(defused, row))  # its line ends with both signs, so that a path with either is quoted
    return text.getvalue().removesuffix("\r\n").encode("utf-8", "backslashreplace") + b"\n"


def _as_read(path: str) -> str:
    """A path as the table gives it back: defused, where it looks like a formula."""
    return next(csv.reader(io.StringIO(_line([path]).decode(), newline="")))[0]


def _key(path: str, sha256: str) -> bytes:
    return hashlib.blake2b(f"{path}\0{sha256}".encode(), digest_size=16).digest()
