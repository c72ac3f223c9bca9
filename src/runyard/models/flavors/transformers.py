"""Pipelines of Transformers, or their parts; as a pyfunc model, those of texts.

Weights are saved as safetensors, which hold no code. Nothing is fetched when a model is saved or loaded.
"""

from __future__ import annotations

import inspect
import json
import re
import string
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runyard.errors import InvalidParameter, NotImplementedHere
from runyard.models import packaging
from runyard.models.model import Model
from runyard.models.signature import ColSpec, ModelSignature, Schema, TensorSpec
from runyard.settings import load_model_settings

if TYPE_CHECKING:
    import pandas as pd
    from typing_extensions import Unpack

FLAVOR: Final = "transformers"

_PARTS: Final = ("tokenizer", "feature_extractor", "image_processor")
_TEMPLATE_KEY: Final = "prompt_template"
_TEMPLATED: Final = ("feature-extraction", "fill-mask", "summarization", "text2text-generation", "text-generation")

# Where what is generated is, by the task.
_GENERATED: Final = {
    "text-generation": "generated_text",
    "text2text-generation": "generated_text",
    "summarization": "summary_text",
    "translation": "translation_text",
}


def save_model(
    transformers_model: Any,
    path: str | Path,
    *,
    processor: Any = None,
    task: str | None = None,
    torch_dtype: Any = None,
    model_config: Mapping[str, Any] | None = None,
    prompt_template: str | None = None,
    model_card: Any = None,
    save_pretrained: bool = True,
    **options: Unpack[packaging.Options],
) -> Model:
    """Save a pipeline to a new folder, with its weights.

    Args:
        transformers_model: a pipeline; a dict of ``model`` and ``tokenizer``, ``feature_extractor`` or
            ``image_processor``; or a folder that a model was saved to.
        processor: a processor, with which the model loads as parts only.
        task: of the pipeline, where the model does not say.
        torch_dtype: the type that the weights are loaded as; as they are by default.
        model_config: arguments of every prediction, such as ``max_new_tokens``; also ``collapse_whitespace``.
        prompt_template: put around each text, with ``{prompt}`` in its place.
        model_card: a text, or an object with one as ``text``, kept as model_card.md.
        options: see `packaging.Options`.
    Raises:
        InvalidParameter: an argument is not what it must be.
        NotImplementedHere: adapters of PEFT, references to models elsewhere, and tasks of ``llm/v1``.
    """
    import transformers

    if not save_pretrained:
        raise NotImplementedHere("save_pretrained=False is not supported: a model here always holds its weights")
    if task is not None and task.startswith("llm/"):
        raise NotImplementedHere(f"task {task!r} is not supported: leave it out, or name a task of transformers")
    pipeline = _pipeline(transformers_model, task)
    if type(pipeline.model).__name__.startswith("Peft"):
        raise NotImplementedHere("adapters of PEFT are not supported: save what merge_and_unload() returns")
    config = dict(model_config or {})
    if prompt_template is not None:
        _check_template(prompt_template, pipeline.task)
        options["metadata"] = {**(options.get("metadata") or {}), _TEMPLATE_KEY: prompt_template}
        if pipeline.task == "text-generation":
            # Or each answer would begin with the template.
            config.setdefault("return_full_text", False)
    parts = {name: part for name in _PARTS if (part := getattr(pipeline, name, None)) is not None}
    adapter = Adapter(pipeline, config, prompt_template)
    is_pyfunc = processor is None and adapter.is_of_texts
    if is_pyfunc and options.get("signature") is None and options.get("input_example") is None:
        options["signature"] = _signature(pipeline.task)

    def write(folder: Path, meta: Model, code: str | None) -> None:
        pipeline.model.save_pretrained(str(folder / "model"))
        for name, part in {**parts, **({} if processor is None else {"processor": processor})}.items():
            part.save_pretrained(str(folder / "components" / name))
        if model_card is not None:
            (folder / "model_card.md").write_text(str(getattr(model_card, "text", model_card)), encoding="utf-8")
        if is_pyfunc:
            packaging.add_pyfunc(meta, "mlflow.transformers", code, **({"config": config} if config else {}))
        dtype = torch_dtype or getattr(pipeline.model, "dtype", None)
        kinds = {f"{name}_type": type(part).__name__ for name, part in parts.items()}
        if processor is not None:
            kinds["processor_type"] = type(processor).__name__
        meta.add_flavor(
            FLAVOR,
            transformers_version=transformers.__version__,
            code=code,
            task=pipeline.task,
            instance_type=type(pipeline).__name__,
            **({"framework": framework} if (framework := getattr(pipeline, "framework", None)) else {}),
            **({} if dtype is None else {"torch_dtype": str(dtype)}),
            pipeline_model_type=type(pipeline.model).__name__,
            source_model_name=str(pipeline.model.name_or_path),
            model_binary="model",
            **kinds,
            components=list(parts),
        )

    return packaging.save(
        path,
        write,
        modules=["transformers", "torch", "accelerate"],
        predict=adapter.predict if is_pyfunc else None,
        **options,
    )


