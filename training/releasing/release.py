"""Turn a training's best weights into the one file that the application loads, and its model card."""

import base64
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.segmentation.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from app.segmentation.network.out_of_distribution import FeatureDistribution
from app.segmentation.network.preprocessing import check_side
from app.segmentation.notice import NOTICE
from app.segmentation.predictor import Predictor
from app.segmentation.reading.image_io import read_radiograph
from training.data.description import FILE, FILL_IN, read_description
from training.data.films import PreparedFilms
from training.data.lineage import demand_both_classes
from training.errors import UserError
from training.measuring.writing import write_json
from training.releasing.calibrate import choose_decision, choose_image_size, fit_feature_distribution, gather_evidence
from training.releasing.evaluate import describe_split, figures_table, predict_split
from training.releasing.graph import graph
from training.releasing.phantom.drawing import phantom_png
from training.releasing.population import describe_population, measure_no_film_distance

FAMILIAR_FILMS = 1000
"""Training films from which the network's idea of a film is taken."""


def release(
    trained: Path,
    data: Path,
    out: Path,
    name: str,
    image_sizes: tuple[int, ...] = (),
    mirror_size: int | None = None,
    open_test_split: bool = False,
    int8: bool = False,
) -> None:
    """Calibrate, measure and write a model: weights, their graph for OpenVINO, metrics.json and MODEL_CARD.md.

    A synthetic film goes into the checkpoint, with its answer: what the service asks itself to prove itself ready.

    Args:
        trained: `best.safetensors` of a training.
        data: Prepared folder; its DATASET.md tells reports and model card whose films they are, what masks and
            annotators are, and under which terms. Where it has none, the card says "[fill in]".
        out: Checkpoint to write.
        name: Name of the model, shown with its hash.
        image_sizes: Input sizes to choose from on val; none: the one it was trained with.
        mirror_size: Side of the square at which the mirror image is answered and averaged with the film, in pixels;
            none: the film's own. A larger one shows the film at two scales.
        open_test_split: Whether to measure on the test split too. Look at it once a release, and
            never choose by it.
        int8: Whether to make a graph of eight bits too, and to offer it if it is as good on val.
    """
    if mirror_size is not None:
        check_side(mirror_size, "mirror_size")
    films, described = PreparedFilms.open(data), read_description(data)
    val = films.expert_rows("val")
    demand_both_classes(films.table, val, "Val (of the label source expert_mask), by which thresholds are chosen,")
    checkpoint = load_checkpoint(trained)
    if "label_sources" not in checkpoint.metadata.provenance.get("settings", {}):
        raise UserError(f"{trained} is not what `train` leaves behind; --trained names its best.safetensors.")
    checkpoint = choose_image_size(checkpoint, films, image_sizes)
    checkpoint, distribution = _decided(checkpoint, films, val, described.source, mirror_size)
    checkpoint = replace(checkpoint, metadata=replace(checkpoint.metadata, name=name))
    out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out.parent, prefix=".release-") as room:  # an earlier release stands until all is there
        splits = ["val", "test"] if open_test_split else ["val"]
        figures = _write(Path(room) / out.name, checkpoint, distribution, films, splits, described.notes)
        for path in Path(room).iterdir():
            path.replace(out.parent / path.name)
    print(figures_table(figures))
    print(f"written: {out}, its graph, {out.parent / 'MODEL_CARD.md'} and metrics.json")
    if FILL_IN in described.source + described.notes:
        print(f"MODEL_CARD.md holds {FILL_IN}: write {data / FILE}, and release again")
    print(f"next: PLEURA_WEIGHTS={out} make run")
    if int8:
        from training.releasing.quantise import quantise

        quantise(out, data)


def _decided(
    checkpoint: Checkpoint, films: PreparedFilms, val: np.ndarray, source: str, mirror_size: int | None
) -> tuple[Checkpoint, FeatureDistribution]:
    """Choose how evidence becomes an answer, and describe the films that it was learnt from."""
    mirror_size = mirror_size or checkpoint.metadata.mirror_size
    evidence = gather_evidence(checkpoint, films, val, mirror_size)
    decision = choose_decision(evidence, [films.true_mask(row) for row in val], mirror_size)
    settings = checkpoint.metadata.provenance["settings"]
    learnt_from = films.rows("train", settings["label_sources"])
    familiar = np.random.default_rng(0).permutation(learnt_from)[:FAMILIAR_FILMS]
    distribution = fit_feature_distribution(gather_evidence(checkpoint, films, familiar, mirror_size), evidence)
    population = describe_population(
        films,
        learnt_from,
        source,
        turn_degrees=settings.get("window", {}).get("degrees"),
        no_film_distance=measure_no_film_distance(checkpoint, distribution, mirror_size),
    )
    metadata = replace(checkpoint.metadata, decision=decision, population=population)
    return replace(checkpoint, metadata=metadata), distribution


def _write(
    out: Path,
    checkpoint: Checkpoint,
    distribution: FeatureDistribution,
    films: PreparedFilms,
    splits: list[str],
    notes: str,
) -> dict:
    """Write the file that is served, measure it as it is served, and write beside it what was measured; return that."""
    metadata = checkpoint.metadata
    save_checkpoint(out, checkpoint.model, metadata, distribution)
    graph(out)
    predictor = Predictor.load(out)
    metrics = {split: describe_split(predict_split(predictor, films, split)) for split in splits}
    film = phantom_png()
    canary = {
        "film": base64.b64encode(film).decode("ascii"),
        "probability": predictor.predict(read_radiograph(film)).probability,
    }
    save_checkpoint(out, checkpoint.model, replace(metadata, metrics=metrics, canary=canary), distribution)
    released = Predictor.load(out)
    out.with_name("MODEL_CARD.md").write_text(model_card(released, films, notes))
    figures = {"model": metadata.name, "sha256": released.sha256, **metrics}
    write_json(figures, out.with_name("metrics.json"))
    return figures


def model_card(predictor: Predictor, films: PreparedFilms, notes: str = "") -> str:
    """Write what a released model is, from what its checkpoint says of itself.

    Args:
        predictor: The model.
        films: Prepared films.
        notes: What whoever releases it says of the films, Markdown.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    train = films.table[films.table["split"] == "train"]
    by_source = train.groupby("label_source")["label"].agg(["size", "sum"])
    return environment.get_template("model_card.md.jinja").render(
        notice=NOTICE,
        metadata=predictor.metadata,
        decision=predictor.decision,
        sha256=predictor.sha256,
        sources={source: (int(row["size"]), int(row["sum"])) for source, row in by_source.iterrows()},
        population=predictor.population,
        notes=notes.strip(),
    )
