"""A site's films, labels and limits: each is counted or named, and the exit status is the verdict."""

import json
import os
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pypdf import PdfReader

from app.segmentation.checkpoint import load_checkpoint
from app.segmentation.predictor import Predictor
from app.segmentation.reading.film_reader import FilmReader
from tests.support.film_files import to_dicom
from tests.support.film_sets import write_film_set
from training.__main__ import build_parser, main
from training.acceptance import adapt
from training.acceptance.accept import accept
from training.acceptance.figures import FEW, measure, site_figures
from training.acceptance.limits import Limit, Verdict, judge, read_limits
from training.errors import TrainingDataError
from training.measuring.figures import summarise
from training.releasing.phantom.drawing import draw_phantom

COUNT = 12


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return write_film_set(tmp_path_factory.mktemp("site") / "films", ["val"] * COUNT, films_of_a_patient=2)


@pytest.fixture
def site(drawn, tmp_path):
    """Films, masks and labels of a site, which a test may spoil: `site/films`, `site/masks`, `site/labels.csv`."""
    folder = tmp_path / "site"
    shutil.copytree(drawn / "images", folder / "films")
    shutil.copytree(drawn / "masks", folder / "masks")
    table = pd.read_csv(drawn / "manifest.csv", dtype=str)
    labels = pd.DataFrame(
        {
            "film": table["image_id"],
            "label": [str(index % 2) for index in range(COUNT)],
            "patient_id": table["patient_id"],
            "view": ["PA", "PA", "AP", "AP"] * (COUNT // 4),
            "sex": ["F", "F", "M", "M"] * (COUNT // 4),
            "age": "50",
        }
    )
    labels.to_csv(folder / "labels.csv", index=False)
    return folder


def run(site, weights, **more):
    out = site.parent / "report"
    more = {"masks": site / "masks", "resamples": 20, "threads": 1, **more}
    status = accept(weights, site / "films", site / "labels.csv", out, **more)
    return status, json.loads((out / "acceptance.json").read_text()), pd.read_csv(out / "left_out.csv")


def reasons(left_out):
    return sorted(zip(left_out["film"], left_out["code"], strict=True))


def edit(site, change):
    table = pd.read_csv(site / "labels.csv", dtype=str, keep_default_na=False)
    change(table).to_csv(site / "labels.csv", index=False)


def test_a_site_gets_a_page_figures_and_every_film(site, checkpoint_path, capsys):
    status, said, left_out = run(site, checkpoint_path)
    out = site.parent / "report"
    assert status == 0 and said["verdict"] is None and left_out.empty
    assert (said["films"], said["positive"], said["patients"]) == (12, 6, 6)
    films = pd.read_csv(out / "films.csv", keep_default_na=False)
    assert films["film"].tolist() == [f"film-{index:02d}.png" for index in range(COUNT)]
    served = Predictor.load(checkpoint_path)
    assert films["probability"].between(0, 1).all() and said["sha256"] == served.sha256
    figures = pd.read_csv(out / "figures.csv")
    assert set(figures["group"]) == {"all", "view AP", "view PA", "sex F", "sex M", "age 40 to 59"}
    assert not figures[figures["figure"] == "dice_pos"]["value"].isna().any()
    (page,) = PdfReader(out / "acceptance.pdf").pages
    assert "Research use only" in page.extract_text() and said["sha256"][:12] in page.extract_text()
    assert {path.name for path in out.glob("*.svg")} == {"roc.svg", "calibration.svg", "scores.svg"}
    printed = capsys.readouterr().out
    assert "| sensitivity | " in printed and "no limits were set" in printed
    assert f"next: PLEURA_WEIGHTS={checkpoint_path} PLEURA_ACCEPTANCE={out}/acceptance.json make run" in printed


def test_labels_masks_and_report_may_lie_among_the_films(site, checkpoint_path):
    for name in ("labels.csv", "masks"):
        (site / name).rename(site / "films" / name)
    films = site / "films"
    for _ in range(2):
        accept(
            checkpoint_path, films, films / "labels.csv", films / "out", masks=films / "masks", resamples=20, threads=1
        )
    said = json.loads((films / "out" / "acceptance.json").read_text())
    assert said["films"] == COUNT and pd.read_csv(films / "out" / "left_out.csv").empty


def test_figures_are_those_of_the_model_card(site, checkpoint_path):
    run(site, checkpoint_path)
    films = pd.read_csv(site.parent / "report" / "films.csv", keep_default_na=False)
    ours, card = site_figures(films), summarise(films)
    for name in set(ours) & set(card):
        assert ours[name] == pytest.approx(card[name]), name
    assert len(set(ours) & set(card)) >= 8


def test_machine_view_and_patient_are_read_from_dicom(site, checkpoint_path):
    said = {"PatientID": "MRN-1", "PatientAge": "061Y", "PatientSex": "F", "ViewPosition": "AP"}
    said |= {"Manufacturer": "Maker", "ManufacturerModelName": "Mobile 1"}
    for seed, name in ((3, "film-00"), (5, "film-01")):
        (site / "films" / f"{name}.png").unlink()
        film = to_dicom(draw_phantom(seed, 256).image, bits_stored=8, **said)
        (site / "films" / f"{name}.dcm").write_bytes(film)
    edit(site, lambda table: table[["film", "label"]].assign(manufacturer=["", "Other", *[""] * (COUNT - 2)]))
    _, _, left_out = run(site, checkpoint_path, masks=None)
    films = pd.read_csv(site.parent / "report" / "films.csv", keep_default_na=False, dtype=str).set_index("film")
    read = films.loc[["film-00.dcm", "film-01.dcm"]]
    assert left_out.empty and (read["patient_id"] == "MRN-1").all() and (read["age"] == "61").all()
    assert (read["view"] == "AP").all() and (read["sex"] == "F").all() and (read["model"] == "Mobile 1").all()
    assert read["manufacturer"].tolist() == ["Maker", "Other"], "the table goes before the header"
    assert films["patient_id"].str.startswith("unknown: ").sum() == COUNT - 2
    groups = set(pd.read_csv(site.parent / "report" / "figures.csv")["group"])
    assert {"manufacturer Maker", "machine Maker Mobile 1", "view AP", "age 60 and over"} <= groups


def test_what_does_not_fit_is_named(site, checkpoint_path):
    films = site / "films"
    shutil.copy(films / "film-00.png", films / "unlabelled.png")
    (films / "more").mkdir()
    shutil.copy(films / "film-02.png", films / "more" / "copy of film-02.png")
    shutil.copy(films / "film-04.png", films / "more" / "copy of film-04.png")
    (films / "film-06.png").write_bytes((films / "film-06.png").read_bytes()[:900])
    (films / "film-08.png").write_bytes(b"")
    (films / "film-10.png").unlink()
    os.mkfifo(films / "film-10.png")
    (site / "masks" / "stranger.png").write_bytes((site / "masks" / "film-01.png").read_bytes())
    Image.fromarray(np.zeros((9, 9), dtype=bool)).save(site / "masks" / "film-00.png")

    def change(table):
        more = pd.DataFrame(
            [
                {"film": "gone", "label": "1"},
                {"film": "copy of film-02", "label": "0", "patient_id": "patient-1"},
                {"film": "copy of film-04", "label": "1", "patient_id": "patient-2"},
                {"film": "film-01", "label": "1", "patient_id": "patient-0"},
                {"film": "film-03", "label": "0", "patient_id": "patient-1"},
            ]
        )
        return pd.concat([table, more])

    edit(site, change)
    _, said, left_out = run(site, checkpoint_path)
    assert reasons(left_out) == [
        ("film-00.png", "mask_refused"),
        ("film-01.png", "label_twice"),
        ("film-03.png", "contradicting_labels"),
        ("film-04.png", "contradicting_labels"),
        ("film-06.png", "truncated_image"),
        ("film-08.png", "empty_file"),
        ("film-10.png", "unreadable"),
        ("gone", "label_without_film"),
        ("more/copy of film-02.png", "film_twice"),
        ("more/copy of film-04.png", "contradicting_labels"),
        ("stranger.png", "mask_without_film"),
        ("unlabelled.png", "film_without_label"),
    ]
    assert said["films"] == 7, "twelve, less two that contradict themselves and three that are refused"
    assert said["left_out"]["contradicting_labels"] == 3


def test_names_and_machines_that_nobody_should_have_are_written_and_harm_no_table(site, checkpoint_path):
    (site / "films" / os.fsdecode(b"b\xf6se.png")).write_bytes(b"no film")
    (site / "films" / "film-02.png").rename(site / "films" / "=cmd().png")
    edit(site, lambda table: table.replace("film-02", "=cmd()").assign(manufacturer="=A$x^{$", model="-5"))
    _, said, left_out = run(site, checkpoint_path, masks=None)
    out = site.parent / "report"
    assert left_out["film"].tolist() == ["b\\udcf6se.png"] and said["films"] == 12
    films = pd.read_csv(out / "films.csv", dtype=str)
    assert "'=cmd().png" in set(films["film"]) and set(films["manufacturer"]) == {"'=A$x^{$"}
    assert set(films["model"]) == {"-5"} and films["image_logit"].astype(float).notna().all()


def test_a_film_has_one_mask_and_a_mask_one_film(site, checkpoint_path):
    for name in ("a", "b"):
        (site / "films" / name).mkdir()
    (site / "masks" / "again").mkdir()
    (site / "films" / "film-05.png").rename(site / "films" / "a" / "1.png")
    (site / "films" / "film-07.png").rename(site / "films" / "b" / "1.png")
    (site / "masks" / "film-05.png").rename(site / "masks" / "1.png")
    (site / "masks" / "film-07.png").unlink()
    shutil.copy(site / "masks" / "film-01.png", site / "masks" / "again" / "film-01.png")
    Image.new("1", (16_000, 16_000)).save(site / "masks" / "film-03.png")
    (site / "masks" / "film-09.png").unlink()
    os.mkfifo(site / "masks" / "film-09.png")
    edit(site, lambda table: table.replace({"film-05": "a/1", "film-07": "b/1"}))
    _, _, left_out = run(site, checkpoint_path)
    assert reasons(left_out) == [
        ("1.png", "ambiguous_name"),
        ("film-01.png", "mask_refused"),
        ("film-03.png", "mask_refused"),
        ("film-09.png", "mask_refused"),
    ]
    assert "again/film-01.png" in left_out.set_index("film").loc["film-01.png", "detail"]
    films = pd.read_csv(site.parent / "report" / "films.csv").set_index("film")
    of_no_mask = {"a/1.png", "b/1.png", "film-01.png", "film-03.png", "film-09.png"}
    assert set(films.index[films["true"].isna()]) == of_no_mask


def test_lines_of_one_film_that_differ_are_told(site, checkpoint_path):
    edit(site, lambda table: pd.concat([table, table.iloc[[1, 3]].assign(view=["AP", "AP"])]))
    _, _, left_out = run(site, checkpoint_path)
    assert left_out["detail"].tolist() == [
        "line 3, line 14, with another view: the first one counts",
        "line 5, line 15, alike: counted once",
    ]


def test_a_film_that_takes_its_reader_down_costs_one_line(site, checkpoint_path, monkeypatch):
    films = [site / "films" / f"film-{index:02d}.png" for index in (1, 4)]
    for film, deed in zip(films, (b"exit", b"spin"), strict=True):
        film.write_bytes(deed)
    reader = FilmReader(seconds=1, mebibytes=512, read="tests.support.misbehaving_decoders:read_film_or_do")
    monkeypatch.setattr("training.acceptance.answers.shared_reader", lambda: reader)
    _, said, left_out = run(site, checkpoint_path)
    reader.close()
    assert dict(zip(left_out["film"], left_out["code"], strict=True)) == {
        "film-01.png": "reading_failed",
        "film-04.png": "reading_timed_out",
    }
    assert said["films"] == 10


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda site: edit(site, lambda table: table.assign(label="maybe")), r"labels\.csv, line 2: label is 'maybe'"),
        (lambda site: edit(site, lambda table: table.rename(columns={"label": "lable"})), r"mean label\?"),
        (lambda site: edit(site, lambda table: table.assign(label="1")), r"it has 12 and 0"),
        (lambda site: edit(site, lambda table: table.assign(patient_id="anon")), r"12 film\(s\) .* 'anon'"),
        (lambda site: (site / "labels.csv").unlink(), r"labels\.csv cannot be read: No such file"),
        (lambda site: shutil.rmtree(site / "films"), r"films is no folder"),
        (lambda site: shutil.rmtree(site / "masks"), r"masks is no folder"),
        (lambda site: [path.write_bytes(b"") for path in (site / "films").iterdir()], r"No film could be measured"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(site, checkpoint_path, spoil, named):
    spoil(site)
    arguments = ["--weights", checkpoint_path, "--films", site / "films", "--labels", site / "labels.csv"]
    arguments += ["--masks", site / "masks", "--out", site.parent / "report", "--resamples", "5"]
    with pytest.raises(SystemExit, match=named) as exit:
        main(["accept", *map(str, arguments)])
    assert str(exit.value).startswith("error: ") and "\n" not in str(exit.value)
    assert {path.name for path in site.parent.iterdir()} == {"site"}


def measured(value, low, high, positive=100, films=400, figure="sensitivity", group="all"):
    counts = {"group": group, "films": films, "positive": positive}
    return pd.DataFrame([{**counts, "figure": figure, "value": value, "low": low, "high": high}])


@pytest.mark.parametrize(
    ("figures", "bound", "verdict"),
    [
        (measured(0.9, 0.85, 0.95), "at_least", Verdict.MET),
        (measured(0.7, 0.6, 0.79), "at_least", Verdict.NOT_MET),
        (measured(0.82, 0.7, 0.9), "at_least", Verdict.TOO_FEW),
        (measured(1.0, 1.0, 1.0, positive=FEW - 1), "at_least", Verdict.TOO_FEW),
        (measured(0.7, 0.6, 0.79), "at_most", Verdict.MET),
        (measured(0.9, 0.85, 0.95), "at_most", Verdict.NOT_MET),
        (measured(np.nan, np.nan, np.nan), "at_least", Verdict.TOO_FEW),
        (measured(0.9, 0.85, 0.95, group="view AP"), "at_least", Verdict.TOO_FEW),
    ],
)
def test_a_limit_is_met_not_met_or_there_are_too_few_to_say(figures, bound, verdict):
    assert Limit("all", "sensitivity", bound, 0.8).judge(figures) is verdict


def test_the_whole_is_as_its_worst_limit():
    figures = pd.concat([measured(0.9, 0.85, 0.95), measured(0.82, 0.7, 0.9, figure="specificity")])
    met = Limit("all", "sensitivity", "at_least", 0.8)
    open_, missed = Limit("all", "specificity", "at_least", 0.8), Limit("all", "sensitivity", "at_least", 0.99)
    assert judge([met], figures)[0] is Verdict.MET
    assert judge([met, open_], figures)[0] is Verdict.TOO_FEW
    assert judge([met, open_, missed], figures)[0] is Verdict.NOT_MET


def test_the_exit_status_is_the_verdict(site, checkpoint_path, tmp_path):
    limits = tmp_path / "limits.yaml"
    limits.write_text("limits: {all: {alerts_per_100: {at_most: 100}}}\nstop: {films: 50}\n")
    status, said, _ = run(site, checkpoint_path, limits=limits)
    assert (status, said["verdict"]) == (0, "met") and said["stop"] == {"films": 50, "deviations": 3}
    limits.write_text("limits: {all: {auroc: {at_least: 0.9}}}")
    assert run(site, checkpoint_path, limits=limits)[:1] == (Verdict.TOO_FEW,)  # six positives
    limits.write_text("limits: {all: {specificity: {at_most: 0}, withheld_per_100: {at_least: 99}}}")
    with pytest.raises(SystemExit) as exit:
        main(
            ["accept", "--weights", str(checkpoint_path), "--films", str(site / "films"), "--resamples", "5"]
            + ["--labels", str(site / "labels.csv"), "--out", str(tmp_path / "report"), "--limits", str(limits)]
        )  # fmt: skip
    assert exit.value.code == 3


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("limits: [", "is no YAML"),
        ("sensitivity: 0.9", 'needs "limits"'),
        ("limits: {all: 3}", "under 'all' stand figures"),
        ("limits: {all: {sensitivty: {at_least: 0.9}}}", r"did you mean sensitivity\?"),
        ("limits: {all: {sensitivity: 0.9}}", "needs at_least or at_most and a number, not 0.9"),
        ("limits: {all: {sensitivity: {least: 0.9}}}", "needs at_least or at_most"),
        ("limits: {all: {sensitivity: {at_least: yes}}}", "needs at_least or at_most"),
        ("limits: {}", "sets no limit"),
        ("limits: {all: {sensitivity: {at_least: 75}}}", "lies between 0 and 1, not at 75"),
        ("limits: {all: {alerts_per_100: {at_most: -1}}}", "lies between 0 and 100, not at -1"),
        (f"limits: {{all: {{sensitivity: {{at_least: 1{400 * '0'}}}}}}}", "and a number, not"),
        (f"limits: {{all: {{sensitivity: {{at_least: 1{5000 * '0'}}}}}}}", "is no YAML"),
        ("limits:\n  all:\n    auroc: {at_least: 0.9}\n    auroc: {at_least: 0.5}\n", "'auroc' stands twice in line 3"),
        ("limits: {all: {auroc: {at_least: 0.9}}, all: {brier: {at_most: 0.1}}}", "'all' stands twice in line 1"),
        (3000 * "[", "is no YAML"),
        ("limits: {all: {auroc: {at_least: 0.9}}}\nstop: {films: 10}", "30 films at least, a whole number, not at 10"),
        ("limits: {all: {auroc: {at_least: 0.9}}}\nstop: {films: 40.5}", "a whole number, not at 40.5"),
        ("limits: {all: {auroc: {at_least: 0.9}}}\nstop: {days: 3}", "stop needs films, deviations"),
    ],
)
def test_limits_that_cannot_be_meant_are_refused(tmp_path, text, named):
    (tmp_path / "limits.yaml").write_text(text)
    with pytest.raises(TrainingDataError, match=named):
        read_limits(tmp_path / "limits.yaml")


