"""The MLmodel file: what a saved model is, and how each flavor loads it.

Source: the fields are those that MLflow 3 writes; a file of MLflow 1 or 2 lacks some and is read as well.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from runyard.errors import InvalidParameter, NotFound
from runyard.models.signature import ModelSignature

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
    "auth_policy",
)


@dataclass
class Model:
    """What an MLmodel file says."""

    flavors: dict[str, dict[str, Any]] = field(default_factory=dict)
    signature: ModelSignature | None = None
    saved_input_example_info: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    artifact_path: str | None = None
    run_id: str | None = None
    model_id: str | None = None
    model_uuid: str = field(default_factory=lambda: uuid.uuid4().hex)
    model_size_bytes: int | None = None
    mlflow_version: str | None = FORMAT_VERSION
    utc_time_created: str = field(default_factory=lambda: str(dt.datetime.now(dt.timezone.utc).replace(tzinfo=None)))
    is_signature_from_type_hint: bool = False
    type_hint_from_example: bool = False
    prompts: list[str] | None = None
    resources: dict[str, Any] | None = None
    auth_policy: dict[str, Any] | None = None
    # Fields of a later format, kept as they were read.
    others: dict[str, Any] = field(default_factory=dict)

    def add_flavor(self, name: str, **parameters: Any) -> Model:
        self.flavors[name] = parameters
        return self

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as the file has them: the signature as JSON texts, optional ones only where set."""
        form = {name: value for name, value in vars(self).items() if name not in {"others", "signature"}}
        form["signature"] = self.signature.to_dict() if self.signature else None
        return {
            **self.others,
            **{name: value for name, value in form.items() if value not in (None, False) or name not in _OPTIONAL},
        }

    @classmethod
    def from_dict(cls, form: dict[str, Any]) -> Model:
        """Raises: InvalidParameter: a flavor or the signature is not what the format says."""
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

    def to_yaml(self) -> str:
        import yaml

        return str(yaml.safe_dump(self.to_dict(), default_flow_style=False, allow_unicode=True))

    def save(self, folder: Path) -> None:
        """Write the MLmodel file of a model in this folder."""
        (folder / MLMODEL_FILE).write_text(self.to_yaml(), encoding="utf-8")

    @classmethod
    def load(cls, folder: str | Path) -> Model:
        """Return what the MLmodel file in this folder says.

        Raises:
            NotFound: there is none.
            InvalidParameter: it is not YAML, or not of the format.
        """
        import yaml

        path = Path(folder) / MLMODEL_FILE
        try:
            form = yaml.safe_load(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise NotFound(f"{str(folder)!r} holds no model: the file {MLMODEL_FILE} is missing") from None
        except yaml.YAMLError as wrong:
            raise InvalidParameter(f"{path} is not YAML: {wrong}") from None
        if not isinstance(form, dict):
            raise InvalidParameter(f"{path} must hold a mapping, got {type(form).__name__}")
        return cls.from_dict(form)

    def flavor(self, name: str) -> dict[str, Any]:
        """Raises: NotFound: the model was saved without this flavor."""
        if name not in self.flavors:
            raise NotFound(f"the model has no flavor {name!r}, only {', '.join(sorted(self.flavors)) or 'none'}")
        return self.flavors[name]
