"""What the manuals tell a newcomer to type can be typed."""

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest

from tests.support.film_files import to_png
from training.__main__ import COMMANDS, build_parser
from training.data.manifest import read_manifest
from training.evidence.private_output import REPOSITORY
from training.releasing.phantom.drawing import draw_phantom

MANUALS = [REPOSITORY / "training" / "README.md", REPOSITORY / "docs" / "training.md"]


def blocks(manual: Path, language: str = "") -> list[str]:
    fences = re.findall(r"^```(\w*)\n(.*?)^```$", manual.read_text(), re.MULTILINE | re.DOTALL)
    return [text for named, text in fences if named == language]


def commands(manual: Path) -> list[list[str]]:
    """Every call of `python -m training`, also one that torchrun starts."""
    text = "\n".join(blocks(manual)).replace("\\\n", " ")
    lines = [shlex.split(line, comments=True) for line in text.splitlines() if re.search(r"-m (-- )?training ", line)]
    return [line[line.index("training") + 1 :] for line in lines]


@pytest.mark.parametrize("manual", MANUALS, ids=lambda path: path.parent.name)
def test_every_command_in_a_manual_is_understood(manual):
    assert len(commands(manual)) >= 7
    for arguments in commands(manual):
        assert build_parser().parse_args(arguments).subcommand == arguments[0]


def test_every_command_is_in_a_manual():
    text = "".join(manual.read_text() for manual in MANUALS)
    names = list(COMMANDS)
    assert [name for name in names if not re.search(rf"(python -m training |`){name}\b", text)] == []


def test_the_manifest_of_the_manual_can_be_read(tmp_path, monkeypatch):
    (snippet,) = blocks(MANUALS[0], "python")
    images = tmp_path / "my-films" / "images"
    images.mkdir(parents=True)
    film = to_png(draw_phantom(0, 256).image)
    for patient in range(40):
        for number in range(2):
            (images / f"{patient:04d}_{number}.png").write_bytes(film)
    monkeypatch.chdir(tmp_path)
    exec(compile(snippet, "README.md", "exec"), {})
    records = pd.DataFrame([film.record for film in read_manifest(tmp_path / "my-films")])
    assert len(records) == 80 and (records.groupby("patient_id")["split"].nunique() == 1).all()
    assert set(records["split"]) == {"train", "val", "test"}
