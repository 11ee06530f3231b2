"""Turn a training's best weights into the one file that the application loads, and its model card."""

import base64
from dataclasses import replace
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.segmentation.checkpoint import load_checkpoint, save_checkpoint
from app.segmentation.network.preprocessing import check_side
from app.segmentation.predictor import Predictor
from app.segmentation.reading.image_io import read_radiograph
from training.data.films import PreparedFilms
from training.releasing.calibrate import choose_decision, choose_image_size, fit_feature_distribution, gather_evidence
from training.releasing.evaluate import describe_split, predict_split, publish
from training.releasing.graph import graph
from training.releasing.population import describe_population, measure_no_film_distance

FAMILIAR_FILMS = 1000
"""Training films from which the network's idea of a film is taken."""


def release(
    trained: Path,
    data: Path,
    canary: Path,
    out: Path,
    name: str = "pleura-b0",
    source: str = "unknown origin",
    notes: Path | None = None,
    image_sizes: tuple[int, ...] = (),
    mirror_size: int | None = None,
    open_test_split: bool = False,
    int8: bool = False,
) -> None:
    """Calibrate, measure and write a model: weights, their graph for OpenVINO, metrics.json and MODEL_CARD.md.

    Args:
        trained: `best.safetensors` of a training.
        data: Prepared folder.
        canary: Synthetic film that the service answers to prove itself ready. It is stored in the
            checkpoint, so it must not be a patient's.
        out: Checkpoint to write.
        name: Name of the model, shown with its hash.
        source: Where the films come from, as a sentence goes on after "films of": "one hospital".
        notes: Markdown for the model card: what films, masks and annotators are, and under which terms.
        image_sizes: Input sizes to choose from on val; none: the one it was trained with.
        mirror_size: Side of the square at which the mirror image is answered and averaged with the film, in pixels;
            none: the film's own. A larger one shows the film at two scales.
        open_test_split: Whether to measure on the test split too. Look at it once a release, and
            never choose by it.
        int8: Whether to make a graph of eight bits too, and to offer it if it is as good on val.
    """
    if mirror_size is not None:
        check_side(mirror_size, "mirror_size")
    films = PreparedFilms.open(data)
    checkpoint = choose_image_size(load_checkpoint(trained), films, image_sizes)
    val = films.rows("val", ["expert_mask"])
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
    metadata = replace(checkpoint.metadata, name=name, decision=decision, population=population)
    out.parent.mkdir(parents=True, exist_ok=True)
    save_checkpoint(out, checkpoint.model, metadata, distribution)  # what is measured below is the file that is served
    graph(out)

    predictor = Predictor.load(out)
    splits = ["val", "test"] if open_test_split else ["val"]
    metrics = {split: describe_split(predict_split(predictor, films, split)) for split in splits}
    film = canary.read_bytes()
    answer = {
        "film": base64.b64encode(film).decode("ascii"),
        "probability": predictor.predict(read_radiograph(film)).probability,
    }
    save_checkpoint(out, checkpoint.model, replace(metadata, metrics=metrics, canary=answer), distribution)

    released = Predictor.load(out)
    (out.parent / "MODEL_CARD.md").write_text(model_card(released, films, notes.read_text() if notes else ""))
    publish({"model": name, "sha256": released.sha256, **metrics}, out.parent / "metrics.json")
    if int8:
        from training.releasing.quantise import quantise

        quantise(out, data)


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
        metadata=predictor.metadata,
        decision=predictor.decision,
        sha256=predictor.sha256,
        sources={source: (int(row["size"]), int(row["sum"])) for source, row in by_source.iterrows()},
        population=predictor.population,
        notes=notes.strip(),
    )
