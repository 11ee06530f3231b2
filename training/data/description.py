"""What a folder of films says of itself, for the model card: `DATASET.md`."""

import re
from dataclasses import dataclass
from pathlib import Path

from training.errors import TrainingDataError

FILE = "DATASET.md"
FILL_IN = "[fill in]"
SOURCE = re.compile(r"source:\s*(.+)")

BLANK = f"""source: {FILL_IN}

- Films: {FILL_IN} which hospital, years, machines; how they were chosen; how names were removed.
- Masks: {FILL_IN} who drew them, by what rules, with which tool; how far readers agreed.
- Terms: {FILL_IN} under which terms films, masks and what is learnt from them may be used.
"""


@dataclass(frozen=True)
class Description:
    """Where films come from.

    Attributes:
        source: As a sentence goes on after "films of": "one hospital".
        notes: Markdown for the model card: films, masks, annotators, terms.
    """

    source: str
    notes: str


def read_description(folder: Path) -> Description:
    """Read a folder's `DATASET.md`: a first line "source: one hospital", then Markdown; a blank where there is none.

    Raises:
        TrainingDataError: If its first line is another one.
    """
    path = folder / FILE
    try:
        text = path.read_text("utf-8-sig") if path.is_file() else BLANK
    except UnicodeDecodeError as error:
        raise TrainingDataError(f"{path} is no text in UTF-8.") from error
    first, _, notes = text.strip().partition("\n")
    source = SOURCE.fullmatch(first.strip())
    if source is None:
        raise TrainingDataError(
            f'{path} must begin with a line such as "source: one hospital", which goes on after "films of".'
        )
    return Description(source[1], notes.strip())


def copy_description(source: Path, out: Path) -> None:
    """Keep what a folder says of itself beside its prepared films; say so where it says nothing."""
    if (source / FILE).is_file():
        (out / FILE).write_bytes((source / FILE).read_bytes())
    else:
        print(f'{source} has no {FILE}: the model card will say "{FILL_IN}" of films, masks and terms.')
