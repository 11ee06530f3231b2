"""Who may import whom.

The application has floors, and an arrow only ever points down: batch → web → exports → analysis → studies →
segmentation. The last is the core: it stands alone. Settings and version belong to no floor; `create_app` joins all.
The application knows no training, and training knows of it only the core. Training has wings of its own, from data and
measuring up to acceptance and evidence.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from app.exports.catalogue import EXPORTS

ROOT = Path(__file__).parent.parent
CORE = sorted((ROOT / "app" / "segmentation").rglob("*.py"))
APP = sorted((ROOT / "app").rglob("*.py"))
TRAINING = sorted((ROOT / "training").rglob("*.py"))
WEB = {"flask", "flask_wtf", "wtforms", "werkzeug", "jinja2", "gunicorn"}
DATABASE = {"sqlalchemy", "sqlite3"}

FLOORS = ("batch", "web", "exports", "analysis", "studies", "segmentation")
"""From the top: a floor may import itself and those after it."""

ROOMS = {"reading": set(), "network": set(), "decision": {"reading", "network"}}
"""Of the core, and which others each may import."""

WINGS = {
    "data": set(),
    "measuring": set(),
    "learning": {"data", "measuring"},
    "releasing": {"data", "measuring", "learning"},
    "acceptance": {"data", "measuring", "learning", "releasing"},
    "evidence": {"data", "measuring", "learning", "releasing"},
}
"""Of training, and which others each may import. What may go wrong belongs to none; the command line joins all."""

OF_NO_FLOOR = {"app.config", "app.version"}
ROOF = ROOT / "app" / "__init__.py"
IMPORTING_BY_NAME = {"app/exports/catalogue.py", "app/segmentation/reading/reading_process.py"}
"""They import modules whose names are texts, which this test cannot see: each has a test of its own."""


def imported_modules(path: Path) -> set[str]:
    """Every module that a file imports, anywhere in it, with its full name."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively; name the module in full"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def belongs_to(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def module_of(path: Path) -> str:
    return relative(path)[: -len(".py")].replace("/", ".").removesuffix(".__init__")


def floor_of(name: str) -> str | None:
    """The floor that a module stands on; None for what belongs to none."""
    parts = name.split(".")
    return parts[1] if parts[0] == "app" and len(parts) > 1 and parts[1] in FLOORS else None


def wing_of(name: str) -> str | None:
    """The wing of training that a module belongs to; None for what belongs to none."""
    parts = name.split(".")
    return parts[1] if parts[0] == "training" and len(parts) > 1 and parts[1] in WINGS else None


def is_of_no_floor(name: str) -> bool:
    return any(belongs_to(name, module) for module in OF_NO_FLOOR)


@pytest.mark.parametrize("path", APP, ids=relative)
def test_every_module_stands_on_a_floor(path):
    name = module_of(path)
    assert path == ROOF or floor_of(name) or name in OF_NO_FLOOR


@pytest.mark.parametrize("path", [path for path in APP if path != ROOF], ids=relative)
def test_arrows_point_down(path):
    """What is imported of the application stands on the same floor or below, or on none; never is it the roof."""
    floor = floor_of(module_of(path))
    allowed = FLOORS[FLOORS.index(floor) :] if floor else ()
    ours = {name for name in imported_modules(path) if belongs_to(name, "app")}
    if floor and floor != "segmentation":
        ours = {name for name in ours if not is_of_no_floor(name)}
    assert not {name for name in ours if floor_of(name) not in allowed}


@pytest.mark.parametrize("path", CORE, ids=relative)
def test_the_core_s_rooms_point_one_way(path):
    """Only the decision looks at what the other two rooms give; what joins them lies beside them, unseen by any."""
    room = path.parent.name
    seen = {name.split(".")[2] for name in imported_modules(path) if belongs_to(name, "app.segmentation")}
    assert room not in ROOMS or seen <= {"errors", room, *ROOMS[room]}


@pytest.mark.parametrize("path", [path for path in APP if path != ROOF], ids=relative)
def test_the_web_s_libraries_stay_in_the_web_and_the_database_s_with_the_studies(path):
    libraries = {name.split(".")[0] for name in imported_modules(path)}
    floor = floor_of(module_of(path))
    assert floor == "web" or not libraries & WEB
    assert floor == "studies" or not libraries & DATABASE


@pytest.mark.parametrize("path", APP, ids=relative)
def test_modules_are_imported_by_name_only_where_that_is_known(path):
    is_by_name = (
        any(belongs_to(name, "importlib") for name in imported_modules(path)) or "__import__" in path.read_text()
    )
    assert is_by_name == (relative(path) in IMPORTING_BY_NAME)


def test_exports_are_made_on_their_own_floor():
    makers = {ROOT / "app" / "exports" / f"{export.maker.split(':')[0]}.py" for export in EXPORTS}
    assert len(makers) > 3
    assert makers <= set(APP)


@pytest.mark.parametrize("path", APP, ids=relative)
def test_no_answer_is_taken_apart_by_key(path):
    """It is an object; only `Answer.from_json` reads its JSON."""
    read = {
        ast.unparse(node.value) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Subscript)
    }
    assert not {name for name in read if name.split(".")[-1] == "answer"}


