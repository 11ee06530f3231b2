"""What a run logs of its epochs, and the curves drawn from the log alone."""

import math
from pathlib import Path

import pandas as pd
import pytest
import torch

from training.__main__ import main
from training.evidence.curves import METRICS, read_log
from training.learning.progress import EpochFigures


def write_log(run: Path, part: int, rows: list[dict]) -> None:
    folder = run / "csv" / f"version_{part}"
    folder.mkdir(parents=True)
    pd.DataFrame(rows).to_csv(folder / "metrics.csv", index=False)


def epoch_end(step: int, selection: float, **figures: float) -> list[dict]:
    """The two rows that an epoch ends with, and one of a step."""
    names = ("auroc_head", "precision", "accuracy", "dice_pos_at_half", "loss")
    return [
        {"step": step - 1, "train/loss": 2.0},
        {"step": step, **{f"train_epoch/{name}": 0.5 for name in names}},
        {"step": step, "val/selection": selection, "val/dice_pos": 0.4, **{f"val/{name}": 0.6 for name in names}}
        | {f"val/{name}": value for name, value in figures.items()},
    ]


def test_figures_of_an_epoch_by_hand():
    true_mask = torch.zeros(4, 1, 4, 4)
    true_mask[0, 0, :2], true_mask[1, 0, :1] = 1, 0.6
    mask_logits = torch.full((4, 1, 4, 4), -1.0)
    mask_logits[0, 0, 1:3] = 1  # half of it found, as much marked beside it; nothing found of the second film's
    seen = EpochFigures()
    logits, labels = torch.tensor([[2.0], [-1.0], [1.0], [-3.0]]), torch.tensor([[1.0], [0.6], [0.0], [0.4]])
    seen.add(mask_logits[:3], logits[:3], true_mask[:3], labels[:3], torch.tensor(1.0))
    seen.add(mask_logits[3:], logits[3:], true_mask[3:], labels[3:], torch.tensor(5.0))
    expected = {"loss": 2.0, "auroc_head": 0.75, "precision": 0.5, "accuracy": 0.5, "dice_pos_at_half": 0.25}
    assert seen.figures() == pytest.approx(expected)


def test_figures_that_do_not_exist_are_not_numbers():
    nothing = torch.full((1, 1), -1.0)
    seen = EpochFigures()
    seen.add(nothing[:, :, None, None], nothing, torch.zeros(1, 1, 1, 1), torch.zeros(1, 1), torch.tensor(1.0))
    figures = seen.figures()
    assert (figures["accuracy"], figures["loss"]) == (1, 1)
    assert all(math.isnan(figures[name]) for name in ("auroc_head", "precision", "dice_pos_at_half"))


def test_a_log_in_parts_is_read_as_one(tmp_path):
    run = tmp_path / "run"
    write_log(run, 0, epoch_end(10, 1.0) + [{"step": 15, "train/loss": 3.0}])  # broken off in the second epoch
    write_log(run, 1, epoch_end(20, 1.3, precision=0.9) + epoch_end(30, 1.3))
    write_log(run, 2, epoch_end(30, 1.3) + epoch_end(40, 1.2))  # killed before the third epoch was saved
    log = read_log(run)
    assert log.index.tolist() == [1, 2, 3, 4]
    assert log["val/selection"].tolist() == [1.0, 1.3, 1.3, 1.2]
    assert log["val/precision"].tolist() == [0.6, 0.9, 0.6, 0.6]
    assert (log["train_epoch/loss"] == 0.5).all() and log.index[log["chosen"]].tolist() == [3]


def test_curves_are_drawn_from_logs_alone(tmp_path, capsys):
    write_log(tmp_path / "new", 0, epoch_end(10, 1.0) + epoch_end(20, 1.2))
    old = [{"step": 10, "val/selection": 1.1, "val/auroc_head": 0.7, "val/dice_pos": 0.3}]  # before epochs were logged
    write_log(tmp_path / "old", 0, old)
    runs = f"[{tmp_path / 'new'},{tmp_path / 'old'}]"
    main(["curves", "--runs", runs, "--out", str(tmp_path / "out")])
    assert "new: 2 epochs, the weights kept are those of epoch 2" in capsys.readouterr().out
    assert {path.stem for path in (tmp_path / "out").glob("*.svg")} == set(METRICS)
    table = pd.read_csv(tmp_path / "out" / "curves.csv")
    assert table.groupby("run").size().to_dict() == {"new": 2, "old": 1}


def test_a_folder_without_a_finished_epoch_is_refused(tmp_path):
    write_log(tmp_path / "young", 0, [{"step": 9, "train/loss": 1.0}])
    for run in ("young", "nothing"):
        with pytest.raises(FileNotFoundError, match="finished epoch"):
            read_log(tmp_path / run)