def test_a_limit_of_a_group_without_films_is_refused(site, checkpoint_path, tmp_path):
    (tmp_path / "limits.yaml").write_text("limits: {view Ap: {auroc: {at_least: 0.9}}}")
    with pytest.raises(TrainingDataError, match=r"'view Ap' \(did you mean view AP\?\)"):
        run(site, checkpoint_path, limits=tmp_path / "limits.yaml")


def test_too_few_positives_change_nothing_and_the_reason_is_given(site, checkpoint_path, capsys):
    run(site, checkpoint_path, adapt=True, name="ours")
    assert "Nothing was changed" in capsys.readouterr().out
    assert not (site.parent / "report" / adapt.WEIGHTS).exists()


def made_up(count=240, seed=0):
    """Films whose logits tell more at some views than at others."""
    rng = np.random.default_rng(seed)
    label = (rng.random(count) < 0.5).astype(int)
    view = np.where(np.arange(count) % 2, "AP", "PA")
    logit = 3 * label + rng.normal(0, 1, count) + np.where(view == "AP", 2, 0)
    return pd.DataFrame(
        {
            "film": [f"{index}" for index in range(count)],
            "label": label,
            "patient_id": [f"p{index // 3}" for index in range(count)],
            "view": view,
            "probability": 1 / (1 + np.exp(-logit)),
            "image_logit": logit,
            "map_logit": logit / 2,
        }
    )


