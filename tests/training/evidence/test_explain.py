"""Heat maps of films, scored against masks: by hand where the score is known, and as one command on tiny networks."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from app.segmentation.network.attribution import Activations, FeatureMap
from app.segmentation.network.model import ModelConfig
from app.segmentation.predictor import Predictor
from training.__main__ import main
from training.evidence import heat_maps as heat_maps_module
from training.evidence.curves import METRICS, read_log
from training.evidence.explain import OUTCOMES, draw_lots
from training.evidence.heat_maps import (
    ANYWHERE,
    FEATURE_MAP,
    OCCLUSION,
    PROBABILITY_MAP,
    heat_maps,
    occlusion_map,
    point_and_energy,
    score_positives,
    summarise_scores,
)
from training.evidence.panels import CAPTION, Panel, draw_panel
from training.evidence.private_output import REPOSITORY, demand_private
from training.learning.config import TrainingConfig
from training.learning.train import train


@pytest.fixture(scope="module")
def run(prepared_folder, tmp_path_factory) -> Path:
    """A training of seconds that kept the weights of its two epochs."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    train(
        TrainingConfig(
            data=prepared_folder,
            run=folder,
            start="random",
            image_size=64,
            model=ModelConfig(decoder_channels=(8, 8, 8), encoder_depth=3),
            epochs=2,
            steps_per_epoch=1,
            batch_size=4,
            micro_batch=4,
            workers=0,
            accelerator="cpu",
            keep_epochs=True,
        )
    )
    return folder


@pytest.fixture
def arguments(checkpoint_path, prepared_folder, tmp_path) -> list[str]:
    """The command, as small as it gets."""
    paths = ["--weights", str(checkpoint_path), "--data", str(prepared_folder), "--out", str(tmp_path / "out")]
    return ["explain", *paths, "--films", "4", "--positives", "2", "--occlusion_cells", "4", "--resamples", "20"]


def test_pointing_and_energy_by_hand():
    mask = np.zeros((64, 64), dtype=bool)
    mask[:32, :32] = True
    heat = np.zeros((64, 64), dtype=np.float32)
    heat[10, 10], heat[50, 50] = 3, 1
    assert point_and_energy(heat, mask) == (1, pytest.approx(0.75))
    heat[50, 50] = 9
    assert point_and_energy(heat, mask) == (0, pytest.approx(0.25))
    assert point_and_energy(np.zeros((4, 4), dtype=np.float32), mask) == (0, 0)
    coarse = np.array([[1, 0], [0, 0]], dtype=np.float32)
    assert point_and_energy(coarse, mask)[0] == 1, "a coarse map is brought to the film's size"


def test_only_what_raised_the_score_is_heat():
    lowered = FeatureMap(3, -9.0, np.full((2, 2), -9, dtype=np.float32))
    raised = FeatureMap(5, 1.0, np.array([[2, -1], [0, 0]], dtype=np.float32))
    traced = Activations(0.0, (np.ones((4, 4)), np.ones((2, 2))), (lowered, raised))
    maps = heat_maps(traced, np.array([[-1.0, 1.0], [0, 0]]))
    assert list(maps) == ["Grad-CAM, stage 1", "Grad-CAM, stage 2", FEATURE_MAP, OCCLUSION]
    assert maps[FEATURE_MAP].tolist() == [[2, 0], [0, 0]]
    assert maps[OCCLUSION].tolist() == [[0, 1], [0, 0]]
    assert OCCLUSION not in heat_maps(traced, None)


def test_lots_are_drawn_of_every_outcome():
    answers = pd.DataFrame({"label": [1, 1, 1, 0, 0, 0, 0], "called": [1, 1, 0, 1, 0, 0, 0]})
    drawn = draw_lots(answers, 8)
    assert drawn == draw_lots(answers, 8)
    for name, place in drawn.items():
        assert (answers["label"][place], answers["called"][place]) == OUTCOMES[name.split("-")[0]]
    assert sorted(drawn) == sorted(
        ["true_positive-1", "true_positive-2", "false_negative-1", "false_positive-1", "true_negative-1"]
        + ["true_negative-2"]
    )


