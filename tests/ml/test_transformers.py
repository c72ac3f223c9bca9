"""Pipelines of Transformers answer as pyfunc models what they answer with upstream, whoever saved them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import runyard as mlflow
from runyard.errors import InvalidParameter, NotImplementedHere
from runyard.models.flavors.transformers import Adapter
from tests.ml import pipelines
from tests.ml.pipelines import CASES, TWO
from tests.ml.upstream import upstream


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The answers by who saved the pipelines, and who asked them."""
    ours, theirs = tmp_path_factory.mktemp("ours"), tmp_path_factory.mktemp("theirs")
    pipelines.save(mlflow, ours)
    found = {
        "theirs by theirs": upstream("tests.ml.pipelines", theirs, "save", str(theirs)),
        "ours by theirs": upstream("tests.ml.pipelines", ours, "load", str(ours)),
    }
    for name, folder in (("ours by ours", ours), ("theirs by ours", theirs)):
        found[name] = json.loads(json.dumps(pipelines.answers(mlflow, folder)))
    return found


@pytest.mark.parametrize("case", CASES)
def test_a_pipeline_answers_the_same_wherever_it_was_saved(case: str, told: dict[str, dict[str, Any]]):
    expected = told["theirs by theirs"][case]
    for who in ("ours by ours", "ours by theirs", "theirs by ours"):
        found = told[who][case]
        assert found["signature"] == expected["signature"], who
        for one, another in zip(found["told"], expected["told"], strict=True):
            same(one, another)


def same(one: Any, another: Any) -> None:
    if isinstance(another, dict):
        assert one.keys() == another.keys()
        for key in another:
            same(one[key], another[key])
    elif isinstance(another, list):
        assert len(one) == len(another)
        for mine, other in zip(one, another, strict=True):
            same(mine, other)
    else:
        assert one == (pytest.approx(another, rel=1e-5) if isinstance(another, float) else another)


def test_parts_are_saved_and_loaded_as_parts(tmp_path: Path):
    made = pipelines.make("text-classification", tmp_path)
    parts = {"model": made.model, "tokenizer": made.tokenizer}
    mlflow.transformers.save_model(parts, tmp_path / "m", task="text-classification")

    found = mlflow.transformers.load_model(tmp_path / "m", return_type="components")
    assert sorted(found) == ["model", "task", "tokenizer"]
    assert mlflow.pyfunc.load_model(tmp_path / "m").predict(TWO)["label"].tolist() == [
        each["label"] for each in made(TWO)
    ]


def test_the_task_is_told_by_the_model(tmp_path: Path):
    made = pipelines.make("fill-mask", tmp_path)
    saved = mlflow.transformers.save_model({"model": made.model, "tokenizer": made.tokenizer}, tmp_path / "m")
    assert saved.flavors["transformers"]["task"] == "fill-mask"


def test_a_folder_of_a_model_is_saved(tmp_path: Path):
    pipelines.make("text-generation", tmp_path).save_pretrained(tmp_path / "checkpoint")
    mlflow.transformers.save_model(str(tmp_path / "checkpoint"), tmp_path / "m", task="text-generation")
    model = mlflow.pyfunc.load_model(tmp_path / "m", model_config={"max_new_tokens": 2, "do_sample": False})
    assert model.predict("hello")[0].startswith("hello")
    with pytest.raises(InvalidParameter, match="task must be given"):
        mlflow.transformers.save_model(str(tmp_path / "checkpoint"), tmp_path / "n")


def test_a_pipeline_is_logged_with_params_of_its_predictions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/runs.db")
    made = pipelines.make("text-generation", tmp_path)
    example = ("hello", {"max_new_tokens": 2, "do_sample": False})
    info = mlflow.transformers.log_model(made, name="words", input_example=example)

    model = mlflow.pyfunc.load_model(info.model_uri)
    short, long = (model.predict("hello", params={"max_new_tokens": count})[0] for count in (1, 5))
    assert len(short.split()) < len(long.split())
    requirements = (Path(mlflow.artifacts.download_artifacts(info.model_uri)) / "requirements.txt").read_text()
    assert "transformers==" in requirements
    assert "torch==" in requirements