def load_model(path: str | Path, *, return_type: str = "pipeline", device: Any = None, **options: Any) -> Any:
    """Return the pipeline that a folder holds, or its parts.

    Args:
        return_type: ``pipeline``, or ``components`` for a dict of the task, the model and what goes with it.
        device: where its tensors go; where transformers puts them by default.
        options: of transformers' ``pipeline``; ``torch_dtype`` for the weights.
    Raises:
        NotFound: the folder holds no model of Transformers.
        InvalidParameter: it has a processor, with which there is no pipeline, or a class that transformers lacks.
        NotImplementedHere: its weights are elsewhere.
    """
    import transformers

    packaging.check_choice("return_type", return_type, ("pipeline", "components"))
    folder = Path(path)
    flavor = Model.load(folder).flavor(FLAVOR)
    has_processor = "processor_type" in flavor
    if has_processor and return_type == "pipeline":
        raise InvalidParameter("the model has a processor, and pipelines take none: say return_type='components'")
    if flavor.get("source_model_revision") or flavor.get("local_base_model_path") or flavor.get("peft_adaptor"):
        raise NotImplementedHere(
            f"the model refers to weights of {flavor.get('source_model_name')!r} in place of holding them, which is "
            "not supported: save it with its weights"
        )
    packaging.add_code(folder, flavor.get("code"))
    # Weights as pickles, which transformers would load as well, run no code: it loads only tensors of them.
    told: dict[str, Any] = {"use_safetensors": True} if not load_model_settings().allow_pickle else {}
    dtype = options.pop("dtype", None) or options.pop("torch_dtype", None) or flavor.get("torch_dtype")
    if dtype is not None:
        told[_dtype_argument()] = _dtype(dtype)
    # Before MLflow 2.4.1 the folder was named so.
    weights = packaging.within(folder, flavor.get("model_binary", "pipeline"))
    model = _class(flavor["pipeline_model_type"]).from_pretrained(str(weights), **told)
    found: dict[str, Any] = {"task": flavor["task"], "model": model}
    for name in [*flavor.get("components", []), *(["processor"] if has_processor else [])]:
        saved = packaging.within(folder, f"components/{name}")
        found[name] = _class(flavor[f"{name}_type"]).from_pretrained(str(saved))
    if return_type == "components":
        return found
    if device is not None:
        found["device"] = device
    return transformers.pipeline(**found, **options)