def test_scores_grow_film_by_film(checkpoint_path, films, tmp_path, monkeypatch):
    predictor = Predictor.load(checkpoint_path)
    positives = [row for row in films.rows("val") if films.table["label"][row] == 1][:3]
    kept = tmp_path / "scores.csv"
    asked = []

    def traced(*arguments):
        asked.append(arguments)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return trace(*arguments)

    def score() -> pd.DataFrame:
        return score_positives(
            predictor.engine, predictor.decision.calibration, predictor.metadata.preprocessing, films, positives, kept
        )

    trace = heat_maps_module.trace_activations
    monkeypatch.setattr(heat_maps_module, "trace_activations", traced)
    with pytest.raises(KeyboardInterrupt):
        score()
    scores = score()
    assert len(asked) == 4 and scores.groupby("method").size().eq(3).all()

    figures = summarise_scores(scores, np.array([0, 0, 1]), resamples=20).set_index(["name", "figure"])
    area = np.mean([films.true_mask(row).mean() for row in positives])
    assert figures.loc[(ANYWHERE, "hit"), "value"] == pytest.approx(area)
    assert figures.loc[(ANYWHERE, "energy"), "value"] == pytest.approx(area)
    assert figures.loc[(PROBABILITY_MAP, "energy"), "difference"] == 0
    difference = figures["value"] - figures["value"].xs(PROBABILITY_MAP).reindex(figures.index, level="figure")
    np.testing.assert_allclose(figures["difference"], difference, atol=1e-12)


def test_panels_say_what_they_are_not(checkpoint_path, films):
    predictor = Predictor.load(checkpoint_path)
    engine, calibration = predictor.engine, predictor.decision.calibration
    image, true_mask = films.image(1), films.true_mask(1)
    batch = heat_maps_module.preprocess(image, predictor.metadata.preprocessing)
    traced = heat_maps_module.trace_activations(engine, calibration, batch)
    drops = occlusion_map(engine, calibration, batch, 4)
    figure = draw_panel(Panel("film", image, true_mask, ~true_mask, engine.run(batch).probability_map, traced, drops))
    assert "not a localisation" in CAPTION and figure.get_supxlabel() == CAPTION
    titles = [axes.get_title() for axes in figure.axes if axes.images]
    assert titles[:3] == ["film", "expert's mask", "prediction"]
    assert len(titles) == 4 + len(traced.stages) + len(traced.feature_maps) == 4 + 5 + 12


def test_explain_draws_and_scores(arguments, run, tmp_path):
    main([*arguments, "--run", str(run)])
    out = tmp_path / "out"
    pictures = pd.read_csv(out / "pictures.csv")["picture"]
    assert len(pictures) >= 2 and {path.stem for path in out.glob("*.png")} == {*pictures, "growth"}
    scores = pd.read_csv(out / "scores.csv")
    stages = [f"Grad-CAM, stage {stage}" for stage in range(1, 6)]
    assert scores["name"].unique().tolist() == [PROBABILITY_MAP, *stages, FEATURE_MAP, OCCLUSION, ANYWHERE]
    assert scores["value"].between(0, 1).all()
    text = (out / "scores.md").read_text()
    assert "2 positive films" in text and "not a localisation" in text
    growth = pd.read_csv(out / "growth.csv")
    assert growth["epoch"].unique().tolist() == [1, 2]
    assert growth["name"].unique().tolist() == [PROBABILITY_MAP, *stages[:3], FEATURE_MAP, ANYWHERE]
    assert (out / "growth.svg").is_file()


def test_a_run_without_its_epochs_is_refused(arguments, tmp_path):
    with pytest.raises(SystemExit, match="--keep_epochs true"):
        main([*arguments, "--run", str(tmp_path)])


def test_pictures_of_films_stay_out_of_the_repository(tmp_path):
    demand_private(tmp_path)
    demand_private(REPOSITORY / "runs" / "explained")
    with pytest.raises(ValueError, match="lies in the repository"):
        demand_private(REPOSITORY / "docs" / "pictures")


def test_a_run_logs_every_figure_of_its_epochs(run):
    log = read_log(run)
    assert len(log) == 2
    columns = {f"{part}/{column}" for part in ("train_epoch", "val") for _, column in METRICS.values()}
    assert columns <= set(log.columns)
    assert log[["train_epoch/loss", "val/loss", "train_epoch/accuracy", "val/accuracy"]].notna().all(axis=None)
