"""The pages about the model and the API: they tell of the loaded model, and of no other."""

import dataclasses
import json
import re
import shutil
from pathlib import Path

import pytest

from app import create_app
from app.config import ROOT
from app.segmentation.checkpoint import load_checkpoint, save_checkpoint
from app.web.card import card_of, sections_of
from app.web.services import services

CARD = """# Model card: tiny

## Figures

| figure | value |
|---|---|
| auroc | 0.9 |

```
a command
```

## Limits

- Films of **one**
  hospital.
- `Thin` ones are missed.

A sentence.
"""


def measured(value: float) -> dict:
    figures = {"auroc": {"value": value, "interval": [value - 0.1, value + 0.05]}}
    return {"films": 20, "positive": 5, "patients": 18, "figures": figures}


@pytest.fixture
def released(checkpoint_path, tmp_path) -> Path:
    """Weights with figures, beside them a card and one plot of theirs."""
    weights = tmp_path / "pleura.safetensors"
    checkpoint = load_checkpoint(checkpoint_path)
    metadata = dataclasses.replace(checkpoint.metadata, metrics={"val": measured(0.8), "test": measured(0.9)})
    save_checkpoint(weights, checkpoint.model, metadata, checkpoint.feature_distribution)
    sha256 = load_checkpoint(weights).sha256
    (tmp_path / "MODEL_CARD.md").write_text(CARD + f"\n`{sha256}`\n")
    (tmp_path / "report" / "test").mkdir(parents=True)
    (tmp_path / "report" / "test" / "metrics.json").write_text(json.dumps({"sha256": sha256}))
    (tmp_path / "report" / "test" / "roc.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    return weights


def client_of(weights: Path, tmp_path: Path):
    return create_app({"WEIGHTS": str(weights), "DATABASE_URL": f"sqlite:///{tmp_path / 's.sqlite'}"}).test_client()


def test_the_page_tells_of_the_loaded_model(released, tmp_path):
    client = client_of(released, tmp_path)
    page = client.get("/model").text
    assert services(client.application).predictor.sha256 in page
    assert re.search(r"AUROC.*?<td>0\.900 \(0\.800–0\.950\)</td><td>0\.800 \(0\.700–0\.850\)</td>", page, re.DOTALL)
    assert "<li>Films of one hospital.</li><li>Thin ones are missed.</li>" in page
    assert re.findall(r'src="/model/(\w+)\.svg"', page) == ["roc"]
    plot = client.get("/model/roc.svg")
    assert (plot.status_code, plot.mimetype) == (200, "image/svg+xml")
    for other in ("reliability", "metrics", "..%2fval%2froc"):
        assert client.get(f"/model/{other}.svg").status_code == 404


def test_a_model_that_was_set_for_a_site_tells_what_it_does_there(released, tmp_path):
    checkpoint = load_checkpoint(released)
    metadata = dataclasses.replace(checkpoint.metadata, metrics={"site": measured(0.7)})
    save_checkpoint(released, checkpoint.model, metadata, checkpoint.feature_distribution)
    page = client_of(released, tmp_path).get("/model").text
    assert "Site: 20 films of 18 patients, 5 with a pneumothorax." in page
    assert re.search(r"AUROC.*?<td>0\.700 \(0\.600–0\.750\)</td>", page, re.DOTALL)


def test_card_and_plots_of_other_weights_are_not_shown(released, checkpoint_path, tmp_path):
    shutil.copy(checkpoint_path, released)
    client = client_of(released, tmp_path)
    page = client.get("/model").text
    assert "Thin ones are missed" not in page
    assert "No plots of this model lie beside its weights." in page
    assert "A negative answer never rules a pneumothorax out." in page
    assert client.get("/model/roc.svg").status_code == 404


def test_a_card_is_taken_apart():
    sections = sections_of(CARD)
    assert sections["Figures"] == [{"kind": "table", "rows": [["figure", "value"], ["auroc", "0.9"]]}]
    assert [block["kind"] for block in sections["Limits"]] == ["list", "paragraph"]


def test_the_released_card_and_plots_are_of_the_released_weights():
    weights = ROOT / "model_weights" / "pleura.safetensors"

    class Loaded:
        sha256 = load_checkpoint(weights).sha256
        metadata = load_checkpoint(weights).metadata

    card = card_of(Loaded, weights)
    assert {"Limits", "Training data"} <= set(card.sections)
    assert [name for name, *_ in card.shown_plots] == ["roc", "reliability", "dice_by_size"]
    assert len(card.figures) > 8


def test_every_page_leads_to_both(client):
    page = client.get("/").text
    assert 'href="/model"' in page
    assert 'href="/api"' in page


def test_the_description_of_the_api_is_a_page(client):
    described = json.loads((ROOT / "app" / "web" / "openapi.json").read_text())
    page = client.get("/api").text
    for path in described["paths"]:
        assert path in page
    for name, schema in described["components"]["schemas"].items():
        assert f'id="{name}"' in page
        for member in schema.get("properties", {}):
            assert f"<code>{member}</code>" in page
    assert set(re.findall(r'href="#(\w+)"', page)) <= set(described["components"]["schemas"]) | {"main"}
    assert "http://" not in page.replace("http://localhost", "")


@pytest.mark.parametrize("setting", ["off", "open"])
def test_the_page_says_whether_the_api_is_off(app, client, setting):
    app.config["API"] = setting
    assert ("It is switched off on this server." in client.get("/api").text) == (setting == "off")
