"""Libraries that log to `mlflow` log to us, under that name: each runs as it is, and what it left in a run is read."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from runyard.client.client import MlflowClient
from runyard.client.connections import close_all
from runyard.entities import Run
from tests.ml.upstream import ROOT
from tests.servers import ServerProcess, clean_environment, start_runyard


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("server")
    server = start_runyard(f"sqlite:///{folder}/runs.db", folder)
    yield server
    close_all()
    server.stop()


def run_program(program: str, folder: Path, server: ServerProcess | None = None, **environment: str) -> str:
    """Run a program for which ``import mlflow`` is ours, as in an environment that runyard-mlflow is installed in."""
    packages = os.pathsep.join([str(ROOT / "src"), str(ROOT / "compat" / "src")])
    told = {"PYTHONPATH": packages, **environment}
    if server is not None:
        told["MLFLOW_TRACKING_URI"] = server.url
    # What the .pth file of the distribution does at the interpreter's start.
    program = f"import _runyard_mlflow\n{textwrap.dedent(program)}"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=clean_environment(told),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def runs_of(server: ServerProcess, experiment: str) -> list[Run]:
    client = MlflowClient(server.url)
    found = client.get_experiment_by_name(experiment)
    assert found is not None
    return list(client.search_runs([found.experiment_id], order_by=["attributes.start_time ASC"]))


_LIGHTNING = """
import LIBRARY as lightning, torch
from LIBRARY.loggers import MLFlowLogger
from LIBRARY.callbacks import ModelCheckpoint

class Line(MODULE):
    def __init__(self, rate=0.1):
        super().__init__()
        self.save_hyperparameters()
        self.layer = torch.nn.Linear(1, 1)
    def training_step(self, batch, index):
        loss = torch.nn.functional.mse_loss(self.layer(batch[0]), batch[1])
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), self.hparams.rate)

