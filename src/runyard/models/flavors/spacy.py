"""spaCy pipelines; as a pyfunc model, those with a text categorizer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runyard.errors import InvalidParameter
from runyard.models import packaging
from runyard.models.model import Model

if TYPE_CHECKING:
    from typing_extensions import Unpack

FLAVOR: Final = "spacy"


def save_model(spacy_model: Any, path: str | Path, **options: Unpack[packaging.Options]) -> Model:
    """Save a pipeline to a new folder.

    Args:
        options: see `packaging.Options`.
    """
    is_categorizer = any(name in {"textcat", "textcat_multilabel"} for name in spacy_model.pipe_names)
    return packaging.save_file(
        path,
        FLAVOR,
        "model.spacy",
        spacy_model.to_disk,
        modules=["spacy"],
        predict=Adapter(spacy_model).predict if is_categorizer else None,
        fields={"spacy_version": packaging.version_of("spacy")},
        is_pyfunc=is_categorizer,
        **options,
    )


def load_model(path: str | Path) -> Any:
    """Return the pipeline that a folder holds.

    Raises:
        NotFound: the folder holds no spaCy model.
    """
    import spacy

    _, folder = packaging.load_file(path, FLAVOR)
    return spacy.load(folder)


class Adapter:
    """A pipeline as a pyfunc model: one column of texts gives the score of each category, as a dict a row."""

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        import pandas as pd

        if not isinstance(model_input, pd.DataFrame) or len(model_input.columns) != 1:
            raise InvalidParameter("a spaCy model takes a frame of one column, the texts")
        return pd.DataFrame({"predictions": [doc.cats for doc in self._pipeline.pipe(model_input.iloc[:, 0])]})

    def get_raw_model(self) -> Any:
        return self._pipeline


def load_pyfunc(folder: Path, flavor: dict[str, Any]) -> Adapter:
    return Adapter(load_model(folder))
