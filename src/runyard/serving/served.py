"""The model that is served: fetched, loaded, tried, and asked."""

from __future__ import annotations

import importlib.metadata
import logging
import os
import re
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from runyard.artifacts.uris import local_path
from runyard.client.artifact_calls import download_artifacts
from runyard.client.connections import connect, get_registry_uri
from runyard.client.sources import find_version
from runyard.errors import InvalidParameter
from runyard.models import pyfunc
from runyard.models.model import Model
from runyard.serving.inputs import Input, InputFormat

logger = logging.getLogger(__name__)

_PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;]+)$")
_BY_ROW: Final = frozenset({"sklearn", "xgboost", "lightgbm", "catboost"})
_MODEL_ID: Final = re.compile(r"m-[0-9a-f]{32}")


@dataclass(frozen=True)
class Source:
    """Where a model's files are, and which they are."""

    folder: Path
    # Of a registered model; None where the URI names none.
    version: str | None
    # The folder that it was fetched into, which goes when the model is not served any more; None where it is not ours.
    temporary: Path | None = None

    def remove(self) -> None:
        """Remove what was fetched, if anything was."""
        if self.temporary is not None:
            shutil.rmtree(self.temporary, ignore_errors=True)


class ServedModel:
    """A model that was loaded, with all that a request has to know of it."""

    def __init__(self, model: pyfunc.PyFuncModel, name: str, source: Source) -> None:
        self.name = name
        self.version = source.version
        self.metadata: Model = model.metadata
        self.format = InputFormat(model.metadata)
        # Whether its answer for the rows of several requests is, row by row, that for each.
        self.can_join = True
        self._model = model
        self._of_array = model.array_predictor(self.format.names) if self.format.names else None
        # Not before the last request that it answers: a model may read its files at any time.
        weakref.finalize(self, source.remove)

    @property
    def title(self) -> str:
        return self.name if self.version is None else f"{self.name} version {self.version}"

    @property
    def answers_by_row(self) -> bool:
        """Whether it is of a library whose models look at each row by itself."""
        return type(self._model.get_raw_model()).__module__.partition(".")[0] in _BY_ROW

    def predict(self, question: Input) -> Any:
        if question.rows is not None:
            if self._of_array is not None and not question.params:
                return self._of_array(question.rows)
            return self._model.predict_fitting(self.format.of_rows(question.rows), question.params)
        return self._model.predict(question.data, question.params)

    def warm(self) -> None:
        """Ask the model for its own example, so that the first request does not pay for what is made on first use."""
        try:
            example = self._model.input_example
            if example is not None:
                self._model.predict(example)
        except Exception as error:  # noqa: BLE001 - the model is served all the same: the example may be what is wrong
            logger.warning("%s did not answer its own input example: %s", self.title, error)


def name_of(model_uri: str) -> str:
    """Return what a model is called where nobody named it: as it is registered, or by the last part of its URI."""
    scheme, _, path = model_uri.partition(":/")
    if scheme == "models":
        return path.strip("/").partition("/")[0].partition("@")[0]
    local = local_path(model_uri)
    # The folder's own name, of "." too: no client asks for a path that ends in that.
    path = model_uri.rstrip("/") if local is None else os.path.abspath(local)
    return path.rpartition("/")[2] or "model"


def current_version(model_uri: str) -> str | None:
    """Return the version of a registered model that a URI names now; None where it names none.

    Raises:
        RunyardError: there is no such version, or the registry does not answer.
    """
    if not model_uri.startswith("models:"):
        return None
    found = find_version(connect(get_registry_uri()), model_uri)
    return None if found is None else found[1]


def can_move(model_uri: str) -> bool:
    """Whether what a URI names may become another version: it names an alias, a stage or the latest."""
    if not model_uri.startswith("models:"):
        return False
    named, _, version = model_uri.removeprefix("models:").strip("/").partition("/")
    return _MODEL_ID.fullmatch(named) is None and not version.isdecimal()


def fetch(model_uri: str, version: str | None = None) -> Source:
    """Return a model's files, fetched where they are not local already.

    Args:
        version: which was found to be named by the URI; by default it is looked up.
    Raises:
        RunyardError: there is no such model.
    """
    local = local_path(model_uri)
    if local is not None:
        return Source(Path(local), None)
    if version is None:
        version = current_version(model_uri)
    # By its number, so that what is fetched is what was looked up.
    uri = model_uri if version is None else f"models:/{name_of(model_uri)}/{version}"
    folder = tempfile.mkdtemp(prefix="runyard-model-")
    try:
        found = Path(download_artifacts(uri, dst_path=folder))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Source(found, version, Path(folder))


def load(source: Source, name: str, config: Mapping[str, Any] | None = None) -> ServedModel:
    """Return a model, ready to be asked; what was fetched of one that cannot be loaded is removed.

    Raises:
        RunyardError: it cannot be loaded here.
    """
    try:
        _warn_of_other_versions(source.folder)
        model = pyfunc.load_model(source.folder, model_config=config)
        served = ServedModel(model, name, source)
    except BaseException as error:
        # A watcher tries again every minute, and would fill the disk.
        source.remove()
        if isinstance(error, ModuleNotFoundError):
            raise InvalidParameter(
                f"the model needs the module {error.name!r}, which is not installed here: install what its "
                "requirements.txt names, or let --env-manager uv make an environment that has it"
            ) from error
        raise
    served.warm()
    return served


def _warn_of_other_versions(folder: Path) -> None:
    """Log which packages differ from those that the model was saved with."""
    path = folder / "requirements.txt"
    if not path.is_file():
        return
    differing = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if (pin := _PIN.match(line.strip())) is None:
            continue
        name, wanted = pin.groups()
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            differing.append(f"{name}=={wanted} is not installed")
            continue
        if found.partition("+")[0] != wanted:
            differing.append(f"{name}=={wanted} is here {found}")
    if differing:
        logger.warning("the model was saved with other packages than are here: %s", ", ".join(differing))
