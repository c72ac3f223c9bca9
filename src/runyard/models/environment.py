"""What a model needs to be loaded elsewhere: requirements.txt, conda.yaml and python_env.yaml."""

from __future__ import annotations

import ast
import importlib.metadata
import platform
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from runyard.errors import InvalidParameter
from runyard.models import pickles

# Who loads the model is in its environment already.
_LOADERS = frozenset({"runyard", "mlflow", "mlflow-skinny", "mlflow-tracing"})

REQUIREMENTS_FILE: Final = "requirements.txt"
CONDA_FILE: Final = "conda.yaml"
PYTHON_ENV_FILE: Final = "python_env.yaml"
ENVIRONMENT: Final = {"conda": CONDA_FILE, "virtualenv": PYTHON_ENV_FILE}
# The name that a requirement begins with, its extras, and what may follow them.
_REQUIREMENT: Final = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(\[[^\]]*\])?\s*([<>=!~@;(].*)?")


def infer_requirements(folder: Path, modules: Iterable[str] = ()) -> list[str]:
    """Return the packages that a saved model needs, pinned to the versions installed here, sorted.

    They are the packages of the modules that its pickles name, of those that its Python files import, and of
    ``modules``; nothing of the model is run for it.
    """
    roots = {module.split(".")[0] for module in modules}
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".py":
            roots |= _imports_of(path)
        elif path.suffix in {".pkl", ".pickle"}:
            # A pickle of functions names modules in no one place; a text is one if such a module is loaded.
            roots |= {text.split(".")[0] for text in pickles.strings_in(path) if text in sys.modules}
    return pinned(roots)


def pinned(modules: Iterable[str]) -> list[str]:
    """Return ``name==version`` of the packages that these modules came with."""
    distributions = importlib.metadata.packages_distributions() if sys.version_info >= (3, 10) else {}
    names = {name.lower().replace("_", "-") for module in modules for name in distributions.get(module, ())}
    return [f"{name}=={importlib.metadata.version(name).split('+')[0]}" for name in sorted(names - _LOADERS)]


def _imports_of(path: Path) -> set[str]:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError) as wrong:
        raise InvalidParameter(f"{path.name} of the model's code is no Python: {wrong}") from None
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def conda_form(requirements: Iterable[str]) -> dict[str, Any]:
    """Return a conda environment with this Python, and these packages from pip."""
    return {
        "channels": ["conda-forge"],
        "dependencies": [f"python={platform.python_version()}", "pip", {"pip": list(requirements)}],
        "name": "mlflow-env",
    }


def write_environment(folder: Path, requirements: Iterable[str], conda_env: dict[str, Any] | str | None = None) -> None:
    """Write the three files; a conda environment of the caller's gives the requirements in its pip section.

    Raises:
        InvalidParameter: ``conda_env`` is neither a mapping nor a readable file of one.
    """
    import yaml

    listed = list(requirements)
    if isinstance(conda_env, str):
        conda_env = yaml.safe_load(Path(conda_env).read_text(encoding="utf-8"))
    if conda_env is None:
        conda_env = conda_form(listed)
    elif isinstance(conda_env, dict):
        sections = [
            each["pip"] for each in conda_env.get("dependencies", []) if isinstance(each, dict) and "pip" in each
        ]
        listed = [line for section in sections for line in section]
    else:
        raise InvalidParameter(f"conda_env must be a mapping or a file that holds one, got {conda_env!r}")
    python_env = {
        "python": platform.python_version(),
        "build_dependencies": ["pip", "setuptools", "wheel"],
        "dependencies": [f"-r {REQUIREMENTS_FILE}"],
    }
    (folder / REQUIREMENTS_FILE).write_text("".join(f"{line}\n" for line in listed), encoding="utf-8")
    for name, form in ((CONDA_FILE, conda_env), (PYTHON_ENV_FILE, python_env)):
        (folder / name).write_text(yaml.safe_dump(form, sort_keys=False), encoding="utf-8")


def update_requirements(folder: Path, operation: str, requirements: Sequence[str]) -> list[Path]:
    """Add requirements to both files of a model, each in place of that of the same package, or remove their packages.

    Returns:
        the files.
    Raises:
        InvalidParameter: one of them is no requirement, or the model has no such files.
    """
    import yaml

    files = [folder / REQUIREMENTS_FILE, folder / CONDA_FILE]
    if missing := [file.name for file in files if not file.is_file()]:
        raise InvalidParameter(f"the model has no {missing[0]}, where its requirements would be written")
    wanted: dict[str, str] = {}
    for each in requirements:
        name = _package_of(each)
        if name is None:
            raise InvalidParameter(f"{each!r} is no requirement such as pandas==2.3.0")
        wanted[name] = each.strip()

    def updated(lines: Sequence[str]) -> list[str]:
        names = [_package_of(line) for line in lines]
        if operation == "remove":
            return [line for line, name in zip(lines, names, strict=True) if name not in wanted]
        kept = [wanted.get(name or "", line) for line, name in zip(lines, names, strict=True)]
        return [*kept, *(line for name, line in wanted.items() if name not in names)]

    texts = files[0].read_text(encoding="utf-8").splitlines()
    form = yaml.safe_load(files[1].read_text(encoding="utf-8"))
    dependencies = form.setdefault("dependencies", [])
    section = next((each for each in dependencies if isinstance(each, dict) and "pip" in each), None)
    if section is None:
        section = {"pip": []}
        dependencies.append(section)
    section["pip"] = updated(section["pip"] or [])
    files[0].write_text("".join(f"{line}\n" for line in updated(texts)), encoding="utf-8")
    files[1].write_text(yaml.safe_dump(form, sort_keys=False), encoding="utf-8")
    return files


def _package_of(requirement: str) -> str | None:
    """Return the normal name of the package that a line asks for; None where it is an option, a path or no requirement.

    Source: the Python packaging specification of names' normalization.
    """
    found = _REQUIREMENT.fullmatch(requirement.partition(" #")[0].strip())
    return None if found is None else re.sub(r"[-_.]+", "-", found[1]).lower()


def read_requirements(pip_requirements: str | Iterable[str]) -> list[str]:
    """Return the lines of a requirements file, or of a list, without comments."""
    lines = (
        Path(pip_requirements).read_text(encoding="utf-8").splitlines()
        if isinstance(pip_requirements, str)
        else list(pip_requirements)
    )
    return [kept for line in lines if (kept := re.sub(r"(^|\s)#.*$", "", line).strip())]
