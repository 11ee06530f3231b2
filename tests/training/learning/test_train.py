"""A whole small training: it starts, stops, goes on, is shared between processes, is released and served."""

import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from app import create_app
from app.segmentation.checkpoint import load_checkpoint
from app.segmentation.errors import CheckpointError
from app.segmentation.network.model import ModelConfig, build_model
from app.segmentation.predictor import Predictor
from training.__main__ import main
from training.data.windows import WindowConfig
from training.errors import TrainingDataError, UserError
from training.evidence.stress import SLIGHT_CHANGES
from training.learning.initialisation import initial_model
from training.learning.train import BEST_FILE, STATE_FILE, train
from training.releasing.phantom.drawing import phantom_png

SMALL = ModelConfig(decoder_channels=(16, 16, 8, 8, 8))


@pytest.fixture
def config(small_training):
    return small_training


def losses(run: Path) -> np.ndarray:
    """Logged training losses, step by step, over all parts of a run."""
    logs = pd.concat(pd.read_csv(path) for path in sorted(run.glob("csv/version_*/metrics.csv")))
    return logs.dropna(subset=["train/loss"]).sort_values("step")["train/loss"].to_numpy()


def test_an_interrupted_training_goes_on_as_it_would_have(config, tmp_path):
    train(config)
    whole = losses(config.run)
    assert len(whole) == 4 and np.isfinite(whole).all()
    assert list(config.run.glob("tensorboard/version_0/events*"))

    broken = replace(config, run=tmp_path / "broken")
    first_epoch = sys.modules["training.learning.train"].train_epoch

    def interrupted(learner, epoch, loader):
        if epoch:
            raise KeyboardInterrupt
        first_epoch(learner, epoch, loader)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.learning.train.train_epoch", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(broken)
    assert (broken.run / STATE_FILE).is_file()
    train(broken)

    np.testing.assert_allclose(losses(broken.run), whole, rtol=1e-5)
    resumed, straight = (load_checkpoint(run / BEST_FILE).model.state_dict() for run in (broken.run, config.run))
    for name, value in straight.items():
        torch.testing.assert_close(resumed[name], value, rtol=1e-3, atol=1e-4, msg=name)


def test_a_training_does_not_go_on_with_other_settings(config):
    train(replace(config, epochs=1))
    provenance = load_checkpoint(config.run / BEST_FILE).metadata.provenance
    assert (provenance["epoch"], provenance["films_seen"], provenance["started_from"]) == (1, 8, "random")
    train(replace(config, epochs=1, log_every=2))
    with pytest.raises(ValueError, match="learning_rate"):
        train(replace(config, epochs=1, learning_rate=1.0))


def test_provenance_says_which_films_and_how_many_windows_were_seen(config):
    train(replace(config, epochs=1, window=WindowConfig(size=32)))
    provenance = load_checkpoint(config.run / BEST_FILE).metadata.provenance
    assert (provenance["films_seen"], provenance["windows_seen"], provenance["windows_in_all"]) == (8, 8, 8)
    assert (provenance["data"]["films"], provenance["data"]["positive"]) == (12, 6)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda table: table[table["split"] != "val"], "Val .* it has 0 and 0"),
        (lambda table: table[(table["split"] != "val") | (table["label"] == 0)], "Val .* it has 0 and 4"),
        (lambda table: table[(table["split"] != "train") | (table["label"] == 1)], "Train .* it has 6 and 0"),
        (lambda table: table.assign(patient_id="one"), r"1 patient\(s\) of train"),
    ],
    ids=["no val", "no positive in val", "no negative in train", "one patient"],
)
def test_a_training_that_cannot_work_is_not_begun(config, tmp_path, change, told):
    folder = tmp_path / "films"
    folder.mkdir()
    table = pd.read_csv(config.data / "films.csv", dtype=str, keep_default_na=False)
    chosen = change(table.assign(label=table["label"].astype(int)))
    chosen.to_csv(folder / "films.csv", index=False)
    for name in ("images.npy", "masks.npy"):
        np.save(folder / name, np.load(config.data / name)[chosen.index])
    with pytest.raises(TrainingDataError, match=told):
        train(replace(config, data=folder))


