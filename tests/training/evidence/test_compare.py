"""Networks side by side: costs counted by hand, weights whose best is known, and a comparison of tiny networks."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from jsonargparse import ArgumentParser

from app.segmentation.checkpoint import CheckpointMetadata, load_checkpoint, save_checkpoint
from app.segmentation.network.engine import Evidence
from app.segmentation.network.model import ModelConfig, build_model
from app.segmentation.network.preprocessing import PreprocessingConfig
from app.segmentation.network.torch_engine import TorchEngine
from app.segmentation.predictor import Predictor
from tests.support.answers import DECISION
from training.__main__ import main
from training.evidence import compare as compare_module
from training.evidence.compare import answer, cached_evidence
from training.evidence.costs import count_operations, films_seen, lineage, time_engines
from training.evidence.ensemble import combine, fit_weights, simplex
from training.evidence.private_output import REPOSITORY
from training.learning.config import TrainingConfig
from training.learning.initialisation import initial_model
from training.releasing.evaluate import predict_split

NETWORKS = {
    "first": (ModelConfig(decoder_channels=(16, 16, 8, 8, 8)), 64),
    "shallow": (ModelConfig(decoder_channels=(8, 8, 8), encoder_depth=3), 64),
    "other": (ModelConfig(decoder_channels=(16,), encoder="mobilenet_v2", architecture="deeplabv3plus"), 96),
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> list[Path]:
    """Three checkpoints as trainings leave them, of networks that learned nothing."""
    folder = tmp_path_factory.mktemp("trained")
    for seed, (name, (config, size)) in enumerate(NETWORKS.items()):
        torch.manual_seed(seed)
        made = {"started_from": "random", "films_seen": 100, "settings": {"seed": seed, "epochs": 2}}
        metadata = CheckpointMetadata(name, config, PreprocessingConfig(size), provenance=made)
        save_checkpoint(folder / f"{name}.safetensors", build_model(config), metadata)
    return [folder / f"{name}.safetensors" for name in NETWORKS]


def evidence(probability_map: np.ndarray, image_logit: float = 0.0) -> Evidence:
    return Evidence(probability_map.astype(np.float32), None, image_logit, 0.0, None)


class OneConvolution(torch.nn.Module):
    """A network whose arithmetic is known: 3 × 3 weights, one channel in and out."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Conv2d(1, 1, 3, padding=1, bias=False)
        self.decoder = torch.nn.Identity()

    def encoder(self, batch: torch.Tensor) -> list[torch.Tensor]:
        return [batch, self.layer(batch)]

    def segmentation_head(self, features: list[torch.Tensor]) -> torch.Tensor:
        return features[0]

    def classification_head(self, features: torch.Tensor) -> torch.Tensor:
        return features.mean(dim=(2, 3))


def test_operations_are_those_of_the_film_and_its_mirror_image():
    network = OneConvolution()
    assert count_operations(TorchEngine(network, mirror_size=64), 64) == 2 * (2 * 9 * 64 * 64)
    assert count_operations(TorchEngine(network, mirror_size=None), 64) == 2 * 9 * 64 * 64


def test_a_larger_film_takes_longer():
    engine = TorchEngine(OneConvolution(), mirror_size=32)
    small, large = time_engines([(engine, 32), (engine, 1024)], rounds=5)
    assert 0 < small < large


def test_a_lineage_goes_back_to_the_first_weights():
    made = {"films_seen": 10, "started_from": {"sha256": "1" * 64, "films_seen": 20, "started_from": "lite0"}}
    assert lineage(made["started_from"]) == "checkpoint 11111111, from lite0"
    assert films_seen(made) == 30


def test_weights_lie_on_the_simplex():
    grid = simplex(3, 10)
    assert len(grid) == 66 == len(np.unique(grid, axis=0))
    assert grid.min() == 0 and np.allclose(grid.sum(axis=1), 1)
    assert sorted(grid[0]) == pytest.approx([0.3, 0.3, 0.4]), "nearest to equal first"
    assert simplex(1).tolist() == [[1.0]]


def test_maps_of_two_sizes_are_weighed_on_the_larger():
    fine, coarse = evidence(np.eye(64), 4.0), evidence(np.full((32, 32), 0.5), -2.0)
    mixed = combine([fine, coarse], [0.75, 0.25])
    np.testing.assert_allclose(mixed.probability_map, 0.75 * np.eye(64) + 0.125, atol=1e-6)
    assert mixed.image_logit == pytest.approx(2.5)


def test_a_network_that_misleads_gets_no_weight():
    masks = [np.zeros((32, 32), dtype=bool) for _ in range(20)]
    for mask in masks[::2]:
        mask[8:20, 8:20] = True
    right = [evidence(0.12 * mask, 4.0 * mask.any() - 2) for mask in masks]
    wrong = [evidence(1.0 - mask) for mask in masks]
    assert fit_weights([wrong, right], masks).tolist() == [0.0, 1.0]
    assert fit_weights([right, right], masks).tolist() == [0.5, 0.5]


