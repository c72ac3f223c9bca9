"""Prints, as JSON, what a client offers below `mlflow`: run by the interpreter of each.

By module: each public class and function of it, with its parameters; of classes also the members. By entity: the
attributes of one that was made.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
from typing import Any


def parameters(function: Any) -> list[list[str]] | None:
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    return [[each.name, each.kind.name, re.sub(r" at 0x\w+", "", repr(each.default))] for each in found]


def told(value: Any) -> dict[str, Any] | None:
    """Return what is compared of a class or a function of the client's own; None of anything else."""
    owner = str(getattr(value, "__module__", "")).partition(".")[0]
    if owner not in {"mlflow", "runyard"} or not (inspect.isclass(value) or inspect.isroutine(value)):
        return None
    if not inspect.isclass(value):
        return {"parameters": parameters(value)}
    members = {name: getattr(value, name, None) for name in dir(value) if not name.startswith("_")}
    return {"parameters": parameters(value), "members": {name: parameters(each) for name, each in members.items()}}


def names_of(module: Any, only: list[str] | None) -> dict[str, Any]:
    listed = only or getattr(module, "__all__", None)
    names = [name for name in listed or dir(module) if not name.startswith("_") and hasattr(module, name)]
    # Where upstream lists no names, those count that it defines there, and not what it imports for itself.
    if listed is None and "runyard" not in sys.modules:
        names = [name for name in names if getattr(getattr(module, name), "__module__", "") == module.__name__]
    found = {name: told(getattr(module, name)) for name in names}
    return {name: each for name, each in found.items() if each is not None}


def entities() -> dict[str, list[str]]:
    """Return the attributes of one entity of each kind."""
    import mlflow
    from mlflow import entities as of
    from mlflow.entities import model_registry as registry

    metric = of.Metric("a", 1.0, 2, 3)
    info = of.RunInfo("r", "e", "u", "RUNNING", 1, None, "active", "/a", "n")
    dataset = of.DatasetInput(of.Dataset("d", "1", "local", "{}"), [of.InputTag("k", "v")])
    inputs = of.RunInputs([dataset], [of.LoggedModelInput("m")])
    outputs = of.RunOutputs([of.LoggedModelOutput("m", 1)])
    run = of.Run(info, of.RunData([metric], [of.Param("p", "1")], [of.RunTag("t", "v")]), inputs, outputs)
    made = [
        *(metric, info, run.data, run, inputs, outputs, dataset, dataset.dataset, dataset.tags[0]),
        *(inputs.model_inputs[0], outputs.model_outputs[0], mlflow.ActiveRun(run)),
        of.LoggedModel("1", "m-1", "n", "/a", 1, 2, metrics=[metric]),
        *(of.Param("p", "1"), of.RunTag("a", "b"), of.ExperimentTag("a", "b"), of.LoggedModelTag("a", "b")),
        *(of.LoggedModelParameter("a", "b"), of.FileInfo("p", is_dir=False, file_size=1), of.Workspace("ab")),
        of.Experiment("1", "n", "/a", "active", []),
        *(of.ViewType, of.RunStatus, of.LifecycleStage, of.SourceType, of.LoggedModelStatus.READY),
        registry.ModelVersion("m", "1", 5),
        registry.RegisteredModel("m", 1, 2),
        *(registry.ModelVersionTag("a", "b"), registry.RegisteredModelTag("a", "b")),
        registry.RegisteredModelAlias("a", "1"),
    ]
    return {
        (each if isinstance(each, type) else type(each)).__name__: [n for n in dir(each) if not n.startswith("_")]
        for each in made
    }


def main() -> None:
    wanted: dict[str, list[str] | None] = json.loads(sys.argv[1])
    found: dict[str, Any] = {}
    for name, only in wanted.items():
        try:
            found[name] = names_of(importlib.import_module(name), only)
        except ModuleNotFoundError as missing:
            found[name] = str(missing)
    sys.stdout.write(json.dumps({"modules": found, "entities": entities()}))


if __name__ == "__main__":
    main()