class Adapter:
    """A pipeline as a pyfunc model: a text, a list of them, or a frame of one column; answers as MLflow gives them.

    Classes of texts, and what texts are about (zero-shot), are a frame; all others a list with an answer for each text:
    what was generated, the likeliest word for a mask, the kinds of words with commas between, or a vector a token.
    """

    def __init__(self, pipeline: Any, config: Mapping[str, Any], template: str | None) -> None:
        self._pipeline = pipeline
        self._config = dict(config)
        self._template = template
        self._task = "translation" if pipeline.task.startswith("translation") else pipeline.task
        self._answer = self._ANSWERS.get(self._task)

    @property
    def is_of_texts(self) -> bool:
        """Whether it predicts: it is for one of the tasks that are known here."""
        return self._answer is not None

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        if self._answer is None:
            raise NotImplementedHere(
                f"a pipeline for {self._task!r} is no pyfunc model here, only those for {', '.join(self._ANSWERS)}: "
                "load it with mlflow.transformers.load_model"
            )
        options = {**self._config, **(params or {})}
        # Of pipelines for instructions, which nobody makes any more.
        options.pop("include_prompt", None)
        return self._answer(self, _records(model_input), options)

    def get_raw_model(self) -> Any:
        return self._pipeline

    def _generate(self, given: Any, options: dict[str, Any]) -> list[str]:
        collapses = options.pop("collapse_whitespace", False)
        found = self._pipeline(self._prompts(given), **options)
        # Several for one text are a list of their own.
        flat = [each for item in found for each in (item if isinstance(item, list) else [item])]
        texts = [str(each[_GENERATED[self._task]]) for each in flat]
        return [(re.sub(r"\s+", " ", text) if collapses else text).strip() for text in texts]

    def _fill(self, given: Any, options: dict[str, Any]) -> list[Any]:
        found = self._pipeline(self._prompts(given), **options)
        rows = found if isinstance(found[0], list) else [found]
        return [_likeliest(row) for row in rows]

    def _classify(self, given: Any, options: dict[str, Any]) -> pd.DataFrame:
        import pandas as pd

        is_pairs = isinstance(given, list) and isinstance(given[0], dict) and "text" in given[0]
        return pd.DataFrame(self._pipeline(given if is_pairs else _texts(given), **options))

    def _classify_unseen(self, given: Any, options: dict[str, Any]) -> pd.DataFrame:
        import pandas as pd

        rows = given if isinstance(given, list) else [given]
        if not all(isinstance(row, dict) and {"sequences", "candidate_labels"} <= row.keys() for row in rows):
            raise InvalidParameter("zero-shot classification takes sequences and candidate_labels, by these names")
        found = []
        for row in rows:
            labels = row["candidate_labels"]
            if isinstance(labels, str) and labels.startswith("["):
                labels = json.loads(labels)
            more = {"hypothesis_template": row["hypothesis_template"]} if row.get("hypothesis_template") else {}
            told = self._pipeline(row["sequences"], candidate_labels=labels, **more, **options)
            found += told if isinstance(told, list) else [told]
        return pd.DataFrame(
            [
                {"sequence": each["sequence"], "labels": label, "scores": score}
                for each in found
                for label, score in zip(each["labels"], each["scores"], strict=True)
            ]
        )

    def _tag(self, given: Any, options: dict[str, Any]) -> list[str]:
        found = self._pipeline(_texts(given), **options)
        rows = found if found and isinstance(found[0], list) else [found]
        return [",".join(str(each.get("entity_group", each.get("entity"))) for each in row) for row in rows]

    def _embed(self, given: Any, options: dict[str, Any]) -> Any:
        import numpy as np

        texts = self._prompts(given)
        found = self._pipeline(texts, **options)
        if isinstance(texts, str) or len(texts) == 1:
            return np.array(found[0][0])
        # Texts differ in their tokens.
        return [np.array(each[0]) for each in found]

    def _answer_question(self, given: Any, options: dict[str, Any]) -> list[str]:
        rows = given if isinstance(given, list) else [given]
        if not all(isinstance(row, dict) and {"question", "context"} <= row.keys() for row in rows):
            raise InvalidParameter("question answering takes question and context, by these names")
        found = [self._pipeline(question=row["question"], context=row["context"], **options) for row in rows]
        return [str(each["answer"]).strip() for each in found]

    def _prompts(self, given: Any) -> Any:
        texts = _texts(given)
        if self._template is None:
            return texts
        if isinstance(texts, str):
            return self._template.format(prompt=texts)
        return [self._template.format(prompt=text) for text in texts]

    _ANSWERS: Final[Mapping[str, Callable[..., Any]]] = {
        **dict.fromkeys(_GENERATED, _generate),
        "fill-mask": _fill,
        "text-classification": _classify,
        "zero-shot-classification": _classify_unseen,
        "token-classification": _tag,
        "feature-extraction": _embed,
        "question-answering": _answer_question,
    }


def load_pyfunc(folder: Path, flavor: dict[str, Any]) -> Adapter:
    meta = Model.load(folder)
    if (meta.flavor(FLAVOR)).get("inference_task"):
        raise NotImplementedHere("models that were saved with a task of llm/v1 load with mlflow.transformers alone")
    template = (meta.metadata or {}).get(_TEMPLATE_KEY)
    return Adapter(load_model(folder), flavor.get("config") or {}, template)


def _pipeline(given: Any, task: str | None) -> Any:
    import transformers

    if isinstance(given, transformers.Pipeline):
        return given
    if isinstance(given, (str, Path)):
        if task is None:
            raise InvalidParameter("task must be given where the model is a folder")
        if not (Path(given) / "config.json").is_file():
            raise InvalidParameter(f"transformers_model {str(given)!r} is no folder of a model: it has no config.json")
        return transformers.pipeline(task=task, model=str(given))
    if not isinstance(given, dict):
        raise InvalidParameter(
            "transformers_model must be a pipeline, a dict of its parts or a folder of a model, got "
            f"{type(given).__name__}"
        )
    parts = {name: part for name, part in given.items() if name not in ("torch_dtype", "dtype")}
    if strange := [name for name in parts if name not in ("model", *_PARTS)]:
        raise InvalidParameter(
            f"transformers_model may have the keys model, {', '.join(_PARTS)}, torch_dtype; got {strange}"
        )
    if not isinstance(parts.get("model"), transformers.PreTrainedModel):
        raise InvalidParameter(
            f"model of transformers_model must be a PreTrainedModel, got {type(parts.get('model')).__name__}"
        )
    try:
        return transformers.pipeline(task=task or _task_of(parts["model"]), **parts)
    except (ValueError, TypeError, OSError) as wrong:
        raise InvalidParameter(f"these parts make no pipeline: {wrong}") from wrong


