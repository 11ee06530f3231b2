"""What a network learns of its teachers."""

from dataclasses import replace

import pytest
import torch

from app.segmentation.checkpoint import load_checkpoint
from training.learning.distillation import Teachers
from training.learning.train import BEST_FILE, train

FILM = torch.randn(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
MASK = torch.zeros(2, 1, 64, 64)
MASK[0, 0, 10:20, 10:20] = 1
LABEL = torch.tensor([[1.0], [0.0]])


def test_nobody_teaches_by_default():
    mask, label = Teachers((), 0.5, torch.device("cpu")).blend(FILM, MASK, LABEL)
    assert mask is MASK and label is LABEL


def test_teachers_have_their_share_but_mark_nothing_where_nothing_is(checkpoint_path):
    mask, label = Teachers([checkpoint_path] * 2, 0.25, torch.device("cpu")).blend(FILM, MASK, LABEL)
    own_map, own_head = load_checkpoint(checkpoint_path).model.eval()(FILM)
    torch.testing.assert_close(mask[0], 0.75 * MASK[0] + 0.25 * own_map[0].detach().sigmoid())
    torch.testing.assert_close(label, 0.75 * LABEL + 0.25 * own_head.detach().sigmoid())
    assert (mask[1] == 0).all() and not mask.requires_grad


def test_a_taught_network_names_its_teachers(small_training, checkpoint_path):
    taught = replace(small_training, epochs=1, teachers=(checkpoint_path,))
    train(taught)
    settings = load_checkpoint(taught.run / BEST_FILE).metadata.provenance["settings"]
    assert settings["teachers"] == [load_checkpoint(checkpoint_path).sha256]
    assert settings["teacher_share"] == pytest.approx(0.5)
