"""Models are saved to folders and load from them as they were."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import runyard as mlflow
from runyard.errors import AlreadyExists, BadRequest, InvalidParameter, NotFound, PermissionDenied
from runyard.models import (
    ModelConfig,
    convert_input_example_to_serving_input,
    pyfunc,
    update_model_requirements,
    validate_serving_input,
)
from runyard.models.flavors import sklearn
from runyard.models.model import Model
from runyard.models.signature import ModelSignature, infer_signature

FRAME = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [1.0, 0.0, 1.0, 0.0]})


class Own(LogisticRegression):
    """What skops does not know."""


def classifier() -> Any:
    return LogisticRegression().fit(FRAME, [0, 0, 1, 1])


def test_scikit_learn_leaves_one_file_that_kserve_loads(tmp_path: Path) -> None:
    sklearn.save_model(classifier(), tmp_path / "m", input_example=FRAME)
    files = [path.name for path in (tmp_path / "m").iterdir()]
    assert [name for name in files if name.endswith((".pkl", ".pickle", ".joblib", ".skops"))] == ["model.pkl"]
    assert pyfunc.load_model(tmp_path / "m").predict(FRAME).tolist() == [0, 0, 1, 1]


def test_a_skops_file_is_not_trusted_for_its_own_word_where_pickles_are_forbidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {"serialization_format": "skops", "skops_trusted_types": [f"{__name__}.Own"]}
    sklearn.save_model(Own().fit(FRAME, [0, 0, 1, 1]), tmp_path / "m", **options)
    assert isinstance(sklearn.load_model(tmp_path / "m"), Own)
    monkeypatch.setenv("RUNYARD_ALLOW_PICKLE", "false")
    with pytest.raises(PermissionDenied, match="not trusted"):
        sklearn.load_model(tmp_path / "m")


def test_skops_loads_where_pickles_are_forbidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sklearn.save_model(classifier(), tmp_path / "pickled")
    monkeypatch.setenv("RUNYARD_ALLOW_PICKLE", "false")
    sklearn.save_model(classifier(), tmp_path / "m", serialization_format="skops")
    assert sklearn.load_model(tmp_path / "m").predict(FRAME).tolist() == [0, 0, 1, 1]
    with pytest.raises(PermissionDenied, match="RUNYARD_ALLOW_PICKLE"):
        sklearn.load_model(tmp_path / "pickled")
    with pytest.raises(PermissionDenied, match="RUNYARD_ALLOW_PICKLE"):
        sklearn.save_model(classifier(), tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_folder_in_use_is_not_written_over(tmp_path: Path) -> None:
    sklearn.save_model(classifier(), tmp_path / "m")
    with pytest.raises(AlreadyExists, match="not empty"):
        sklearn.save_model(classifier(), tmp_path / "m")


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="MLmodel"):
        pyfunc.load_model(tmp_path)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    sklearn.save_model(classifier(), tmp_path / "m", input_example=FRAME)
    with pytest.raises(InvalidParameter, match=r"missing inputs \['b'\]"):
        pyfunc.load_model(tmp_path / "m").predict(FRAME[["a"]])


def test_whole_numbers_do_for_doubles_and_texts_do_not(tmp_path: Path) -> None:
    sklearn.save_model(classifier(), tmp_path / "m", input_example=FRAME)
    model = pyfunc.load_model(tmp_path / "m")
    assert len(model.predict(pd.DataFrame({"a": [1], "b": [2]}))) == 1
    with pytest.raises(InvalidParameter, match="column 'a' must be double"):
        model.predict(pd.DataFrame({"a": ["1"], "b": [2.0]}))


def test_a_model_gets_its_artifacts_and_params(tmp_path: Path) -> None:
    class Adds(pyfunc.PythonModel):
        def load_context(self, context: Any) -> None:
            self.base = int(Path(context.artifacts["base"]).read_text(encoding="utf-8"))

        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            return [self.base + params["more"] + value for value in model_input["x"]]

    (tmp_path / "base.txt").write_text("10", encoding="utf-8")
    example = (pd.DataFrame({"x": [1]}), {"more": 100})
    pyfunc.save_model(
        tmp_path / "m", python_model=Adds(), artifacts={"base": str(tmp_path / "base.txt")}, input_example=example
    )
    model = pyfunc.load_model(tmp_path / "m")
    assert model.predict(pd.DataFrame({"x": [1]})) == [111]
    assert model.predict(pd.DataFrame({"x": [1]}), {"more": 1}) == [12]
    with pytest.raises(InvalidParameter, match="param 'more' must be long"):
        model.predict(pd.DataFrame({"x": [1]}), {"more": "x"})


def test_a_loader_module_travels_with_the_model(tmp_path: Path) -> None:
    (tmp_path / "my_loader.py").write_text(
        "class M:\n    def predict(self, x):\n        return x\n\ndef _load_pyfunc(path):\n    return M()\n",
        encoding="utf-8",
    )
    pyfunc.save_model(tmp_path / "m", loader_module="my_loader", code_paths=[str(tmp_path / "my_loader.py")])
    assert pyfunc.load_model(tmp_path / "m").predict([1]) == [1]


@pytest.mark.parametrize(
    "sample, inputs",
    [
        (["a"], '[{"type": "string", "required": true}]'),
        (np.zeros((2, 3)), '[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 3]}}]'),
        (
            [{"a": 1, "b": "x"}, {"a": 2}],
            '[{"type": "long", "name": "a", "required": true}, {"type": "string", "name": "b", "required": false}]',
        ),
        (
            pd.DataFrame({"n": [1.0, None], "l": [[1], [2]]}),
            (
                '[{"type": "double", "name": "n", "required": false}, {"type": "array", "items": {"type": "long"}, '
                '"name": "l", "required": true}]'
            ),
        ),
    ],
)
def test_signatures_are_spelled_as_upstream_does(sample: Any, inputs: str) -> None:
    signature = infer_signature(sample)
    assert signature.to_dict()["inputs"] == inputs
    assert ModelSignature.from_dict(signature.to_dict()) == signature


def test_nested_types_print_as_upstreams_do() -> None:
    signature = infer_signature([{"a": {"b": 1, "c": "x"}, "d": [[True]], "e": None}, {"a": {"b": 2}, "d": []}])
    assert repr(signature.inputs) == (
        "['a': {b: long (required), c: string (optional)} (required), 'd': Array(Array(boolean)) (required), "
        "'e': Any (optional)]"
    )


def test_the_model_file_reads_back_as_written(tmp_path: Path) -> None:
    saved = sklearn.save_model(classifier(), tmp_path / "m", input_example=FRAME, metadata={"team": "ml"})
    assert Model.load(tmp_path / "m") == saved


def test_models_from_code_load_in_many_threads_at_once(tmp_path: Path) -> None:
    for index in range(8):
        (tmp_path / f"code{index}.py").write_text(
            "import time\nfrom runyard.models import set_model\n"
            f"def tell(model_input):\n    return [{index}]\n"
            "set_model(tell)\ntime.sleep(0.01)\n",
            encoding="utf-8",
        )
        pyfunc.save_model(tmp_path / f"m{index}", python_model=tmp_path / f"code{index}.py")
    with ThreadPoolExecutor(8) as pool:
        models = list(pool.map(lambda index: pyfunc.load_model(tmp_path / f"m{index % 8}"), range(40)))
    assert [model.predict([0]) for model in models] == [[index % 8] for index in range(40)]


def test_a_file_that_names_no_model_is_told(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("x = 1\n", encoding="utf-8")
    with pytest.raises(InvalidParameter, match=r"code\.py names no model: call set_model"):
        pyfunc.save_model(tmp_path / "m", python_model=tmp_path / "code.py")


def test_a_model_from_code_gets_its_config(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text(
        "from runyard.models import set_model\nfrom runyard.models.pyfunc import PythonModel\n"
        "class Adds(PythonModel):\n"
        "    def predict(self, context, model_input, params=None):\n"
        "        return [each + context.model_config['base'] for each in model_input]\n"
        "    def predict_stream(self, context, model_input, params=None):\n"
        "        yield from self.predict(context, model_input)\n"
        "set_model(Adds())\n",
        encoding="utf-8",
    )
    pyfunc.save_model(tmp_path / "m", python_model=tmp_path / "code.py", model_config={"base": 10})
    model = pyfunc.load_model(tmp_path / "m")
    assert model.predict([1, 2]) == [11, 12]
    assert list(model.predict_stream([1, 2])) == [11, 12]
    assert pyfunc.load_model(tmp_path / "m", model_config={"base": 1}).predict([1]) == [2]


def test_a_model_that_does_not_stream_says_so(tmp_path: Path) -> None:
    sklearn.save_model(classifier(), tmp_path / "m")
    with pytest.raises(InvalidParameter, match="does not stream"):
        pyfunc.load_model(tmp_path / "m").predict_stream(FRAME)


def test_a_configuration_counts_before_that_of_development(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("base: 1\nname: own\n", encoding="utf-8")
    (tmp_path / "code.py").write_text(
        "from mlflow.models import ModelConfig, set_model\n"
        f"config = ModelConfig(development_config={str(tmp_path / 'own.yaml')!r})\n"
        "set_model(lambda model_input: [config.get('base'), config.to_dict()])\n",
        encoding="utf-8",
    )
    pyfunc.save_model(tmp_path / "m", python_model=tmp_path / "code.py")
    assert pyfunc.load_model(tmp_path / "m").predict([0]) == [1, {"base": 1, "name": "own"}]
    assert pyfunc.load_model(tmp_path / "m", model_config={"base": 2}).predict([0]) == [2, {"base": 2}]


def test_a_configuration_that_will_not_do_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="give development_config"):
        ModelConfig()
    with pytest.raises(InvalidParameter, match="is no file"):
        ModelConfig(development_config=tmp_path / "missing.yaml")
    with pytest.raises(KeyError, match="the configuration has no 'b', only a"):
        ModelConfig(development_config={"a": 1}).get("b")


def test_a_loader_module_gets_its_config(tmp_path: Path) -> None:
    (tmp_path / "configured.py").write_text(
        "class M:\n    def __init__(self, more):\n        self.more = more\n"
        "    def predict(self, x):\n        return [each + self.more for each in x]\n\n"
        "def _load_pyfunc(path, model_config=None):\n    return M(model_config['more'])\n",
        encoding="utf-8",
    )
    options: dict[str, Any] = {"code_paths": [str(tmp_path / "configured.py")], "model_config": {"more": 1}}
    pyfunc.save_model(tmp_path / "m", loader_module="configured", **options)
    assert pyfunc.load_model(tmp_path / "m").predict([1]) == [2]
    assert pyfunc.load_model(tmp_path / "m", model_config={"more": 5}).predict([1]) == [6]


def test_an_example_is_the_request_that_a_server_is_sent(tmp_path: Path) -> None:
    example = (FRAME.head(1), {"p": 1.5})
    body = convert_input_example_to_serving_input(example)
    assert json.loads(body or "") == {
        "dataframe_split": {"columns": ["a", "b"], "data": [[0.0, 1.0]]},
        "params": {"p": 1.5},
    }
    assert convert_input_example_to_serving_input(None) is None
    saved = sklearn.save_model(classifier(), tmp_path / "m", input_example=FRAME)
    assert json.loads(saved.get_serving_input(tmp_path / "m") or "")["dataframe_split"]["columns"] == ["a", "b"]
    assert validate_serving_input(tmp_path / "m", saved.get_serving_input(tmp_path / "m") or "").tolist() == [
        0,
        0,
        1,
        1,
    ]
    with pytest.raises(BadRequest, match="exactly one of dataframe_split"):
        validate_serving_input(tmp_path / "m", '{"data": []}')
    with pytest.raises(InvalidParameter, match="missing inputs"):
        validate_serving_input(tmp_path / "m", {"dataframe_records": [{"a": 1.0}]})


def test_examples_have_null_for_what_json_has_not(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1.0, None], "t": pd.to_datetime(["2024-01-01", None])})
    pyfunc.save_model(tmp_path / "m", python_model=lambda _: [1], input_example=frame, signature=False)
    text = (tmp_path / "m" / "input_example.json").read_text(encoding="utf-8")
    assert json.loads(text)["data"] == [[1.0, "2024-01-01T00:00:00"], [None, None]]
    assert "NaN" not in text


def test_requirements_of_a_saved_model_are_changed(tmp_path: Path) -> None:
    sklearn.save_model(classifier(), tmp_path / "m", pip_requirements=["Scikit_Learn==1.0", "numpy"])
    update_model_requirements(str(tmp_path / "m"), "add", ["scikit-learn>=1.2", "scipy"])
    update_model_requirements(str(tmp_path / "m"), "remove", ["numpy"])
    listed = (tmp_path / "m" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert listed == ["scikit-learn>=1.2", "scipy"]
    assert "scipy" in (tmp_path / "m" / "conda.yaml").read_text(encoding="utf-8")
    with pytest.raises(InvalidParameter, match="operation must be add or remove"):
        update_model_requirements(str(tmp_path / "m"), "set", [])  # type: ignore[arg-type]


def test_a_flavor_tells_what_it_needs() -> None:
    [pip] = [each for each in mlflow.sklearn.get_default_conda_env()["dependencies"] if isinstance(each, dict)]
    assert pip["pip"] == mlflow.sklearn.get_default_pip_requirements()
    assert any(line.startswith("scikit-learn==") for line in pip["pip"])
    assert mlflow.pyfunc.get_default_pip_requirements()[0].startswith("cloudpickle==")


def test_a_flavor_of_a_programs_own_is_logged_and_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_flavor.py").write_text(
        "import os\nimport runyard as mlflow\n"
        "def save_model(own_model, path, mlflow_model=None):\n"
        "    os.makedirs(path)\n"
        "    with open(path + '/factor.txt', 'w') as file:\n        file.write(str(own_model))\n"
        "    mlflow.pyfunc.add_to_model(mlflow_model, loader_module='own_flavor', data='factor.txt')\n"
        "    mlflow_model.add_flavor('own', data='factor.txt')\n"
        "    mlflow_model.save(os.path.join(path, 'MLmodel'))\n"
        "class M:\n"
        "    def __init__(self, factor):\n        self.factor = factor\n"
        "    def predict(self, data):\n        return [self.factor * each for each in data]\n"
        "def _load_pyfunc(path):\n    with open(path) as file:\n        return M(int(file.read()))\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/runs.db")
    import own_flavor  # type: ignore[import-not-found, unused-ignore]

    info = Model.log("m", own_flavor, own_model=3)
    assert mlflow.pyfunc.load_model(info.model_uri).predict([1, 2]) == [3, 6]
    assert set(Model.load(info.model_uri).flavors) == {"python_function", "own"}
