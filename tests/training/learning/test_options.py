"""Settings worth trying: each does what it says, and the network that is kept stays one that serving can load."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from app.segmentation.checkpoint import load_checkpoint
from app.segmentation.network.model import ModelConfig, build_model
from training.__main__ import main
from training.data.sampling import BalancedBatches, with_view_share
from training.learning.findings import FINDINGS, WithFindings, finding_targets, findings_loss
from training.learning.losses import LossWeights
from training.learning.mining import FalseAlarms
from training.learning.setup import let_learn
from training.learning.train import BEST_FILE, STATE_FILE, train


def test_findings_are_those_the_report_names_where_there_is_one():
    targets = finding_targets(pd.DataFrame({"findings": ["Effusion|Pneumothorax", "No Finding", ""]}))
    assert targets.shape == (3, len(FINDINGS))
    assert [FINDINGS[index] for index in torch.nonzero(targets[0])[:, 0]] == ["Effusion", "Pneumothorax"]
    assert targets[1].sum() == 0 and targets[2].isnan().all()


def test_films_without_a_report_teach_no_finding():
    targets = finding_targets(pd.DataFrame({"findings": ["Effusion", ""]}))
    logits = torch.zeros(2, len(FINDINGS), requires_grad=True)
    loss = findings_loss(logits, targets)
    loss.backward()
    assert loss.item() == pytest.approx(np.log(2))
    assert logits.grad[0].abs().min() > 0 and (logits.grad[1] == 0).all()
    assert findings_loss(logits, torch.full_like(logits, float("nan"))).item() == 0


def test_the_head_for_findings_answers_beside_the_networks_own_two():
    network = build_model(ModelConfig(decoder_channels=(16, 16, 8, 8, 8))).eval()
    film = torch.randn(2, 1, 64, 64)
    mask, image, findings = WithFindings(network)(film)
    for one, other in zip((mask, image), network(film), strict=True):
        torch.testing.assert_close(one, other)
    assert findings.shape == (2, len(FINDINGS))


def test_a_network_that_learnt_findings_is_kept_without_their_head(small_training):
    config = replace(small_training, epochs=1, loss=LossWeights(findings=0.2))
    train(config)
    log = pd.concat(pd.read_csv(path) for path in config.run.glob("csv/version_*/metrics.csv"))
    assert log["train/findings"].dropna().tolist() == [0, 0], "synthetic films have no report"
    checkpoint = load_checkpoint(config.run / BEST_FILE)
    assert checkpoint.model.state_dict().keys() == build_model(checkpoint.metadata.model).state_dict().keys()


def test_suspected_negatives_are_shown_more_often_and_positives_are_not():
    alarms = FalseAlarms(np.array([1, 0, 0, 0]))
    for _ in range(12):
        alarms.add(torch.tensor([0, 1, 2, 1]), torch.tensor([[9.0], [9.0], [-9.0], [9.0]]))
        alarms.end_epoch()
    assert alarms.weights(2.0) == pytest.approx([1, 3, 1, 1], abs=0.01)
    assert (alarms.weights(0.0) == 1).all()


def test_false_alarms_outlast_an_interruption(small_training):
    train(replace(small_training, mining=2.0))
    alarms = torch.load(small_training.run / STATE_FILE, weights_only=False)["alarms"]
    labels = pd.read_csv(small_training.data / "films.csv")["label"].to_numpy()
    assert (alarms[labels == 0] > 0).any() and (alarms[labels == 1] == 0).all()


def test_ap_films_have_the_share_asked_for_whatever_the_label():
    table = pd.DataFrame(
        {"label": [1] * 20 + [0] * 60, "view": (["AP"] * 5 + ["PA"] * 15) + (["PA"] * 55 + ["AP"] * 5)}
    )
    rows = np.arange(80)
    weights = with_view_share(np.linspace(1, 2, 80), table, rows, 0.5)
    labels = table["label"].to_numpy()
    sampler = BalancedBatches(labels, rows, steps=50, batch_size=8, micro_batch=8, seed=0, weights=weights)
    drawn = table.iloc[[draw.row for batch in sampler for draw in batch]]
    assert drawn.groupby("label")["view"].apply(lambda view: (view == "AP").mean()).tolist() == pytest.approx(
        [0.5, 0.5], abs=0.02
    )


def test_a_label_with_one_view_keeps_its_weights():
    table = pd.DataFrame({"label": [1, 1, 0, 0], "view": ["PA", "PA", "AP", "PA"]})
    assert with_view_share(np.ones(4), table, np.arange(4), 0.25).tolist() == [1, 1, 0.5, 1.5]


def test_parts_that_do_not_learn_keep_their_weights(small_training):
    head_alone = replace(small_training, epochs=1, parts=("classification_head",), ema_decay=0.0)
    train(head_alone)
    torch.manual_seed(head_alone.seed)
    before = build_model(head_alone.model).state_dict()
    after = load_checkpoint(head_alone.run / BEST_FILE).model.state_dict()
    moved = {name.split(".")[0] for name, value in after.items() if (value - before[name]).abs().max() > 2e-3}
    weights = {name for name in moved if name != "encoder"}
    assert "classification_head" in weights
    trained = [name for name, value in after.items() if name.endswith("weight") and not name.startswith("class")]
    assert all(torch.allclose(after[name], before[name], atol=2e-3) for name in trained)
    assert any(not torch.equal(after[name], before[name]) for name in after if "running_" in name)
    with pytest.raises(ValueError, match="no part neck"):
        let_learn(build_model(small_training.model), ("neck",))


def test_a_run_stops_when_its_minutes_are_over_and_goes_on(small_training, capsys):
    train(replace(small_training, minutes=0.0))
    assert "Stopped after epoch 1 of 2" in capsys.readouterr().out
    train(replace(small_training, minutes=60.0))
    assert "Going on after epoch 1 of 2" in capsys.readouterr().out
    assert torch.load(small_training.run / STATE_FILE, weights_only=False)["epoch"] == 2


def test_first_weights_can_travel_as_a_file(tmp_path, small_training):
    out = tmp_path / "carried" / "start.safetensors"
    main(["begin", "--out", str(out), "--start", "random", "--image_size", "64", "--model.pooling", "score_lse"])
    assert load_checkpoint(out).metadata.model == ModelConfig(pooling="score_lse")
    train(replace(small_training, start=str(out), epochs=1))
    made = load_checkpoint(small_training.run / BEST_FILE).metadata.provenance
    assert made["started_from"]["started_from"] == "random" and made["started_from"]["films_seen"] == 0
