"""MLflow's variables of the environment that are heard here, each an object that reads, sets and removes it.

They are those of the settings of clients, of models and of object stores: `MLFLOW_TRACKING_URI.get()`. A variable
may be spelled with RUNYARD_ instead of MLFLOW_, and that spelling counts first.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Final

from runyard import settings

_KINDS: Final[dict[str, type]] = {"bool": bool, "int": int, "float": float}
_PREFIX: Final = "MLFLOW_"


class EnvironmentVariable:
    """One variable; its value is of ``type``, and ``default`` where it is not set."""

    def __init__(self, name: str, type_: type, default: Any) -> None:
        self.name = name
        self.type = type_
        self.default = default
        # The first that is set counts.
        self._spellings = (name.replace(_PREFIX, "RUNYARD_", 1), name)

    @property
    def defined(self) -> bool:
        return self.get_raw() is not None

    def is_set(self) -> bool:
        return self.defined

    def get_raw(self) -> str | None:
        """Return the text that the environment holds, if any."""
        return settings.variable(*self._spellings)

    def get(self) -> Any:
        """Return the value, of the variable's type.

        Raises:
            ConfigurationError: the text means no such value.
        """
        text = self.get_raw()
        return self.default if text is None else settings.parse(self.name, text, self.type.__name__)

    def set(self, value: object) -> None:
        """Set it for this process and those that it starts."""
        self.unset()
        settings.hand_down(self.name, str(value))

    def unset(self) -> None:
        for spelling in self._spellings:
            settings.hand_down(spelling, None)

    def __str__(self) -> str:
        return f"{self.name} (default: {self.default})"

    def __repr__(self) -> str:
        return repr(self.name)


def _known() -> dict[str, EnvironmentVariable]:
    found = {name: EnvironmentVariable(name, str, None) for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")}
    for of in (
        settings.ClientSettings,
        settings.EnvironmentSettings,
        settings.ModelSettings,
        settings.StoreSettings,
    ):
        for setting in dataclasses.fields(of):
            for name in setting.metadata["variables"]:
                if name.startswith(_PREFIX):
                    kind = _KINDS.get(str(setting.type).partition(" | ")[0], str)
                    found[name] = EnvironmentVariable(name, kind, setting.default)
    return found


_variables: Final = _known()


def __getattr__(name: str) -> EnvironmentVariable:
    try:
        return _variables[name]
    except KeyError:
        raise AttributeError(f"no variable {name!r} is heard here; there are {', '.join(sorted(_variables))}") from None


def __dir__() -> list[str]:
    return sorted([*globals(), *_variables])