def test_a_site_s_decision_holds_its_specificity_for_each_view(checkpoint_path):
    table, parent = made_up(), Predictor.load(checkpoint_path).decision
    views, said = adapt.views_with_enough(table)
    assert views == ["AP", "PA"] and "each has its own" in said
    decision = adapt.fit_decision(parent, table, views)
    ap, pa = decision.of_view("AP"), decision.of_view("PA")
    assert ap.operating_point.threshold > pa.operating_point.threshold
    assert decision.of_view("") is decision
    for view, own in (("AP", ap), ("PA", pa)):
        negatives = table[(table["view"] == view) & (table["label"] == 0)]
        called = [
            own.operating_point.calls(decision.calibration.probability(*logits))
            for logits in negatives[["image_logit", "map_logit"]].to_numpy()
        ]
        assert np.mean(called) <= 0.1
        assert own.postprocessing.min_film_probability >= own.operating_point.indeterminate_low
    few = table[(table["view"] == "PA") | (np.arange(len(table)) < 40)]
    assert adapt.views_with_enough(few)[0] == []


def test_patients_are_halved_and_both_halves_have_positives():
    table = made_up()
    fitted_on, reported = adapt.halves(table)
    assert (fitted_on ^ reported).all()
    assert not set(table.loc[fitted_on, "patient_id"]) & set(table.loc[reported, "patient_id"])
    counts = [table.loc[rows, "label"].sum() for rows in (fitted_on, reported)]
    assert min(counts) > 0.35 * sum(counts)
    again, _ = adapt.halves(table.sample(frac=1, random_state=1).sort_index())
    assert (again == fitted_on).all()


