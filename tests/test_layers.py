"""Imports point down, and each outside library is known to one layer: read from the sources, nothing is imported.

cli → serving → server, projects, evaluation → autologging → client → models, environments → store, artifacts, search
→ wire → errors
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCES = Path(__file__).parent.parent / "src"
PACKAGE = SOURCES / "runyard"

# The modules by which users reach a library's models.
FLAVORS = (
    "catboost",
    "keras",
    "lightgbm",
    "onnx",
    "pytorch",
    "sentence_transformers",
    "sklearn",
    "spacy",
    "statsmodels",
    "transformers",
    "xgboost",
)

# What each layer may import of ours; itself always.
BELOW = {
    "errors": set(),
    "wire": {"errors"},
    "settings": {"errors"},
    "search": {"wire", "errors"},
    "store": {"search", "wire", "errors"},
    "artifacts": {"search", "wire", "errors", "settings"},
    "models": {"store", "artifacts", "search", "wire", "errors", "settings"},
    # Python environments that models and projects run in.
    "environments": {"errors", "settings"},
    # It runs as the tracking server does, and fetches models as a client.
    "serving": {"server", "client", "models", "environments", "artifacts", "wire", "errors", "settings"},
    "projects": {"environments", "data", "exceptions", "artifacts", "entities", "wire", "errors", "settings", "client"},
    # The client speaks the wire; models and artifacts are what it packs and moves.
    "entities": {"wire", "errors"},
    "client": {"entities", "models", "artifacts", "wire", "errors", "settings"},
    "server": {"models", "store", "artifacts", "search", "wire", "errors", "settings"},
    # It patches libraries to call the client; a flavor's public module offers it, and is what it logs models by.
    "autologging": {"client", "data", "entities", "models", "wire", "errors"},
    # It measures models and logs what it finds; what it computes is not to be followed as a training.
    "evaluation": {"autologging", "client", "data", "entities", "models", "artifacts", "wire", "errors"},
    "metrics": {"evaluation", "errors"},
    "cli": {
        "server",
        "client",
        "serving",
        "projects",
        "models",
        "environments",
        "store",
        "artifacts",
        "search",
        "wire",
        "errors",
        "settings",
    },
    # What users import: names of the client, where programs written for this protocol look for them.
    "data": {"client", "entities", "models", "artifacts", "settings", "wire", "errors"},
    "pyfunc": {"client", "models", "errors"},
    **{name: {"autologging", "client", "models"} for name in FLAVORS},
    "exceptions": {"errors"},
    "tracking": {"client", "entities", "exceptions", "errors"},
    "config": {"client", "settings", "errors"},
    "environment_variables": {"settings", "errors"},
    "system_metrics": {"client"},
    "types": {"models"},
    "utils": {"wire"},
    # `import runyard` is the fluent API, `python -m runyard` the command.
    "__init__": {
        "client",
        "config",
        "entities",
        "environment_variables",
        "data",
        "exceptions",
        "system_metrics",
        "tracking",
        "types",
        "utils",
        "models",
        "pyfunc",
        *FLAVORS,
        "tensorflow",
        "autologging",
        "projects",
        "evaluation",
        "metrics",
        "artifacts",
        "wire",
        "errors",
    },
    # Another name of a flavor.
    "tensorflow": {"keras"},
    "__main__": {"cli"},
}

# The client's way to a database without a server: it hands the same requests to the server's own dispatch. Whoever
# imports this module does so inside a function, so that a client of a server never loads one.
DISPATCHER = "runyard.client.inprocess"

# The modules of these names are below the client, serving and evaluation, and users find calls of those in them; only
# who asks for one loads them.
OFFERED = {"runyard.artifacts", "runyard.models", "runyard.models.model", "runyard.models.signature"}
OFFERS = {"client", "evaluation", "serving"}

# Single modules that may be imported from beside or below their layer, because they hold names and rules and import
# nothing but the wire and the errors themselves.
LEAVES = {
    "runyard.store.schema": {"runyard.search.compile"},
    "runyard.artifacts.uris": {"runyard.store"},
    "runyard.store.run_names": {"runyard.utils"},
}

# Libraries that only some modules may know, by the prefix of the module.
OWNERS = {
    "sqlalchemy": ("runyard.store", "runyard.search.compile"),
    "alembic": ("runyard.store",),
    "psycopg": ("runyard.store",),
    "sqlite3": ("runyard.store", "runyard.client.spool"),
    "starlette": ("runyard.server",),
    "uvicorn": ("runyard.server",),
    "uvloop": ("runyard.server",),
    "httptools": ("runyard.server",),
    "obstore": ("runyard.artifacts",),
    "botocore": ("runyard.artifacts",),
    "prometheus_client": ("runyard.server",),
    "opentelemetry": ("runyard.server",),
    "click": ("runyard.cli",),
    "urllib3": ("runyard.client", "runyard.artifacts", "runyard.data"),
}


@dataclass(frozen=True)
class Import:
    """One module's import of another; lazy when it is inside a function, or for types only."""

    importer: str
    imported: str
    line: int
    is_lazy: bool

    def __str__(self) -> str:
        return f"{self.importer}, line {self.line}: imports {self.imported}"


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCES).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 2 else parts)