def test_answers_from_evidence_are_those_that_are_served(checkpoint_path, films, tmp_path):
    predictor, checkpoint = Predictor.load(checkpoint_path), load_checkpoint(checkpoint_path)
    decision = replace(
        predictor.decision,
        postprocessing=replace(predictor.decision.postprocessing, min_area_fraction=0, min_film_probability=0),
    )
    predictor.decision = decision
    served = predict_split(predictor, films, "val")
    again = answer(cached_evidence(checkpoint, films, "val", tmp_path), decision, films, "val")
    np.testing.assert_allclose(again["probability"], served["probability"], atol=1e-5)
    assert served["predicted"].sum() > 0
    np.testing.assert_allclose(again["predicted"], served["predicted"], rtol=0.02, atol=20)  # maps in half precision


def test_networks_are_compared_and_weighed(trained, prepared_folder, tmp_path, monkeypatch):
    decided = []  # networks that learned nothing rank no film above all others, and four negatives allow no mistake
    monkeypatch.setattr(compare_module, "choose_decision", lambda seen, *rest: decided.append(len(seen)) or DECISION)
    arguments = ["compare", "--trained", f"[{','.join(map(str, trained))}]", "--ensemble", "[first,other]"]
    arguments += ["--data", str(prepared_folder), "--out", str(tmp_path), "--timing_rounds", "2", "--resamples", "50"]
    main(arguments)
    assert decided == [8] * 4, "each network's decision is its own, chosen on val"
    table = pd.read_csv(tmp_path / "comparison.csv")
    assert set(table["split"]) == {"val"}, "the test split stays closed"
    assert table["name"].unique().tolist() == [*NETWORKS, "ensemble"]
    costs = table.groupby("name")[["parameters", "ms_ratio", "gflop"]].first()
    own = [sum(p.numel() for p in load_checkpoint(path).model.parameters()) for path in trained]
    assert costs.loc[list(NETWORKS), "parameters"].tolist() == pytest.approx(own, rel=1e-3)
    assert costs.loc["first", "ms_ratio"] == 1
    assert costs.loc["ensemble", "gflop"] <= costs.loc["first", "gflop"] + costs.loc["other", "gflop"] + 1e-6
    differences = table.loc[table["name"] == "first", ["difference", "difference_low", "difference_high"]]
    assert (differences == 0).all(axis=None)
    text = (tmp_path / "comparison.md").read_text()
    assert "8 films, 4 positive" in text and "| seed | 0 | 1 | 2 |" in text and "epochs" not in text

    gathered, gather = [], compare_module.gather_evidence
    monkeypatch.setattr(compare_module, "gather_evidence", lambda *rest: gathered.append(rest) or gather(*rest))
    (tmp_path / "evidence" / f"{load_checkpoint(trained[1]).sha256[:16]}-val.npz").unlink()
    main(arguments)
    assert [checkpoint.metadata.name for checkpoint, *_ in gathered] == ["shallow"], "the others' evidence was kept"
    figures = ["name", "figure", "value", "low", "high"]
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "comparison.csv")[figures], table[figures])

    main([*arguments, "--open_test_split", "true"])
    assert set(pd.read_csv(tmp_path / "comparison.csv")["split"]) == {"val", "test"}


def test_what_cannot_be_compared_is_refused(trained, prepared_folder, tmp_path):
    def compare(*paths: Path, out: Path = tmp_path, ensemble: str = "[]") -> None:
        arguments = ["--trained", f"[{','.join(map(str, paths))}]", "--data", str(prepared_folder), "--out", str(out)]
        main(["compare", *arguments, "--ensemble", ensemble])

    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(trained[0].read_bytes())
    with pytest.raises(SystemExit, match="same name"):
        compare(trained[0], copy)
    with pytest.raises(SystemExit, match="names stranger"):
        compare(trained[0], ensemble="[first,stranger]")
    with pytest.raises(SystemExit, match="lies in the repository"):
        compare(trained[0], out=REPOSITORY / "model_weights" / "comparison")


def test_every_network_of_the_recipe_can_start(tmp_path):
    stub, calls = tmp_path / "python", tmp_path / "calls"
    stub.write_text(f'#!/bin/sh\nprintf "%s\\t" "$@" >> {calls}\necho >> {calls}\n')
    stub.chmod(0o755)
    recipe = REPOSITORY / "training" / "recipes" / "compare.sh"
    environment = {**os.environ, "PYTHON": str(stub)}
    subprocess.run(["sh", recipe, "films", "runs", "--epochs", "3"], check=True, env=environment)
    *trainings, comparison = [line.rstrip("\t").split("\t")[2:] for line in calls.read_text().splitlines()]
    parser = ArgumentParser()
    parser.add_class_arguments(TrainingConfig, as_group=False)
    built = {}
    for command, *arguments in trainings:
        config = TrainingConfig(**vars(parser.instantiate(parser.parse_args(arguments))))
        built[config.run.name], *_ = initial_model(config.start, config.model)
        assert command == "train" and config.epochs == 3
    assert list(built) == ["b0", "resnet34-random", "deeplabv3plus", "b0-random", "b0-depth4"]
    paths = ",".join(f"runs/{name}/best.safetensors" for name in built)
    assert comparison[:3] == ["compare", "--trained", f"[{paths}]"]