def test_no_template_takes_an_answer_apart_by_key():
    templates = sorted((ROOT / "templates").rglob("*.html"))
    assert len(templates) > 10
    assert not [path.name for path in templates if "answer[" in path.read_text()]


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("*.py")), ids=relative)
def test_no_test_imports_another(path):
    """What several need stands in `tests/support`."""
    parts = {part for name in imported_modules(path) if belongs_to(name, "tests") for part in name.split(".")}
    assert not {part for part in parts if part == "conftest" or part.startswith("test_")}


@pytest.mark.parametrize("path", APP, ids=relative)
def test_app_knows_neither_training_nor_tests(path):
    assert not {name for name in imported_modules(path) if belongs_to(name, "training") or belongs_to(name, "tests")}


@pytest.mark.parametrize("path", TRAINING, ids=relative)
def test_training_knows_of_the_app_only_the_core(path):
    names = imported_modules(path)
    assert not {name for name in names if belongs_to(name, "app") and not belongs_to(name, "app.segmentation")}
    assert not {name for name in names if belongs_to(name, "tests") or belongs_to(name, "flask")}


@pytest.mark.parametrize("path", TRAINING, ids=relative)
def test_training_s_wings_point_one_way(path):
    wing = wing_of(module_of(path))
    seen = {wing_of(name) for name in imported_modules(path) if belongs_to(name, "training")} - {None}
    assert module_of(path) == "training.__main__" or seen <= ({wing, *WINGS[wing]} if wing else set())


def test_rules_see_imports():
    """The rules above hold for no file if nothing is found in any."""
    found = imported_modules(ROOT / "app" / "segmentation" / "predictor.py")
    assert "app.segmentation.errors.CheckpointError" in found
    assert "app.web.services.open_services" in imported_modules(ROOF)
    assert {floor_of(module_of(path)) for path in APP} == {*FLOORS, None}
    assert len(CORE) > 10
    assert len(APP) > len(CORE)
    assert len(TRAINING) > 5
    assert {module_of(path) for path in TRAINING if not wing_of(module_of(path))} == {
        *("training", "training.__main__", "training.bounds", "training.errors")
    }


def folders_on_the_page() -> set[str]:
    """Every folder in the tree of docs/architecture.md, by its path."""
    tree = (ROOT / "docs" / "architecture.md").read_text().split("## The tree")[1].split("```")[1]
    path: list[str] = []
    found = set()
    for line in tree.strip().splitlines():
        path = [*path[: (len(line) - len(line.lstrip())) // 2], line.split()[0].rstrip("/")]
        found.add("/".join(path))
    return found


def test_the_page_shows_every_folder_of_code():
    """But those of the tests that have the name of what they test."""
    shown = folders_on_the_page()
    tops = [ROOT / folder for folder in shown if "/" not in folder]
    files = [path for top in tops for path in top.rglob("*") if path.suffix in (".py", ".js", ".css", ".html", ".sh")]
    folders = {relative(folder) for path in files for folder in path.parents if ROOT in folder.parents}
    tested = {f"tests/{path.removeprefix('app/')}" for path in folders if not path.startswith("tests")}
    assert folders - tested <= shown
    assert all((ROOT / folder).is_dir() for folder in shown)


def test_core_works_where_flask_is_not_installed():
    code = (
        "import sys\n"
        f"for name in {sorted(WEB | DATABASE)}: sys.modules[name] = None\n"
        "import app.segmentation.predictor\n"
        "print([name for name in sys.modules if name.startswith(('app.', 'training')) and 'segmentation' not in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("paths", [APP, TRAINING], ids=["app", "training"])
def test_imports_form_no_cycle(paths):
    """Not even one hidden in a function: `create_app` alone imports late, for the core's sake."""
    imports = {module_of(path): imported_modules(path) for path in paths}
    needs = {
        module: {other for other in imports if other != "app" and any(belongs_to(name, other) for name in names)}
        - {module}
        for module, names in imports.items()
    }
    packages = {module for module in needs if any(other.startswith(f"{module}.") for other in needs)}
    needs = {module: others - packages for module, others in needs.items()}
    while ready := [name for name, others in needs.items() if not others & needs.keys()]:
        for name in ready:
            del needs[name]
    assert not needs
