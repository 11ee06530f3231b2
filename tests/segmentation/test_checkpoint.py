"""One file per model: what goes in comes out, and whatever does not fit is refused."""

import hashlib
import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from app.segmentation.checkpoint import (
    HEADER_KEY,
    CheckpointMetadata,
    load_checkpoint,
    save_checkpoint,
    write_tensors,
)
from app.segmentation.decision.population import FIRST_RELEASES
from app.segmentation.errors import CheckpointError
from app.segmentation.network.model import ModelConfig, build_model
from app.segmentation.network.out_of_distribution import FeatureDistribution
from app.segmentation.network.preprocessing import PreprocessingConfig
from app.segmentation.predictor import Predictor
from tests.support.answers import DECISION

CONFIG = ModelConfig(decoder_channels=(16, 16, 8, 8, 8))
METADATA = CheckpointMetadata(
    name="tiny",
    model=CONFIG,
    preprocessing=PreprocessingConfig(64),
    decision=DECISION,
    metrics={"val": {"auroc": 0.5}},
    provenance={"seed": 0},
    canary={"film": "", "probability": 0.5},
)


@pytest.fixture(scope="module")
def model() -> torch.nn.Module:
    torch.manual_seed(0)
    model = build_model(CONFIG).eval()
    for name, tensor in model.named_buffers():
        if name.endswith("running_var"):
            tensor.copy_(1 + 0.1 * torch.rand(tensor.shape))
    return model


@pytest.fixture
def path(tmp_path, model):
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, model, METADATA)
    return path


def rewrite(path, header=None, **tensors) -> None:
    """Replace the header's text, or some tensors; None leaves a tensor out."""
    with safe_open(path, "pt") as file:
        metadata = file.metadata() if header is None else header
    state = {**load_file(path), **tensors}
    save_file({name: tensor for name, tensor in state.items() if tensor is not None}, path, metadata=metadata)


def header_of(path) -> dict:
    with safe_open(path, "pt") as file:
        return json.loads(file.metadata()[HEADER_KEY])