def test_two_processes_follow_the_course_of_one(config, tmp_path):
    """Same total batch, same micro-batches: the losses agree within float noise."""

    settings = {
        "data": config.data, "run": tmp_path / "two", "start": "random", "image_size": 64, "epochs": 1,
        "steps_per_epoch": 4, "batch_size": 4, "micro_batch": 2, "workers": 0, "accelerator": "cpu", "log_every": 1,
        "model.decoder_channels": "[16,16,8,8,8]", "devices": 2, "strategy": "ddp",
    }  # fmt: skip
    arguments = [text for name, value in settings.items() for text in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "training", "train", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    finished = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert finished.returncode == 0, finished.stderr[-2000:]

    train(replace(config, epochs=1, steps_per_epoch=4))
    one = losses(config.run)
    assert len(one) == 4
    np.testing.assert_allclose(losses(tmp_path / "two"), one, rtol=1e-4)


def test_from_films_to_a_served_answer(config, manifest_folder, tmp_path, capsys):
    prepared, out = tmp_path / "prepared", tmp_path / "weights" / "tiny.safetensors"
    main(["prepare", "--source", str(manifest_folder), "--out", str(prepared), "--size", "64"])
    train(replace(config, data=prepared))

    with pytest.raises(CheckpointError, match="python -m training release"):
        Predictor.load(config.run / BEST_FILE)
    main(
        ["release", "--trained", str(config.run / BEST_FILE), "--data", str(prepared), "--out", str(out)]
        + ["--name", "tiny", "--open_test_split", "true"]
    )  # fmt: skip

    metrics = json.loads((out.parent / "metrics.json").read_text())
    assert metrics["val"]["films"] == 8 and metrics["test"]["positive"] == 4
    low, high = metrics["val"]["figures"]["auroc"]["interval"]
    assert low <= metrics["val"]["figures"]["auroc"]["value"] <= high
    card = (out.parent / "MODEL_CARD.md").read_text()
    assert metrics["sha256"] in card and f"{metrics['test']['figures']['dice_pos']['value']:.3f}" in card

    capsys.readouterr()
    main(["evaluate", "--weights", str(out), "--data", str(prepared), "--out", str(tmp_path / "again.json")])
    again = json.loads((tmp_path / "again.json").read_text())
    assert again["val"] == metrics["val"], "anyone can measure the released figures again"
    printed = capsys.readouterr().out
    assert f"| auroc | {again['val']['figures']['auroc']['value']:.3f} (" in printed
    assert "next: python -m training report" in printed

    main(
        ["report", "--weights", str(out), "--data", str(prepared), "--out", str(tmp_path / "report"), "--split", "test"]
    )
    described = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert described["figures"] == metrics["test"]["figures"]
    assert len(list((tmp_path / "report").glob("*.svg"))) == 5
    groups = pd.read_csv(tmp_path / "report" / "groups.csv")
    assert set(groups.loc[groups["group"] == "all", "figure"]) == {"auroc", "sensitivity", "specificity", "dice_pos"}

    main(["stress", "--weights", str(out), "--data", str(prepared), "--out", str(tmp_path)])
    stressed = json.loads((tmp_path / "stress.json").read_text())
    assert stressed["familiarity"]["other_pictures"] > 30
    assert set(stressed["mean_absolute_change"]) == set(SLIGHT_CHANGES)

    app = create_app(
        {"TESTING": True, "WEIGHTS": str(out), "API": "open", "DATABASE_URL": f"sqlite:///{tmp_path}/s.sqlite"}
    )
    film = io.BytesIO(phantom_png(size=256))
    response = app.test_client().post("/api/v1/predictions", data={"file": (film, "film.png")})
    assert response.status_code == 200
    assert response.json["model"]["sha256"] == metrics["sha256"]
    assert app.test_client().get("/readyz").status_code == 200


def test_lite0_warm_start_brings_every_convolution_and_opens_the_gates():
    torch.manual_seed(0)
    warm, _, _ = initial_model("lite0", SMALL)
    cold = build_model(SMALL)
    cold_state = cold.encoder.state_dict()
    for name, value in warm.encoder.state_dict().items():
        if "_se_" not in name and name.endswith("weight") and value.ndim == 4:
            assert not torch.equal(value, cold_state[name]), name
    gates = []
    for module in warm.encoder.modules():
        if hasattr(module, "_se_expand"):
            module._se_expand.register_forward_hook(lambda _, __, out: gates.append(out.detach().sigmoid()))
    warm.eval()(torch.randn(1, 1, 64, 64))
    assert len(gates) == 16 and min(float(gate.min()) for gate in gates) > 0.9


def test_a_start_from_a_checkpoint_brings_its_architecture(checkpoint_path):
    model, config, origin = initial_model(str(checkpoint_path), ModelConfig())
    assert config == SMALL and model.training
    assert origin["sha256"] == load_checkpoint(checkpoint_path).sha256


def test_a_wider_head_answers_as_before_until_it_is_trained(checkpoint_path):
    before = load_checkpoint(checkpoint_path).model.eval()
    model, config, _ = initial_model(str(checkpoint_path), ModelConfig(pooling="catavgmax"))
    assert config == replace(SMALL, pooling="catavgmax")
    film = torch.randn(1, 1, 64, 64)
    for one, other in zip(before(film), model.eval()(film), strict=True):
        assert torch.allclose(one, other, atol=1e-5)
    head = model.classification_head
    assert head[3].in_features == 2 * model.encoder.out_channels[-1] and head[3].weight.requires_grad


def test_lite0_fits_efficientnet_only():
    with pytest.raises(ValueError, match="resnet34"):
        initial_model("lite0", ModelConfig(encoder="resnet34"))


@pytest.mark.parametrize("content", [b"", b"no state", None])
def test_a_state_that_is_none_is_refused(small_training, content):
    config = replace(small_training, epochs=1)
    config.run.mkdir(parents=True)
    if content is None:
        torch.save({"epoch": 1}, config.run / STATE_FILE)
    else:
        (config.run / STATE_FILE).write_bytes(content)
    with pytest.raises(UserError, match=r"last\.ckpt is no state of this training, or damaged"):
        train(config)
