"""The MLmodel file: what a saved model is, and how each flavor loads it.

Source: the fields are those that MLflow 3 writes; a file of MLflow 1 or 2 lacks some and is read as well.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from runyard.errors import InvalidParameter, NotFound
from runyard.models.examples import load_example
from runyard.models.signature import ModelSignature, ParamSchema, Schema

if TYPE_CHECKING:
    from runyard.client.models import ModelInfo

MLMODEL_FILE: Final = "MLmodel"

# The version of MLflow whose format is written: its clients look at it.
FORMAT_VERSION: Final = "3.17.2"

_OPTIONAL: Final = (
    "artifact_path",
    "run_id",
    "signature",
    "saved_input_example_info",
    "metadata",
    "is_signature_from_type_hint",
    "resources",
    "env_vars",
    "auth_policy",
)


@dataclass
class Model:
    """What an MLmodel file says."""

    artifact_path: str | None = None
    run_id: str | None = None
    utc_time_created: str = field(default_factory=lambda: str(dt.datetime.now(dt.timezone.utc).replace(tzinfo=None)))
    flavors: dict[str, dict[str, Any]] = field(default_factory=dict)
    signature: ModelSignature | None = None
    saved_input_example_info: dict[str, Any] | None = None
    model_uuid: str = field(default_factory=lambda: uuid.uuid4().hex)
    mlflow_version: str | None = FORMAT_VERSION
    metadata: dict[str, Any] | None = None
    model_size_bytes: int | None = None
    resources: dict[str, Any] | None = None
    env_vars: list[str] | None = None
    auth_policy: dict[str, Any] | None = None
    model_id: str | None = None
    prompts: list[str] | None = None
    is_signature_from_type_hint: bool = False
    type_hint_from_example: bool = False
    # Fields of a later format, kept as they were read.
    others: dict[str, Any] = field(default_factory=dict)

    def add_flavor(self, name: str, **params: Any) -> Model:
        self.flavors[name] = params
        return self

    def get_input_schema(self) -> Schema | None:
        return None if self.signature is None else self.signature.inputs

    def get_output_schema(self) -> Schema | None:
        return None if self.signature is None else self.signature.outputs

    def get_params_schema(self) -> ParamSchema | None:
        return None if self.signature is None else self.signature.params

    def load_input_example(self, path: str | Path | None = None) -> Any:
        """Return the input example that is kept with the model; None where there is none.

        Args:
            path: the model's folder, or any URI of it; by default where the model says that it was logged.
        """
        return self._example(path)[0]

    def load_input_example_params(self, path: str | Path | None) -> dict[str, Any] | None:
        """Return the params of the input example; None where it has none."""
        return self._example(path)[1]

    def get_serving_input(self, path: str | Path | None) -> str | None:
        """Return the input example as the body of a request to a scoring server; None where there is none."""
        name = (self.saved_input_example_info or {}).get("serving_input_path")
        return None if name is None else (self._kept(path) / name).read_text(encoding="utf-8")

    def _example(self, path: str | Path | None) -> tuple[Any, dict[str, Any] | None]:
        if self.saved_input_example_info is None:
            return None, None
        return load_example(self._kept(path), self.saved_input_example_info, self.get_input_schema())

    def _kept(self, path: str | Path | None) -> Path:
        if path is None and self.model_id is None:
            raise InvalidParameter("path must name the folder of the model whose input example is asked for")
        from runyard.client import models as kept

        return kept.downloaded(f"models:/{self.model_id}" if path is None else path)

    def get_tags_dict(self) -> dict[str, Any]:
        """Return what the run's history of logged models tells of it."""
        form = self.to_dict()
        names = ("run_id", "artifact_path", "utc_time_created", "model_uuid", "flavors")
        return {name: form[name] for name in names if form.get(name) is not None}

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as the file has them: the signature as JSON texts, optional ones only where set."""
        form = {name: value for name, value in vars(self).items() if name not in {"others", "signature"}}
        form["signature"] = self.signature.to_dict() if self.signature else None
        return {
            **self.others,
            **{name: value for name, value in form.items() if value not in (None, False) or name not in _OPTIONAL},
        }

    @classmethod
    def from_dict(cls, model_dict: Mapping[str, Any]) -> Model:
        """Raises: InvalidParameter: a flavor or the signature is not what the format says."""
        form = model_dict
        flavors = form.get("flavors")
        if not isinstance(flavors, dict) or not all(isinstance(each, dict) for each in flavors.values()):
            raise InvalidParameter("flavors of an MLmodel file must be a mapping of mappings")
        known = set(cls.__dataclass_fields__) - {"others", "signature"}
        fields = {name: value for name, value in form.items() if name in known}
        others = {name: value for name, value in form.items() if name not in known | {"signature"}}
        signature = form.get("signature")
        # YAML reads an unquoted time as one.
        if "utc_time_created" in fields:
            fields["utc_time_created"] = str(fields["utc_time_created"])
        return cls(**fields, signature=ModelSignature.from_dict(signature) if signature else None, others=others)

    def to_yaml(self, stream: IO[str] | None = None) -> str:
        """Return the text of the file, and write it to ``stream`` if there is one."""
        import yaml

        text = str(yaml.safe_dump(self.to_dict(), default_flow_style=False, allow_unicode=True))
        if stream is not None:
            stream.write(text)
        return text

    def to_json(self) -> str:
        return json.dumps(self.to_dict())

    def save(self, path: str | Path) -> None:
        """Write the MLmodel file of the model in a folder, to that folder or to the file that is named."""
        file = Path(path)
        file = file / MLMODEL_FILE if file.is_dir() else file
        file.write_text(self.to_yaml(), encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> Model:
        """Return what an MLmodel file says.

        Args:
            path: the file, the model's folder, or any URI of a model, of which that file alone is fetched.
        Raises:
            NotFound: there is none.
            InvalidParameter: it is not YAML, or not of the format.
        """
        import yaml

        if re.match(r"[A-Za-z][\w+.-]+:/", str(path)):
            from runyard.client import models as kept

            return kept.read_model(str(path))
        file = Path(path)
        file = file if file.is_file() else file / MLMODEL_FILE
        try:
            form = yaml.safe_load(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise NotFound(f"{str(path)!r} holds no model: the file {MLMODEL_FILE} is missing") from None
        except yaml.YAMLError as wrong:
            raise InvalidParameter(f"{file} is not YAML: {wrong}") from None
        if not isinstance(form, dict):
            raise InvalidParameter(f"{file} must hold a mapping, got {type(form).__name__}")
        return cls.from_dict(form)

    @classmethod
    def log(
        cls,
        artifact_path: str | None = None,
        flavor: Any = None,
        registered_model_name: str | None = None,
        **options: Any,
    ) -> ModelInfo:
        """Log a model as a flavor of the program's own writes it; return what is known of it.

        Args:
            artifact_path: an earlier spelling of ``name``.
            flavor: what has a ``save_model(path, mlflow_model, …)``, such as a module.
            options: those of ``save_model``, and those of `runyard.client.models.LOG_OPTIONS`.
        """
        from runyard.client import models as kept

        return kept.log(flavor.save_model, artifact_path, {**options, "registered_model_name": registered_model_name})

    def flavor(self, name: str) -> dict[str, Any]:
        """Raises: NotFound: the model was saved without this flavor."""
        if name not in self.flavors:
            raise NotFound(f"the model has no flavor {name!r}, only {', '.join(sorted(self.flavors)) or 'none'}")
        return self.flavors[name]


def __getattr__(name: str) -> Any:
    # Programs look for what the client knows of models here, too.
    if name not in ("ModelInfo", "get_model_info", "set_model", "update_model_requirements"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from runyard.models import python_model

    if name == "set_model":
        return python_model.set_model
    from runyard.client import models as kept

    return getattr(kept, name)