class TestRoundTrip:
    def test_metadata(self, path):
        assert load_checkpoint(path).metadata == METADATA

    def test_population(self, tmp_path, model):
        path = tmp_path / "model.safetensors"
        learnt_from = replace(FIRST_RELEASES, source="two hospitals", patients=12, ages=None, turn_degrees=None)
        save_checkpoint(path, model, replace(METADATA, population=learnt_from))
        assert load_checkpoint(path).metadata.population == learnt_from

    def test_without_a_decision(self, tmp_path, model):
        path = tmp_path / "model.safetensors"
        save_checkpoint(path, model, replace(METADATA, decision=None))
        assert load_checkpoint(path).metadata.decision is None

    def test_weights_within_half_precision(self, path, model):
        loaded = load_checkpoint(path).model
        assert not loaded.training
        for name, tensor in loaded.state_dict().items():
            if name.endswith("num_batches_tracked"):
                continue
            assert tensor.dtype == torch.float32
            saved = model.state_dict()[name]
            assert torch.equal(tensor, saved if "running_" in name else saved.half().float())

    def test_same_answer(self, path, model):
        batch = torch.randn(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
        with torch.inference_mode():
            for answer, expected in zip(load_checkpoint(path).model(batch), model(batch), strict=True):
                assert torch.allclose(answer, expected, atol=0.02)

    def test_feature_distribution(self, tmp_path, model):
        path = tmp_path / "model.safetensors"
        known = FeatureDistribution(mean=np.arange(3.0), whitening=2 * np.eye(3), limit=4.5)
        save_checkpoint(path, model, METADATA, known)
        loaded = load_checkpoint(path)
        assert loaded.metadata == METADATA
        assert loaded.feature_distribution.limit == 4.5
        assert loaded.feature_distribution.distance(np.array([3.0, 1.0, 6.0])) == pytest.approx(10)
        assert loaded.feature_distribution.in_limits(np.array([3.0, 1.0, 6.0])) == pytest.approx(10 / 4.5)

    def test_name_of_the_file_is_its_hash(self, path):
        assert load_checkpoint(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()

    def test_half_precision_on_disk_and_readable_by_the_service(self, path, model):
        parameters = sum(tensor.numel() for tensor in model.state_dict().values())
        assert path.stat().st_size < 2.2 * parameters
        assert path.stat().st_mode & 0o044 == 0o044


class TestRefusals:
    def test_missing(self, tmp_path):
        with pytest.raises(CheckpointError, match="No weights at .*absent"):
            load_checkpoint(tmp_path / "absent.safetensors")
        with pytest.raises(CheckpointError, match="No weights at"):
            load_checkpoint(tmp_path)

    @pytest.mark.parametrize("place", [".", "nowhere/file.safetensors"])
    def test_where_no_file_can_be(self, tmp_path, model, place):
        with pytest.raises(CheckpointError, match="cannot be written: .*(Is a directory|No such file)"):
            write_tensors(tmp_path / place, {"weight": np.zeros(3)}, {})
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("size", [0, 4, 1000, -1])
    def test_cut_off(self, path, size):
        path.write_bytes(path.read_bytes()[:size])
        with pytest.raises(CheckpointError, match="not a complete safetensors file"):
            load_checkpoint(path)

    def test_pickle(self, tmp_path, model):
        path = tmp_path / "model.safetensors"
        torch.save(model.state_dict(), path)
        with pytest.raises(CheckpointError, match="not a complete safetensors file"):
            load_checkpoint(path)

    @pytest.mark.parametrize("header", [{}, {"format": "pt"}, {HEADER_KEY: "[1, 2]"}, {HEADER_KEY: "null"}])
    def test_somebody_elses_weights(self, path, header):
        rewrite(path, header)
        with pytest.raises(CheckpointError, match="not a Pleura checkpoint"):
            load_checkpoint(path)

    def test_header_that_is_not_json(self, path):
        rewrite(path, {HEADER_KEY: "{"})
        with pytest.raises(CheckpointError):
            load_checkpoint(path)

    @pytest.mark.parametrize("version", [0, 2, None])
    def test_other_version(self, path, version):
        rewrite(path, {HEADER_KEY: json.dumps({**header_of(path), "format_version": version})})
        with pytest.raises(CheckpointError, match="not of format version 1"):
            load_checkpoint(path)

    @pytest.mark.parametrize("missing", ["name", "model", "preprocessing", "decision"])
    def test_incomplete_header(self, path, missing):
        header = header_of(path)
        del header[missing]
        rewrite(path, {HEADER_KEY: json.dumps(header)})
        with pytest.raises(CheckpointError, match="incomplete"):
            load_checkpoint(path)

    @pytest.mark.parametrize(
        ("section", "change"),
        [
            ("preprocessing", {"image_size": 100}),
            ("preprocessing", {"padding": 3}),
            ("model", {"heads": 2}),
            ("decision", {"operating_point": {**asdict(DECISION.operating_point), "threshold": 2}}),
            ("decision", {"calibration": {}}),
        ],
    )
    def test_impossible_header(self, path, section, change):
        header = header_of(path)
        header[section].update(change)
        rewrite(path, {HEADER_KEY: json.dumps(header)})
        with pytest.raises(CheckpointError, match="incomplete"):
            load_checkpoint(path)

    def test_unknown_encoder(self, path):
        header = header_of(path)
        header["model"]["encoder"] = "no-such-net"
        rewrite(path, {HEADER_KEY: json.dumps(header)})
        with pytest.raises(CheckpointError, match="Unknown encoder 'no-such-net'"):
            load_checkpoint(path).model  # noqa: B018  built when it is asked for

    @pytest.mark.filterwarnings(r"ignore:\s*!+ Mismatched keys")  # smp leaves such weights out, and says so
    def test_weights_of_other_shapes(self, path):
        rewrite(path, **{"segmentation_head.0.weight": torch.zeros(1, 4, 3, 3)})
        with pytest.raises(CheckpointError, match=r"lack \['segmentation_head.0.weight'\]"):
            load_checkpoint(path).model  # noqa: B018  built when it is asked for

    def test_weights_missing_or_unasked(self, path):
        rewrite(path, **{"segmentation_head.0.bias": None, "extra": torch.zeros(1)})
        with pytest.raises(CheckpointError, match=r"lack \['segmentation_head.0.bias'\] and bring \['extra'\]"):
            load_checkpoint(path).model  # noqa: B018  built when it is asked for


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e6])
def test_weights_that_half_precision_cannot_hold_are_not_saved(tmp_path, value):
    model = build_model(CONFIG)
    torch.nn.init.constant_(model.segmentation_head[0].bias, value)
    with pytest.raises(CheckpointError, match="segmentation_head.0.bias is not finite in half precision"):
        save_checkpoint(tmp_path / "model.safetensors", model, METADATA)
    assert not list(tmp_path.iterdir())


