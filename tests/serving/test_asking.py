"""A model asked without a server, in this environment and in one made for it; and its requirements changed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

import runyard as mlflow
from runyard.cli import main
from runyard.errors import InvalidParameter
from runyard.models import pyfunc
from runyard.models.environment import update_requirements
from tests.serving.conftest import COLUMNS, ROWS, frame


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith(("MLFLOW_", "RUNYARD_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def shell(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(main, ["models", *arguments], input=given)


def test_the_command_predicts_from_a_file_and_from_what_it_is_given(iris: Path, tmp_path: Path):
    body = json.dumps({"dataframe_split": {"columns": COLUMNS, "data": ROWS}})
    assert shell("predict", "-m", str(iris), given=body).stdout == '{"predictions":[0,1,2]}\n'
    frame().to_csv(tmp_path / "rows.csv", index=False)
    done = shell("predict", "-m", str(iris), "-t", "csv", "-i", "rows.csv", "-o", "out.json")
    assert (done.exit_code, done.stdout) == (0, "")
    assert json.loads((tmp_path / "out.json").read_text()) == {"predictions": [0, 1, 2]}


@pytest.mark.parametrize(
    ("arguments", "given", "says"),
    [
        (("-i", "none.json"), None, "input_path 'none.json' is no file"),
        ((), "[]", "got a list"),
        (("-r", "numpy==1"), "{}", "name an env_manager other than local"),
        (("--env", "A"), "{}", "'A' is not NAME=VALUE"),
    ],
)
def test_what_it_cannot_do_is_said_in_a_line(iris: Path, arguments: tuple[str, ...], given: str | None, says: str):
    done = shell("predict", "-m", str(iris), *arguments, given=given)
    assert done.exit_code != 0
    assert says in done.stderr


def test_programs_ask_with_what_the_model_takes(iris: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for data in (frame(), ROWS, {"inputs": ROWS}, {"dataframe_records": frame().to_dict("records")}):
        mlflow.models.predict(str(iris), data)
        assert json.loads(capsys.readouterr().out) == {"predictions": [0, 1, 2]}
    mlflow.models.predict(str(iris), frame(), content_type="csv", output_path="out.json")
    assert json.loads((tmp_path / "out.json").read_text()) == {"predictions": [0, 1, 2]}
    with pytest.raises(InvalidParameter, match="both given"):
        mlflow.models.predict(str(iris), ROWS, "rows.csv")
    with pytest.raises(InvalidParameter, match="content_type must be json or csv"):
        mlflow.models.predict(str(iris), ROWS, content_type="xml")  # type: ignore[arg-type]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    pyfunc.save_model(tmp_path / "model", python_model=len, pip_requirements=["Pandas==2.0", "scikit_learn>=1", "six"])
    return tmp_path / "model"


def requirements(folder: Path) -> list[str]:
    lines = (folder / "requirements.txt").read_text().splitlines()
    (section,) = [
        each["pip"]
        for each in yaml.safe_load((folder / "conda.yaml").read_text())["dependencies"]
        if isinstance(each, dict)
    ]
    assert section == lines
    return lines


def test_requirements_are_added_in_place_of_older_ones_and_removed_by_name(model: Path):
    done = shell(
        "update-pip-requirements",
        "-m",
        str(model),
        "add",
        "pandas==2.3",
        "scikit-learn[x]==1.7; python_version>'3'",
        "tqdm",
    )
    assert done.exit_code == 0, done.output
    assert requirements(model) == ["pandas==2.3", "scikit-learn[x]==1.7; python_version>'3'", "six", "tqdm"]
    mlflow.models.update_model_requirements(str(model), "remove", ["SIX", "pandas==9", "unknown"])
    assert requirements(model) == ["scikit-learn[x]==1.7; python_version>'3'", "tqdm"]


def test_what_is_no_requirement_or_does_not_change_is_refused(model: Path):
    with pytest.raises(InvalidParameter, match="'== 3' is no requirement"):
        update_requirements(model, "add", ["== 3"])
    with pytest.raises(InvalidParameter, match="names a registered model, which does not change"):
        mlflow.models.update_model_requirements("models:/iris/1", "add", ["six"])
    (model / "conda.yaml").unlink()
    with pytest.raises(InvalidParameter, match=r"the model has no conda\.yaml"):
        update_requirements(model, "add", ["six"])


def test_a_logged_models_requirements_are_put_back(tmp_path: Path):
    mlflow.set_tracking_uri("runs")
    try:
        with mlflow.start_run() as run:
            info = mlflow.pyfunc.log_model(name="model", python_model=len, pip_requirements=["six"])
        mlflow.models.update_model_requirements(info.model_uri, "add", ["tqdm"])
        mlflow.models.update_model_requirements(f"runs:/{run.info.run_id}/model", "remove", ["six"])
        found = mlflow.pyfunc.get_model_dependencies(info.model_uri)
        assert Path(found).read_text() == "tqdm\n"
    finally:
        mlflow.set_tracking_uri("")
