"""Models of Sentence Transformers: texts to vectors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runyard.models import packaging
from runyard.models.model import Model

if TYPE_CHECKING:
    from typing_extensions import Unpack

FLAVOR: Final = "sentence_transformers"


def save_model(model: Any, path: str | Path, *, task: str | None = None, **options: Unpack[packaging.Options]) -> Model:
    """Save a model to a new folder.

    Args:
        task: kept for MLflow, which may answer in another form for ``llm/v1/embeddings``.
        options: see `packaging.Options`.
    """
    fields = {
        "sentence_transformers_version": packaging.version_of("sentence-transformers"),
        "pipeline_model_type": type(getattr(model[0], "auto_model", model[0])).__name__,
        "source_model_name": str(getattr(model[0].auto_model.config, "name_or_path", "")),
    }
    return packaging.save_file(
        path,
        FLAVOR,
        "model.sentence_transformer",
        lambda folder: model.save(str(folder)),
        modules=["sentence_transformers", "transformers", "torch"],
        predict=Adapter(model).predict,
        fields=fields if task is None else {**fields, "task": task},
        **options,
    )


def load_model(path: str | Path) -> Any:
    """Return the model that a folder holds; nothing is fetched, and no code of the model is run.

    Raises:
        NotFound: the folder holds no model of Sentence Transformers.
    """
    import sentence_transformers

    # MLflow names the folder in its pyfunc flavor alone.
    _, folder = packaging.load_file(path, FLAVOR, default="model.sentence_transformer")
    return sentence_transformers.SentenceTransformer(str(folder), local_files_only=True)


class Adapter:
    """A model as a pyfunc model: a text, a list of them or a frame of one column gives an array, a vector a row."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        import pandas as pd

        if isinstance(model_input, pd.DataFrame):
            model_input = model_input.iloc[:, 0]
        if isinstance(model_input, pd.Series):
            model_input = model_input.tolist()
        return self._model.encode(model_input, **params or {})

    def get_raw_model(self) -> Any:
        return self._model


def load_pyfunc(folder: Path, flavor: dict[str, Any]) -> Adapter:
    return Adapter(load_model(folder))
