"""Models are saved to folders and load from them as they were."""

from __future__ import annotations

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