def test_an_adapted_model_is_served_like_any_other(site, checkpoint_path, monkeypatch, capsys):
    monkeypatch.setattr(adapt, "ENOUGH", 5)
    monkeypatch.setattr("training.releasing.calibrate.SPECIFICITY_FLOOR", 0.0)  # six negatives of a network of no worth
    run(site, checkpoint_path, adapt=True, name="ours")
    out = site.parent / "report"
    parent, child = load_checkpoint(checkpoint_path), load_checkpoint(out / adapt.WEIGHTS)
    assert child.weights_sha256 == parent.weights_sha256 and child.sha256 != parent.sha256
    assert child.metadata.name == "ours"
    assert child.metadata.provenance["adapted"]["parent_sha256"] == parent.sha256
    assert child.metadata.decision.calibration != parent.metadata.decision.calibration
    assert f"next: PLEURA_WEIGHTS={out / adapt.WEIGHTS} " in capsys.readouterr().out
    site_metrics = child.metadata.metrics["site"]
    assert site_metrics["films"] + child.metadata.provenance["adapted"]["films"] == COUNT
    card = (out / "MODEL_CARD.md").read_text()
    assert parent.sha256 in card and child.sha256 in card
    assert "before" in pd.read_csv(out / "figures.csv").columns
    films = pd.read_csv(out / "films.csv", keep_default_na=False)
    assert len(films) == site_metrics["films"]
    assert measure(films, 5).set_index(["group", "figure"]).loc[("all", "brier"), "value"] == pytest.approx(
        site_metrics["figures"]["brier"]["value"], abs=1e-3
    )


def test_a_choice_is_made_by_its_name_alone():
    base = ["accept", "--weights", "w", "--films", "f", "--labels", "l", "--out", "o", "--name", "x"]
    parser = build_parser(["accept"])
    chosen = [parser.parse_args([*base, *more]).accept.adapt for more in ([], ["--adapt"], ["--adapt", "false"])]
    assert chosen == [False, True, False]


def test_an_adapted_model_wants_a_name(site, checkpoint_path):
    with pytest.raises(ValueError, match="--name"):
        run(site, checkpoint_path, adapt=True)
