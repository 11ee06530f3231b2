"""Tables that people write: read strictly, so that no slip of a pen becomes a label."""

import csv
import io
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

import pandas as pd

from training.errors import TrainingDataError

DELIMITERS = (",", ";", "\t")
LINE = "line"
"""Column with a row's place in its file, for whoever has to mend it; the header's line is 1."""
NOT_COUNTED = "_"
"""What the name of a column begins with that only people read."""
NAMED = 5
"""Names that a refusal lists at most."""


def read_table(path: Path, required: Sequence[str], optional: Sequence[str] = ()) -> pd.DataFrame:
    """Read a table of texts.

    Commas, semicolons or tabs part its cells, UTF-8 or UTF-16 is its encoding; empty lines and spaces around a text
    are of no account.

    Args:
        path: The table, CSV.
        required: Columns that it must have.
        optional: Columns that it may have. Whose name begins with an underscore is left out; others are refused.

    Returns:
        A row a line, all columns that are allowed ("" where the table lacks one), and `LINE`.

    Raises:
        TrainingDataError: If it is no such table; the message names file, line or column.
    """
    lines = _lines(path)
    if not lines:
        raise TrainingDataError(f"{path} is empty; its first line names the columns: {', '.join(required)}.")
    (_, header), *rows = lines
    header = [name.strip() for name in header]
    while header and not header[-1] and not any(cells[len(header) - 1 :] != [""] for _, cells in rows):
        header.pop()  # a column that a spreadsheet leaves behind
        rows = [(line, cells[:-1]) for line, cells in rows]
    _check_header(path, header, required, optional)
    for line, cells in rows:
        if len(cells) != len(header):
            raise TrainingDataError(
                f"{path}, line {line}: {len(cells)} cells under {len(header)} columns; a text with a comma stands in "
                "quotation marks."
            )
    if not rows:
        raise TrainingDataError(f"{path} names columns, but no film.")
    table = pd.DataFrame([[cell.strip() for cell in cells] for _, cells in rows], columns=header, dtype=str)
    table = table[[name for name in header if not name.startswith(NOT_COUNTED)]]
    table = table.assign(**{name: "" for name in (*required, *optional) if name not in header})
    return table.assign(**{LINE: [line for line, _ in rows]})


def demand_values(path: Path, table: pd.DataFrame, column: str, allowed: Sequence[str]) -> None:
    """Refuse a table with other values in a column than are allowed.

    Raises:
        TrainingDataError: If it has; the message names the first such line and the nearest value.
    """
    wrong = table[~table[column].isin(allowed)]
    if len(wrong):
        line, value = wrong.iloc[0][[LINE, column]]
        raise TrainingDataError(
            f"{path}, line {line}: {column} is {value!r}, not one of {', '.join(filter(None, allowed))}"
            f"{did_you_mean(value, allowed)}{_and_more(len(wrong))}."
        )


def demand_unique(path: Path, table: pd.DataFrame, column: str) -> None:
    """Refuse a table that has a value of a column twice.

    Raises:
        TrainingDataError: If it has; the message names both lines.
    """
    again = table[table[column].duplicated()]
    if len(again):
        value = again.iloc[0][column]
        lines = ", ".join(map(str, table.loc[table[column] == value, LINE]))
        raise TrainingDataError(
            f"{path} names {value} {(table[column] == value).sum()} times, in lines {lines}{_and_more(len(again))}; "
            "each film has one line."
        )


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """Propose what may have been meant, as a sentence goes on; "" if nothing is near."""
    candidates = list(filter(None, known))
    same = [one for one in candidates if one.lower() == name.lower()]
    near = (
        same
        or [one for one in candidates if one in name or name and name in one]
        or get_close_matches(name, candidates, 1)
    )
    return f" (did you mean {near[0]}?)" if near else ""


def some(names: list[str], separator: str = ", ") -> str:
    """List names, the first few of them."""
    return separator.join(names[:NAMED]) + (f"{separator}…" if len(names) > NAMED else "")


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TrainingDataError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
        first = text.lstrip().partition("\n")[0]
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(DELIMITERS, key=first.count), strict=True)
        return [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except UnicodeDecodeError as error:
        raise TrainingDataError(f"{path} is no text in UTF-8; save it as CSV in UTF-8.") from error
    except csv.Error as error:
        raise TrainingDataError(f"{path} is no table: {error}.") from error


def _check_header(path: Path, header: Sequence[str], required: Sequence[str], optional: Sequence[str]) -> None:
    for name in header:
        if header.count(name) > 1:
            raise TrainingDataError(f"{path} has the column {name!r} twice.")
    missing = [name for name in required if name not in header]
    known = [*required, *optional]
    unknown = [name for name in header if name not in known and not name.startswith(NOT_COUNTED)]
    if unknown:
        raise TrainingDataError(
            f"{path} has a column {unknown[0]!r} that nothing reads{did_you_mean(unknown[0], known)}"
            f"{_and_more(len(unknown))}; correct its name, or let it begin with an underscore."
        )
    if missing:
        raise TrainingDataError(f"{path} lacks the column {some(missing)}; it has {some(list(header))}.")


def _and_more(count: int) -> str:
    return f", and {count - 1} more" if count > 1 else ""
