"""Who may import whom: the core stands alone, the app knows no training, training knows only the core."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CORE = sorted((ROOT / "app" / "segmentation").rglob("*.py"))
APP = sorted((ROOT / "app").rglob("*.py"))
TRAINING = sorted((ROOT / "training").rglob("*.py"))
WEB = {"flask", "flask_wtf", "wtforms", "werkzeug", "jinja2", "sqlalchemy", "gunicorn"}


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


@pytest.mark.parametrize("path", CORE, ids=relative)
def test_core_knows_neither_web_nor_app(path):
    names = imported_modules(path)
    assert not {name for name in names if name.split(".")[0] in WEB}
    assert not {name for name in names if belongs_to(name, "app") and not belongs_to(name, "app.segmentation")}


@pytest.mark.parametrize("path", APP, ids=relative)
def test_app_knows_neither_training_nor_tests(path):
    assert not {name for name in imported_modules(path) if belongs_to(name, "training") or belongs_to(name, "tests")}


@pytest.mark.parametrize("path", TRAINING, ids=relative)
def test_training_knows_of_the_app_only_the_core(path):
    names = imported_modules(path)
    assert not {name for name in names if belongs_to(name, "app") and not belongs_to(name, "app.segmentation")}
    assert not {name for name in names if belongs_to(name, "tests") or belongs_to(name, "flask")}


def test_rules_see_imports():
    """The rules above hold for no file if nothing is found in any."""
    found = imported_modules(ROOT / "app" / "segmentation" / "predictor.py")
    assert "app.segmentation.errors.CheckpointError" in found
    assert len(CORE) > 10
    assert len(APP) > len(CORE)
    assert len(TRAINING) > 5


def test_core_works_where_flask_is_not_installed():
    code = (
        "import sys\n"
        f"for name in {sorted(WEB)}: sys.modules[name] = None\n"
        "import app.segmentation.predictor\n"
        "print([name for name in sys.modules if name.startswith(('app.', 'training')) and 'segmentation' not in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr


def test_core_imports_form_no_cycle():
    imports = {relative(path)[:-3].replace("/", "."): imported_modules(path) for path in CORE}
    needs = {
        module: {other for other in imports if any(belongs_to(name, other) for name in names)}
        for module, names in imports.items()
    }
    while ready := [name for name, others in needs.items() if not others & needs.keys()]:
        for name in ready:
            del needs[name]
    assert not needs


def folders_on_the_page() -> set[str]:
    """Every folder in the tree of docs/architecture.md, by its path."""
    page = (ROOT / "docs" / "architecture.md").read_text().split("## The tree")[1].split("```")[1]
    path, found = [], set()
    for line in page.strip().splitlines():
        name = line.split()[0].rstrip("/")
        path = [*path[: (len(line) - len(line.lstrip())) // 2], name]
        found.add("/".join(path))
    return found


def test_the_page_shows_the_tree():
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    folders = {str(parent) for file in files for parent in Path(file).parents} - {".", ".ci"}
    is_code = {folder for folder in folders if not folder.startswith(("model_weights/report/", "tests/"))}
    assert is_code <= folders_on_the_page(), "docs/architecture.md lacks a folder"
    assert folders_on_the_page() <= folders, "docs/architecture.md has a folder that is gone"
