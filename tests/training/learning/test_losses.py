"""What a training minimises, of answers whose losses are known."""

import pytest
import torch

from training.learning.losses import LossWeights, SegmentationLoss


def test_losses_of_a_perfect_and_a_contrary_answer():
    true_mask = torch.zeros(2, 1, 8, 8)
    true_mask[0, :, :4] = 1
    image_label = torch.tensor([[1.0], [0.0]])
    loss = SegmentationLoss(LossWeights(bce=2, dice=3, film_dice=5, image=4))

    def terms(sign):
        return loss(sign * 40 * (true_mask - 0.5), sign * 40 * (image_label - 0.5), true_mask, image_label)

    assert terms(1)["loss"] < 1e-4
    contrary = terms(-1)
    assert contrary["bce"] == pytest.approx(20) and contrary["image"] == pytest.approx(20)
    assert contrary["dice"] == pytest.approx(1, abs=0.05)
    weighted = 2 * contrary["bce"] + 3 * contrary["dice"] + 5 * contrary["film_dice"] + 4 * contrary["image"]
    assert contrary["loss"] == pytest.approx(weighted)


def test_film_dice_weighs_a_small_pneumothorax_like_a_large_one():
    true_mask = torch.zeros(3, 1, 32, 32)
    true_mask[0, :, :24] = 1
    true_mask[1, :, :2] = 1
    found_large = torch.full_like(true_mask, -40.0)
    found_large[0, :, :24] = 40
    terms = SegmentationLoss(LossWeights())(
        found_large, torch.zeros(3, 1), true_mask, torch.tensor([[1.0], [1.0], [0.0]])
    )
    assert terms["dice"] < 0.1
    assert terms["film_dice"] == pytest.approx(0.5, abs=0.02)  # half of the positive films; the empty one has no say