def test_unknown_encoder_is_refused_when_building():
    with pytest.raises(CheckpointError, match="see smp.encoders"):
        build_model(replace(CONFIG, encoder="no-such-net"))


@pytest.mark.parametrize("encoder", ["tu-resnet18", "densenet121", "vgg11"])
def test_encoder_that_cannot_be_cut(encoder):
    with pytest.raises(
        ValueError, match=f"The encoder '{encoder}' cannot be cut to depth 4: .* Set encoder_depth to 5"
    ):
        build_model(replace(CONFIG, encoder=encoder, encoder_depth=4, decoder_channels=(16, 16, 8, 8)))


@pytest.mark.parametrize(
    "config",
    [
        replace(CONFIG, encoder="resnet34"),
        replace(CONFIG, architecture="unetplusplus"),
        replace(CONFIG, architecture="deeplabv3plus", decoder_channels=(32,)),
        replace(CONFIG, encoder_depth=4, decoder_channels=(16, 16, 8, 8)),
        replace(CONFIG, encoder="resnet34", encoder_depth=3, decoder_channels=(16, 8, 8)),
    ],
    ids=lambda config: f"{config.architecture}-{config.encoder}-{config.encoder_depth}",
)
def test_other_networks_come_back_as_they_were(tmp_path, config):
    model = build_model(config)
    batch = torch.randn(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    mask_logits, image_logits = model(batch)
    (mask_logits.mean() + image_logits.mean()).backward()
    assert not [name for name, parameter in model.named_parameters() if parameter.grad is None], "nothing idle is kept"

    save_checkpoint(tmp_path / "model.safetensors", model, replace(METADATA, model=config))
    loaded = load_checkpoint(tmp_path / "model.safetensors")
    assert loaded.metadata.model == config
    assert loaded.model(batch)[0].shape == (2, 1, 64, 64)


def test_a_release_from_before_checkpoints_told_of_their_films(path):
    header = header_of(path)
    del header["population"], header["decision"]["operating_point"]["specificity"]
    rewrite(path, header={HEADER_KEY: json.dumps(header)})
    old = load_checkpoint(path)
    assert old.metadata == METADATA
    assert old.metadata.decision.operating_point.specificity == 0.9
    assert Predictor(old).population == FIRST_RELEASES


def test_a_header_from_before_there_were_other_networks_is_a_u_net(path):
    header = header_of(path)
    del header["model"]["architecture"], header["model"]["encoder_depth"]
    rewrite(path, header={HEADER_KEY: json.dumps(header)})
    assert load_checkpoint(path).metadata.model == CONFIG


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"architecture": "no-such-net"}, "architecture must be one of unet"),
        ({"encoder_depth": 6}, "encoder_depth must be 3 to 5, not 6"),
        ({"encoder_depth": 4}, "unet at depth 4 has 4 decoder"),
        ({"architecture": "deeplabv3plus"}, "has 1 decoder block"),
    ],
)
def test_an_architecture_that_cannot_be_built_is_refused_by_name(change, complaint):
    with pytest.raises(ValueError, match=complaint):
        replace(CONFIG, **change)
