"""The type hints of ``predict`` are a model's signature, and what it is given is made to fit them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, Optional

import pandas as pd
import pydantic
import pytest

from runyard.errors import InvalidParameter
from runyard.models import ModelSignature, pyfunc
from runyard.models.signature import ColSpec, Schema, infer_signature


class Message(pydantic.BaseModel):
    role: str
    content: Optional[str] = None  # noqa: UP045 - as programs of Python 3.9 say it
    n: int = 3
    tags: list[str] = []


def loaded(predict: Any, folder: Path, **options: Any) -> Any:
    pyfunc.save_model(folder / "m", python_model=predict, **options)
    return pyfunc.load_model(folder / "m")


def test_a_list_of_pydantic_models_is_made_of_dicts(tmp_path: Path) -> None:
    def roles(model_input: list[Message]) -> list[str]:
        return [f"{each.role} {each.n}" for each in model_input]

    model = loaded(roles, tmp_path)
    assert model.metadata.signature.inputs.to_dict() == [
        {
            "type": "object",
            "properties": {
                "content": {"type": "string", "required": False},
                "n": {"type": "long", "required": True},
                "role": {"type": "string", "required": True},
                "tags": {"type": "array", "items": {"type": "string"}, "required": True},
            },
            "required": True,
        }
    ]
    assert model.predict([{"role": "user"}, Message(role="tool", n=1)]) == ["user 3", "tool 1"]
    assert model.predict(pd.DataFrame({"role": ["user"], "n": [5]})) == ["user 5"]
    with pytest.raises(InvalidParameter, match=r"item 0 of the input is no Message: role: Field required"):
        model.predict([{"n": 1}])


def test_an_item_of_another_type_is_named(tmp_path: Path) -> None:
    def lengths(model_input: list[list[str]]) -> list[int]:
        return [len(each) for each in model_input]

    model = loaded(lengths, tmp_path)
    assert model.predict([["a"], ["b", "c"]]) == [1, 2]
    with pytest.raises(InvalidParameter, match=r"item 1 of the input\[0\] must be str, got 2"):
        model.predict([["a"], [2]])
    with pytest.raises(InvalidParameter, match=r"the model takes a list, .*got str"):
        model.predict("a")


def test_whole_numbers_do_for_decimals_and_texts_for_times(tmp_path: Path) -> None:
    def kinds(model_input: list[float]) -> list[str]:
        return [type(each).__name__ for each in model_input]

    def years(model_input: list[dt.datetime]) -> list[int]:
        return [each.year for each in model_input]

    assert loaded(kinds, tmp_path / "a").predict([1, 2.5]) == ["float", "float"]
    assert loaded(years, tmp_path / "b").predict(["2024-05-01T00:00:00"]) == [2024]


def test_params_and_outputs_come_from_the_example(tmp_path: Path) -> None:
    class Repeats(pyfunc.PythonModel):
        def predict(self, model_input: list[str], params: Any = None):  # type: ignore[override]
            return [each * params["times"] for each in model_input]

    model = loaded(Repeats(), tmp_path, input_example=(["a"], {"times": 2}))
    assert model.metadata.signature == infer_signature(["a"], ["aa"], {"times": 2})
    assert model.predict(["b"], {"times": 3}) == ["bbb"]


def test_an_example_that_does_not_fit_is_told(tmp_path: Path) -> None:
    def same(model_input: list[str]) -> list[str]:
        return model_input

    with pytest.raises(InvalidParameter, match="item 0 of the input must be str, got 1"):
        pyfunc.save_model(tmp_path / "m", python_model=same, input_example=[1])


def test_the_hints_count_before_another_signature(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def same(model_input: list[str]) -> list[str]:
        return model_input

    other = ModelSignature(Schema([ColSpec("long", "a")]))
    model = loaded(same, tmp_path, signature=other)
    assert model.metadata.signature.inputs == Schema([ColSpec("string")])
    assert "the signature is that of the type hints" in caplog.text
    assert loaded(same, tmp_path / "none", signature=False).metadata.signature is None


@pytest.mark.parametrize(
    ("hint", "said"),
    [
        (list, "must say what is in the list"),
        (list[str | None], "has items that may be None"),
        (list[dict[int, str]], "keys are not str"),
        (list[dict], "no signature is made of the type hint"),
    ],
)
def test_a_hint_that_no_signature_is_made_of_is_told(hint: Any, said: str, tmp_path: Path) -> None:
    def predict(model_input: Any) -> Any:
        return model_input

    predict.__annotations__ = {"model_input": hint}
    with pytest.raises(InvalidParameter, match=said):
        pyfunc.save_model(tmp_path / "m", python_model=predict)


@pytest.mark.parametrize("hint", [list[complex], list[pd.DataFrame], list[tuple[int, int]]])
def test_a_list_of_what_no_signature_describes_is_taken_as_it_is(
    hint: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def predict(model_input: Any) -> Any:
        return len(model_input)

    predict.__annotations__ = {"model_input": hint}
    model = loaded(predict, tmp_path)
    assert model.metadata.signature is None
    assert model.predict([1j, (1, 2)]) == 2
    assert "the type hint of predict is passed over: no signature is made of" in caplog.text


def test_hints_of_frames_are_no_signature(tmp_path: Path) -> None:
    def predict(model_input: pd.DataFrame) -> pd.DataFrame:
        return model_input

    assert loaded(predict, tmp_path).metadata.signature is None
