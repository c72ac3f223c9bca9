"""Models are saved to folders and load from them as they were."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from runyard.errors import AlreadyExists, InvalidParameter, NotFound, PermissionDenied
from runyard.models import pyfunc
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