def test_several_texts_have_a_vector_a_token_each(tmp_path: Path):
    mlflow.transformers.save_model(pipelines.make("feature-extraction", tmp_path), tmp_path / "m")
    found = mlflow.pyfunc.load_model(tmp_path / "m").predict(["hello", "hello good world"])
    assert [np.shape(each) for each in found] == [(3, 8), (5, 8)]


class OfOldVersions:
    """A pipeline of a task that transformers 5 has no more."""

    def __init__(self, task: str, answer: Any) -> None:
        self.task = task
        self._answer = answer
        self.asked: list[Any] = []

    def __call__(self, *given: Any, **options: Any) -> Any:
        self.asked.append((given, options))
        return self._answer


def test_tasks_of_earlier_versions_answer_texts():
    short = OfOldVersions("summarization", [{"summary_text": " short\n one "}])
    adapter = Adapter(short, {"collapse_whitespace": True, "max_length": 3}, "{prompt}!")
    assert adapter.predict(pd.DataFrame({0: ["a long one"]})) == ["short one"]
    assert short.asked == [((["a long one!"],), {"max_length": 3})]
    assert Adapter(OfOldVersions("translation_en_to_de", [{"translation_text": "Welt"}]), {}, None).predict(
        "world"
    ) == ["Welt"]
    asked = OfOldVersions("question-answering", {"answer": "blue", "score": 1.0})
    rows = pd.DataFrame({"question": ["which?"], "context": ["the sky is blue"]})
    assert Adapter(asked, {}, None).predict(rows) == ["blue"]
    assert asked.asked == [((), {"question": "which?", "context": "the sky is blue"})]


def test_what_will_not_do_is_told(tmp_path: Path):
    made = pipelines.make("text-classification", tmp_path)
    save = mlflow.transformers.save_model
    with pytest.raises(
        InvalidParameter, match="must be a pipeline, a dict of its parts or a folder of a model, got int"
    ):
        save(5, tmp_path / "x")
    with pytest.raises(InvalidParameter, match=r"may have the keys model, .*; got \['words'\]"):
        save({"model": made.model, "words": 1}, tmp_path / "x")
    with pytest.raises(InvalidParameter, match="must be a PreTrainedModel, got NoneType"):
        save({"tokenizer": made.tokenizer}, tmp_path / "x")
    with pytest.raises(InvalidParameter, match="prompt_template goes with"):
        save(made, tmp_path / "x", prompt_template="{prompt}")
    with pytest.raises(InvalidParameter, match=r"must have \{prompt\} once"):
        save(pipelines.make("fill-mask", tmp_path), tmp_path / "x", prompt_template="{text}")
    with pytest.raises(NotImplementedHere, match="save_pretrained=False"):
        save(made, tmp_path / "x", save_pretrained=False)
    with pytest.raises(NotImplementedHere, match="llm/v1/chat"):
        save(made, tmp_path / "x", task="llm/v1/chat")
    assert not (tmp_path / "x").exists()
    save(made, tmp_path / "m")
    with pytest.raises(InvalidParameter, match="return_type must be one of pipeline, components"):
        mlflow.transformers.load_model(tmp_path / "m", return_type="model")
    with pytest.raises(InvalidParameter, match="takes a text, a list of texts or a frame"):
        Adapter(made, {}, None).predict([1.5])
    text = (tmp_path / "m" / "MLmodel").read_text(encoding="utf-8")
    (tmp_path / "m" / "MLmodel").write_text(text.replace("BertForSequenceClassification", "Own"), encoding="utf-8")
    with pytest.raises(InvalidParameter, match="class 'Own' is none that transformers"):
        mlflow.transformers.load_model(tmp_path / "m")


def test_weights_are_loaded_where_pickles_are_forbidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    mlflow.transformers.save_model(pipelines.make("text-classification", tmp_path), tmp_path / "m")
    monkeypatch.setenv("RUNYARD_ALLOW_PICKLE", "false")
    assert len(mlflow.pyfunc.load_model(tmp_path / "m").predict(TWO)) == 2
    import torch
    from safetensors.torch import load_file

    weights = tmp_path / "m" / "model" / "model.safetensors"
    torch.save(load_file(weights), weights.with_name("pytorch_model.bin"))
    weights.unlink()
    with pytest.raises(OSError, match="safetensors"):
        mlflow.transformers.load_model(tmp_path / "m")
