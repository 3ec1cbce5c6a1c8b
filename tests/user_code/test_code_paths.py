"""Code outside of a recipe's folder: found, checked, digested, and packed with the model."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from mlrecipes import ConfigError, Recipe
from mlrecipes.planning import open_project
from mlrecipes.project_facts import gather_facts
from mlrecipes.user_code.imports import UserCode
from mlrecipes.user_code.source import SourceTree
from tests.conftest import REGRESSION, write_project
from tests.stores.test_models import X, fitted, printed_elsewhere, saved

SHARED = {
    "shared/__init__.py": "",
    "shared/scaling.py": """\
from sklearn.preprocessing import FunctionTransformer


def doubled(frame):
    return frame * 2


def transformer_fn():
    return FunctionTransformer(doubled)
""",
    "shared/cities.txt": "Bonn\n",
}
LOAD = """\
import sys
import mlflow
import pandas as pd

rows = pd.DataFrame({"a": [39], "b": [1.0]})
print(mlflow.pyfunc.load_model(sys.argv[1]).predict(rows)[0])
"""


def write_sharing(tmp_path: Path, code_paths: str = "[../shared]") -> Path:
    files = dict(REGRESSION)
    files["recipe.yaml"] += f"code_paths: {code_paths}\n"
    files["steps/transform.py"] = "from shared.scaling import transformer_fn\n"
    root = write_project(tmp_path / "recipes" / "houses", files)
    for name, text in SHARED.items():
        path = root.parent / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return root


def test_a_model_carries_the_code_that_it_shares(tmp_path: Path) -> None:
    root = write_sharing(tmp_path)
    project = open_project(root, "local")
    code_paths = gather_facts(project, with_record=True).code_paths
    with UserCode(root, project.code_paths).importable():
        from steps.transform import transformer_fn  # type: ignore[attr-defined]

        pipeline = fitted(X["b"] * 3, LinearRegression(), transformer_fn())
        path = saved(tmp_path, pipeline, task="regression", code_paths=code_paths)
    shutil.rmtree(root.parent)
    assert float(printed_elsewhere(LOAD, path)) == pytest.approx(3.0)


def test_a_change_of_shared_code_runs_what_imports_it_again(tmp_path: Path) -> None:
    root = write_sharing(tmp_path)
    Recipe("local", root).run("transform")
    scaling = root.parent / "shared" / "scaling.py"
    scaling.write_text(scaling.read_text().replace("frame * 2", "frame * 3"))
    plan = {one.step: one for one in Recipe("local", root).plan() if one.step != "register"}
    assert plan["split"].action == "cached"
    assert plan["transform"].because == "shared/scaling.py: doubled changed"


def test_the_run_keeps_shared_code_under_its_own_name(tmp_path: Path) -> None:
    project = open_project(write_sharing(tmp_path), "local")
    snapshot = gather_facts(project, with_record=True).snapshot
    assert snapshot["shared/scaling.py"] == SHARED["shared/scaling.py"]


def test_data_beside_shared_code_count_for_it(tmp_path: Path) -> None:
    root = write_sharing(tmp_path)
    shared = root.parent / "shared"
    tree = SourceTree(root, {"shared": shared})
    before = tree.digests("steps.transform")
    assert {"file.shared/cities.txt", "code.shared/scaling.py:doubled"} <= set(before)
    assert tree.foreign_imports("steps.transform") == ("sklearn",)
    (shared / "cities.txt").write_text("Kiel\n")
    assert SourceTree(root, {"shared": shared}).digests("steps.transform") != before


def test_a_single_file_is_shared_too(tmp_path: Path) -> None:
    root = write_sharing(tmp_path, "../rates.py")
    (root.parent / "rates.py").write_text("from sklearn.preprocessing import StandardScaler\n")
    (root / "steps" / "transform.py").write_text(
        "from rates import StandardScaler\ntransformer_fn = StandardScaler\n"
    )
    outcomes = Recipe("local", root).run("transform")
    assert outcomes[-1].step == "transform"
    parts = SourceTree(root, {"rates": root.parent / "rates.py"}).digests("steps.transform")
    assert "code.rates.py:module level" in parts
    assert not [name for name in parts if name.startswith("file.")]


@pytest.mark.parametrize(
    ("code_paths", "said"),
    [
        ("[../none]", r"recipe\.yaml:\d+: code_paths\[0\] is '\.\./none', and there is no .*none"),
        ("[../shared, ../shared]", r"code_paths\[1\] .* and 'shared' is named twice"),
        ("[steps]", "steps can import as it is"),
        ("[..]", "holds no Python"),
        ("[../my-code]", "whose name Python cannot import"),
        ("[../other/steps]", "the recipe has a 'steps' too"),
    ],
)
def test_a_path_that_cannot_be_imported_is_refused(
    tmp_path: Path, code_paths: str, said: str
) -> None:
    root = write_sharing(tmp_path, code_paths)
    for name in ("my-code", "other/steps"):
        (root.parent / name).mkdir(parents=True)
        (root.parent / name / "a.py").write_text("")
    with pytest.raises(ConfigError, match=said):
        open_project(root, "local")


def test_the_frame_that_a_model_sees_is_doubled(tmp_path: Path) -> None:
    root = write_sharing(tmp_path)
    recipe = Recipe("local", root)
    recipe.run("transform")
    before = recipe.get_artifact("training_data")
    after = recipe.get_artifact("transformed_training_data")
    pd.testing.assert_series_equal(after["area"], before["area"] * 2)