def imports_of(path: Path) -> Iterator[Import]:
    importer = module_name(path)

    def visit(node: ast.AST, *, is_lazy: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(importer, alias.name, node.lineno, is_lazy)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = path.relative_to(SOURCES).parts[:-1]
                kept = package[: len(package) - (node.level - 1)]
                base = ".".join([*kept, *([base] if base else [])])
            for alias in node.names:
                # `from runyard import store` imports the layer and not the package's root.
                yield Import(importer, f"{base}.{alias.name}" if base == "runyard" else base, node.lineno, is_lazy)
        is_inside = (
            is_lazy or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) or is_for_types(node)
        )
        for child in ast.iter_child_nodes(node):
            yield from visit(child, is_lazy=is_inside)

    yield from visit(ast.parse(path.read_text(encoding="utf-8")), is_lazy=False)


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def layer(module: str) -> str:
    """Return the layer of a module of ours: ``store`` for ``runyard.store.runs``."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def is_within(module: str, owners: Collection[str]) -> bool:
    return any(module == owner or module.startswith(f"{owner}.") for owner in owners)


@pytest.fixture(scope="module")
def imports() -> list[Import]:
    """Every import in the package."""
    return [found for path in sorted(PACKAGE.rglob("*.py")) for found in imports_of(path)]


def test_the_imports_are_found(imports: list[Import]) -> None:
    assert any(found.importer.startswith("runyard.store.") and found.imported == "sqlalchemy" for found in imports)


def test_every_flavor_is_offered_to_users() -> None:
    assert sorted(path.stem for path in (PACKAGE / "models" / "flavors").glob("[!_]*.py")) == sorted(FLAVORS)


def test_every_module_belongs_to_a_layer() -> None:
    assert {layer(module_name(path)) for path in PACKAGE.rglob("*.py")} <= BELOW.keys()


def test_layers_import_only_what_is_below_them(imports: list[Import]) -> None:
    upwards = [
        str(found)
        for found in imports
        if found.imported.split(".")[0] == "runyard"
        # The version is everybody's.
        and found.imported != "runyard.__version__"
        and layer(found.imported) not in BELOW[layer(found.importer)] | {layer(found.importer)}
        and not is_within(found.importer, LEAVES.get(found.imported, set()))
        and (found.importer, layer(found.imported)) != (DISPATCHER, "server")
        and not (found.importer in OFFERED and layer(found.imported) in OFFERS and found.is_lazy)
    ]
    assert upwards == []


def test_leaves_import_nothing_but_the_wire_and_the_errors(imports: list[Import]) -> None:
    heavy = [
        str(found)
        for found in imports
        if found.importer in LEAVES
        and found.imported.split(".")[0] == "runyard"
        and layer(found.imported) not in {"wire", "errors"}
    ]
    assert heavy == []


def test_a_client_of_a_server_never_loads_one(imports: list[Import]) -> None:
    assert [str(found) for found in imports if found.imported == DISPATCHER and not found.is_lazy] == []


def test_each_outside_library_is_known_to_its_own_layer_only(imports: list[Import]) -> None:
    strangers = [
        str(found)
        for found in imports
        if found.imported.split(".")[0] in OWNERS
        and not is_within(found.importer, OWNERS[found.imported.split(".")[0]])
    ]
    assert strangers == []


def test_the_layers_themselves_point_down() -> None:
    # What a layer may import may import no more than it does: so no chain of imports leads back up.
    for name, below in BELOW.items():
        for lower in below:
            assert lower in BELOW
            assert name not in BELOW[lower], f"{name} and {lower} may import each other"
