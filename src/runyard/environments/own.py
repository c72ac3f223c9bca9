"""How another environment gets the Runyard that is running here."""

from __future__ import annotations

import importlib.metadata
import json
import os
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from runyard.errors import ConfigurationError

_NAME: Final = "runyard"
_ALIAS: Final = "runyard-mlflow"


def own_package(*, with_alias: bool = False) -> tuple[list[str], list[Path]]:
    """Return the requirements and the folders of sources that give an environment this very Runyard.

    Installed here from a wheel or an index, it is installed there the same; running from its sources, it is run there
    from the same sources.

    Args:
        with_alias: give it the name ``mlflow`` too; never beside upstream's package of that name.

    Raises:
        ConfigurationError: it runs from sources without ever having been installed, so what it needs is not known.
    """
    requirements, paths = _of(_NAME, Path(__file__).parent.parent)
    if with_alias:
        import importlib.util

        found = importlib.util.find_spec("mlflow")
        if found is not None and found.origin is not None and _is_alias():
            more, folders = _of(_ALIAS, Path(found.origin).parent)
            requirements += [each for each in more if not each.startswith(_NAME)] if folders else more
            paths += folders
    return requirements, paths


def _is_alias() -> bool:
    try:
        importlib.metadata.distribution(_ALIAS)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _of(name: str, package: Path) -> tuple[list[str], list[Path]]:
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        raise ConfigurationError(
            f"{name} runs from {package.parent} and is not installed, so another environment cannot be given it: "
            "install it, with pip install --editable for one that follows its sources"
        ) from None
    if Path(str(distribution.locate_file(""))).resolve() != package.parent.resolve():
        needed = [line for line in distribution.requires or [] if "extra ==" not in line]
        return needed, [package.parent]
    return [_archive(distribution) or f"{name}=={distribution.version}"], []


def _archive(distribution: importlib.metadata.Distribution) -> str | None:
    """Return the file that it was installed from, if it was and the file is still there."""
    told = distribution.read_text("direct_url.json")
    if told is None:
        return None
    origin = json.loads(told)
    path = unquote(urlsplit(origin["url"]).path)
    return path if "archive_info" in origin and os.path.isfile(path) else None