def _task_of(model: Any) -> str:
    """Return the task whose models are of this class.

    Raises:
        InvalidParameter: there is none.
    """
    from transformers.pipelines import SUPPORTED_TASKS

    wanted = type(model).__name__
    for task, told in SUPPORTED_TASKS.items():
        for auto in told.get("pt", ()):
            # Names of classes, where the mapping around it would import every model that there is.
            names = getattr(getattr(auto, "_model_mapping", None), "_model_mapping", {}).values()
            if any(wanted == name or (isinstance(name, tuple) and wanted in name) for name in names):
                return str(task)
    raise InvalidParameter(f"no task can be told of {type(model).__name__}: give task")


def _class(name: str) -> Any:
    import transformers

    found = getattr(transformers, name, None)
    if not inspect.isclass(found) or not hasattr(found, "from_pretrained"):
        raise InvalidParameter(
            f"the model's class {name!r} is none that transformers {transformers.__version__} has: models with code of "
            "their own are not supported"
        )
    return found


def _dtype(named: Any) -> Any:
    import torch

    if not isinstance(named, str):
        return named
    found = getattr(torch, named.removeprefix("torch."), None)
    if not isinstance(found, torch.dtype):
        raise InvalidParameter(f"torch_dtype of the model must name a type of torch, got {named!r}")
    return found


def _dtype_argument() -> str:
    import transformers

    # Renamed in 4.56.
    major, minor = (int(part) for part in transformers.__version__.split(".")[:2])
    return "dtype" if (major, minor) >= (4, 56) else "torch_dtype"


def _check_template(template: Any, task: str) -> None:
    if task not in _TEMPLATED:
        raise InvalidParameter(f"prompt_template goes with {', '.join(_TEMPLATED)}, not with {task!r}")
    fields = [field for _, field, _, _ in string.Formatter().parse(str(template)) if field is not None]
    if fields != ["prompt"]:
        raise InvalidParameter(f"prompt_template must have {{prompt}} once and no other field, got {template!r}")


def _signature(task: str) -> ModelSignature | None:
    """Return what a pipeline for a task takes and gives: its signature where there is no example."""
    text = Schema([ColSpec("string")])
    if task in _GENERATED or task.startswith("translation") or task in ("fill-mask", "token-classification"):
        return ModelSignature(text, text)
    if task == "text-classification":
        return ModelSignature(text, Schema([ColSpec("string", "label"), ColSpec("double", "score")]))
    if task == "feature-extraction":
        return ModelSignature(text, Schema([TensorSpec("float64", (-1,), "double")]))
    if task == "zero-shot-classification":
        names = ("sequences", "candidate_labels", "hypothesis_template")
        given = Schema([ColSpec("string", "sequence"), ColSpec("string", "labels"), ColSpec("double", "scores")])
        return ModelSignature(Schema(ColSpec("string", name) for name in names), given)
    if task == "question-answering":
        return ModelSignature(Schema([ColSpec("string", "question"), ColSpec("string", "context")]), text)
    return None


def _records(model_input: Any) -> Any:
    """Return a frame as rows by column, and an array as a list."""
    import numpy as np
    import pandas as pd

    if isinstance(model_input, pd.DataFrame):
        return model_input.to_dict(orient="records")
    if isinstance(model_input, (pd.Series, np.ndarray)):
        return model_input.tolist()
    return model_input


def _texts(given: Any) -> Any:
    """Return one text, or a list of them, of rows that hold one each."""
    if isinstance(given, str):
        return given
    rows = given if isinstance(given, list) else [given]
    texts = [next(iter(row.values()), None) if isinstance(row, dict) else row for row in rows]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise InvalidParameter("a model of texts takes a text, a list of texts or a frame with a column of them")
    return texts


def _likeliest(candidates: list[Any]) -> Any:
    """Return the likeliest word for a mask; of several masks, a list."""
    if isinstance(candidates[0], list):
        return [str(each[0]["token_str"]).strip() for each in candidates]
    return str(candidates[0]["token_str"]).strip()