x = torch.linspace(0, 1, 16).reshape(-1, 1)
data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, 2 * x), batch_size=8)
logger = MLFlowLogger("EXPERIMENT", run_name="line", tags={"team": "a"}, log_model=True, SYNCHRONOUS)
trainer = TRAINER(
    max_epochs=3, logger=logger, enable_progress_bar=False, enable_model_summary=False, accelerator="cpu",
    callbacks=[ModelCheckpoint(dirpath="checkpoints", filename="last")],
)
trainer.fit(Line(), data)
"""


@pytest.mark.parametrize(
    ("library", "module", "trainer", "synchronous"),
    [
        ("lightning.pytorch", "lightning.LightningModule", "lightning.Trainer", "synchronous=False"),
        ("pytorch_lightning", "lightning.LightningModule", "lightning.Trainer", ""),
    ],
)
def test_lightnings_logger_logs_params_metrics_tags_and_checkpoints(
    library: str, module: str, trainer: str, synchronous: str, server: ServerProcess, tmp_path: Path
):
    program = _LIGHTNING
    for name, text in (
        ("LIBRARY", library),
        ("MODULE", module),
        ("TRAINER", trainer),
        ("SYNCHRONOUS", synchronous),
        ("EXPERIMENT", library),
    ):
        program = program.replace(name, text)
    run_program(program, tmp_path, server)

    [run] = runs_of(server, library)
    client = MlflowClient(server.url)
    assert (run.info.status, run.info.run_name) == ("FINISHED", "line")
    assert run.data.params == {"rate": "0.1"}
    assert run.data.tags["team"] == "a"
    # Lightning makes the run itself, with the tags of our context.
    assert run.data.tags["mlflow.source.type"] == "LOCAL"
    history = client.get_metric_history(run.info.run_id, "train_loss")
    assert [point.step for point in history] == [1, 3, 5]
    assert history[2].value < history[0].value
    assert {file.path for file in client.list_artifacts(run.info.run_id, "last")} == {
        "last/aliases.txt",
        "last/last.ckpt",
        "last/metadata.yaml",
    }


def test_the_callback_of_transformers_logs_a_trainers_arguments_and_losses(server: ServerProcess, tmp_path: Path):
    program = """
    import torch
    from transformers import Trainer, TrainingArguments
    from transformers.integrations import MLflowCallback

    class Line(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(1, 1)
        def forward(self, x, labels):
            out = self.layer(x)
            return {"loss": torch.nn.functional.mse_loss(out, labels), "logits": out}

    data = [{"x": torch.tensor([i / 8.0]), "labels": torch.tensor([i / 4.0])} for i in range(8)]
    arguments = TrainingArguments(
        "out", run_name="tiny", num_train_epochs=3, per_device_train_batch_size=4, logging_steps=2, report_to="mlflow",
        eval_strategy="epoch", use_cpu=True, disable_tqdm=True, save_strategy="steps", save_steps=6,
    )
    trainer = Trainer(Line(), arguments, train_dataset=data, eval_dataset=data)
    assert any(isinstance(each, MLflowCallback) for each in trainer.callback_handler.callbacks)
    trainer.train()
    """
    run_program(
        program,
        tmp_path,
        server,
        MLFLOW_EXPERIMENT_NAME="transformers",
        MLFLOW_TAGS='{"release": "1"}',
        HF_MLFLOW_LOG_ARTIFACTS="1",
    )

    [run] = runs_of(server, "transformers")
    assert (run.info.status, run.info.run_name, run.data.tags["release"]) == ("FINISHED", "tiny", "1")
    # All of the trainer's arguments, more than a request holds.
    assert len(run.data.params) > 100
    assert run.data.params["num_train_epochs"] == "3"
    client = MlflowClient(server.url)
    assert [point.step for point in client.get_metric_history(run.info.run_id, "loss")] == [2, 4, 6]
    assert len(client.get_metric_history(run.info.run_id, "eval_loss")) == 3
    assert run.data.metrics["epoch"] == 3.0
    [model] = client.search_logged_models([run.info.experiment_id])
    files = {file.path for file in client.list_logged_model_artifacts(model.model_id, "artifacts/checkpoint-6")}
    assert "artifacts/checkpoint-6/trainer_state.json" in files


def test_optunas_callback_logs_a_run_for_each_trial(server: ServerProcess, tmp_path: Path):
    program = """
    import mlflow, optuna, os
    from optuna_integration import MLflowCallback

    callback = MLflowCallback(
        tracking_uri=os.environ["MLFLOW_TRACKING_URI"], metric_name="loss", mlflow_kwargs={"nested": True},
        tag_study_user_attrs=True,
    )
    @callback.track_in_mlflow()
    def objective(trial):
        x = trial.suggest_float("x", -1, 1)
        mlflow.log_metric("twice", 2 * x)
        trial.set_user_attr("note", "n" * 6000)
        return x * x

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(study_name="parabola", sampler=optuna.samplers.RandomSampler(seed=1))
    study.set_user_attr("owner", "a")
    with mlflow.start_run(experiment_id=mlflow.set_experiment("parabola").experiment_id, run_name="study"):
        study.optimize(objective, n_trials=3, callbacks=[callback])
    """
    run_program(program, tmp_path, server)

    runs = runs_of(server, "parabola")
    [parent] = [run for run in runs if run.info.run_name == "study"]
    trials = [run for run in runs if run is not parent]
    assert {run.info.run_name for run in trials} == {"0", "1", "2"}
    for run in trials:
        assert run.info.status == "FINISHED"
        assert run.data.metrics["loss"] == pytest.approx(float(run.data.params["x"]) ** 2)
        assert run.data.metrics["twice"] == pytest.approx(2 * float(run.data.params["x"]))
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert (run.data.tags["owner"], run.data.tags["direction"]) == ("a", "MINIMIZE")
        assert len(run.data.tags["note"]) == 6000


def test_accelerates_tracker_logs_what_the_program_gives_it(server: ServerProcess, tmp_path: Path):
    program = """
    from accelerate import Accelerator
    from accelerate.utils import ProjectConfiguration

    accelerator = Accelerator(log_with="mlflow", cpu=True, project_config=ProjectConfiguration(".", logging_dir="."))
    accelerator.init_trackers(
        "accelerated", config={"rate": 0.1, "long": "l" * 7000, "layers": 3}, init_kwargs={"mlflow": {"run_name": "a"}}
    )
    for step in range(3):
        accelerator.log({"loss": 1 / (step + 1), "text": "is left out"}, step=step)
    open("notes.txt", "w").write("hello")
    accelerator.get_tracker("mlflow").log_artifact("notes.txt")
    accelerator.end_training()
    """
    run_program(program, tmp_path, server)

    [run] = runs_of(server, "accelerated")
    assert (run.info.status, run.info.run_name) == ("FINISHED", "a")
    assert run.data.params == {"rate": "0.1", "layers": "3"}
    client = MlflowClient(server.url)
    assert [point.step for point in client.get_metric_history(run.info.run_id, "loss")] == [0, 1, 2]
    assert [file.path for file in client.list_artifacts(run.info.run_id)] == ["notes.txt"]


_KEDRO_PROJECT = {
    "pyproject.toml": """
        [tool.kedro]
        package_name = "shop"
        project_name = "shop"
        kedro_init_version = "KEDRO"
        """,
    "conf/base/parameters.yml": "rate: 0.5\nmodel:\n  depth: 3\n",
    "conf/base/mlflow.yml": """
        server:
          mlflow_tracking_uri: URI
          request_header_provider:
            type: shop.headers.Team
        tracking:
          experiment:
            name: kedro
          params:
            dict_params:
              flatten: true
        """,
    "conf/base/catalog.yml": """
        loss:
          type: kedro_mlflow.io.metrics.MlflowMetricHistoryDataset
          key: loss
        accuracy:
          type: kedro_mlflow.io.metrics.MlflowMetricDataset
          key: accuracy
        report:
          type: kedro_mlflow.io.artifacts.MlflowArtifactDataset
          dataset:
            type: kedro_datasets.json.JSONDataset
            filepath: report.json
        """,
    "conf/local/credentials.yml": "",
    "src/shop/__init__.py": "",
    "src/shop/settings.py": "",
    "src/shop/headers.py": """
        from mlflow.tracking.request_header.abstract_request_header_provider import RequestHeaderProvider

        class Team(RequestHeaderProvider):
            def in_context(self):
                return True
            def request_headers(self):
                with open("asked.txt", "a") as file:
                    file.write("asked ")
                return {"X-Team": "shop"}
        """,
    "src/shop/pipeline_registry.py": """
        from kedro.pipeline import Pipeline, node

        def train(rate, depth):
            return [0.9, 0.5, 0.2], rate + 0.25, {"depth": depth}

        def register_pipelines():
            outputs = ["loss", "accuracy", "report"]
            return {"__default__": Pipeline([node(train, ["params:rate", "params:model"], outputs)])}
        """,
}


def test_the_plugin_of_kedro_logs_a_pipelines_run(server: ServerProcess, tmp_path: Path):
    import kedro

    for name, text in _KEDRO_PROJECT.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        text = textwrap.dedent(text).lstrip().replace("URI", server.url).replace("KEDRO", kedro.__version__)
        file.write_text(text)
    program = """
    from pathlib import Path
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project

    bootstrap_project(Path.cwd())
    with KedroSession.create(project_path=Path.cwd()) as session:
        session.run()
    """
    run_program(program, tmp_path, KEDRO_DISABLE_TELEMETRY="1", DO_NOT_TRACK="1")

    [run] = runs_of(server, "kedro")
    assert run.info.status == "FINISHED"
    assert run.data.params == {"rate": "0.5", "model.depth": "3"}
    client = MlflowClient(server.url)
    assert [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, "loss")] == [
        (0, 0.9),
        (1, 0.5),
        (2, 0.2),
    ]
    assert run.data.metrics["accuracy"] == 0.75
    assert run.data.tags["kedro_command"] == "kedro run --pipeline=__default__"
    assert [file.path for file in client.list_artifacts(run.info.run_id)] == ["report.json"]
    assert len((tmp_path / "asked.txt").read_text().split()) > 5


def test_kerass_callback_logs_each_epoch(server: ServerProcess, tmp_path: Path):
    program = """
    import keras, mlflow, numpy as np

    mlflow.set_experiment("keras")
    x = np.linspace(0, 1, 32).reshape(-1, 1)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with mlflow.start_run():
        model.fit(
            x, 2 * x, epochs=3, verbose=0, validation_data=(x, 2 * x), callbacks=[mlflow.keras.MlflowCallback()]
        )
    with mlflow.start_run():
        callback = mlflow.keras.MLflowCallback(log_every_epoch=False, log_every_n_steps=2)
        model.fit(x, 2 * x, batch_size=8, epochs=2, verbose=0, callbacks=[callback])
    """
    run_program(program, tmp_path, server, KERAS_BACKEND="torch")

    by_epoch, by_batch = runs_of(server, "keras")
    client = MlflowClient(server.url)
    assert [point.step for point in client.get_metric_history(by_epoch.info.run_id, "loss")] == [0, 1, 2]
    assert {"loss", "val_loss", "validation_loss"} == by_epoch.data.metrics.keys()
    assert by_epoch.data.params["optimizer_name"].lower() == "sgd"
    assert [file.path for file in client.list_artifacts(by_epoch.info.run_id)] == ["model_summary.txt"]
    assert [point.step for point in client.get_metric_history(by_batch.info.run_id, "loss")] == [2, 4, 6, 8]


# Where the libraries that log to us do so, in their packages.
INTEGRATIONS = {
    "accelerate": ("tracking.py", "utils/imports.py"),
    "kedro_mlflow": ("",),
    "lightning": ("pytorch/loggers/mlflow.py",),
    "optuna_integration": ("mlflow/mlflow.py",),
    "pyspark": ("pandas/mlflow.py",),
    "pytorch_lightning": ("loggers/mlflow.py",),
    "spacy_loggers": ("mlflow.py",),
    "transformers": ("integrations/integration_utils.py",),
}
# Asked for by hasattr() first: the place of before MLflow 1.1.
_OLD = {"tracking.context.resolve_tags"}


def names_used(source: str) -> set[str]:
    """Return every name of `mlflow` that a source imports or looks up, with its dots: ``tracking.MlflowClient``."""
    tree = ast.parse(source)
    modules = {"mlflow": "", "self._ml_flow": "", "self._mlflow": ""}
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "mlflow":
                    found.add(alias.name.removeprefix("mlflow").lstrip("."))
                    if alias.asname:
                        modules[alias.asname] = alias.name.removeprefix("mlflow").lstrip(".")
        elif isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] == "mlflow":
            below = (node.module or "").removeprefix("mlflow").lstrip(".")
            found |= {f"{below}.{alias.name}".lstrip(".") for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            text = ast.unparse(node)
            for spelled, module in modules.items():
                if text.startswith(f"{spelled}.") and text.removeprefix(f"{spelled}.").replace(".", "").isidentifier():
                    found.add(f"{module}.{text.removeprefix(f'{spelled}.')}".lstrip("."))
    return found - {""} - _OLD


def sources_of(library: str) -> Iterator[str]:
    spec = importlib.util.find_spec(library)
    assert spec is not None, f"{library} is missing: see requirements/ml.in"
    assert spec.origin is not None
    for part in INTEGRATIONS[library]:
        place = Path(spec.origin).parent / part
        for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            yield file.read_text(encoding="utf-8")


@pytest.mark.parametrize("library", INTEGRATIONS)
def test_every_name_that_a_library_uses_is_there(library: str, tmp_path: Path):
    used = sorted(set().union(*map(names_used, sources_of(library))))
    program = f"""
    import importlib, json
    missing = []
    for name in {used!r}:
        import mlflow
        value, path = mlflow, "mlflow"
        for part in name.split("."):
            path += "." + part
            try:
                value = getattr(value, part)
            except AttributeError:
                try:
                    value = importlib.import_module(path)
                except ImportError:
                    missing.append(name)
                    break
    print(json.dumps(missing))
    """
    missing = json.loads(run_program(program, tmp_path).splitlines()[-1])
    assert missing == [], missing
    assert used or library == "accelerate"


# Not installed here: what its users report it to ask for, and libraries of its kind.
ELSEWHERE = [
    "utils.mlflow_tags.MLFLOW_RUN_NAME",
    "utils.mlflow_tags.MLFLOW_PARENT_RUN_ID",
    "utils.validation.MAX_PARAMS_TAGS_PER_BATCH",
    "entities.ViewType",
    "entities.RunStatus",
    "exceptions.MlflowException",
    "tracking.fluent._active_run_stack",
    "tracking.context.registry.resolve_tags",
    "environment_variables.MLFLOW_TRACKING_URI",
]


def test_what_other_libraries_ask_for_is_there_after_import_mlflow_alone(tmp_path: Path):
    program = f"""
    import mlflow, operator
    for name in {ELSEWHERE!r}:
        operator.attrgetter(name)(mlflow)
    assert len(mlflow.tracking.fluent._active_run_stack) == 0
    with mlflow.start_run() as run:
        assert mlflow.tracking.fluent._active_run_stack[-1] is mlflow.active_run()
        assert mlflow.tracking.fluent._active_run_stack.get() == [run]
    """
    run_program(program, tmp_path)
