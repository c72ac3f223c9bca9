"""The calls on the active run, without a server: on a database in a folder."""

from __future__ import annotations

import io
import json
import math
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

import runyard as mlflow
from runyard import exceptions
from runyard.client import context, metrics_monitor
from runyard.entities import Metric, RunStatus
from runyard.errors import InvalidParameter
from runyard.exceptions import ErrorCode, MlflowException, RestException, RunyardException
from tests.ports import free_port

ROOT = Path(__file__).parent.parent.parent


def test_a_runs_values_come_back_as_they_were_logged(place: Path) -> None:
    experiment = mlflow.set_experiment("first")
    with mlflow.start_run(run_name="named", tags={"a": 1}, description="what it is") as run:
        assert mlflow.log_param("rate", 0.1) == 0.1
        mlflow.log_params({"layers": [64, 32], "text": "ñ"})
        mlflow.log_metric("loss", 0.5, step=1)
        mlflow.log_metrics({"loss": math.nan, "other": math.inf}, step=2)
        mlflow.set_tags({"b": True})
    read = mlflow.get_run(run.info.run_id)
    assert (read.info.status, read.info.run_name, read.info.experiment_id) == (
        "FINISHED",
        "named",
        experiment.experiment_id,
    )
    assert read.data.params == {"rate": "0.1", "layers": "[64, 32]", "text": "ñ"}
    assert math.isnan(read.data.metrics["loss"])
    assert read.data.metrics["other"] == math.inf
    assert read.data.tags["a"] == "1"
    assert read.data.tags["b"] == "True"
    assert read.data.tags[context.NOTE] == "what it is"
    history = mlflow.MlflowClient().get_metric_history(run.info.run_id, "loss")
    assert [(point.step, math.isnan(point.value)) for point in history] == [(1, False), (2, True)]


def test_a_folder_as_tracking_uri_holds_the_database_and_the_artifacts(place: Path) -> None:
    with mlflow.start_run() as run:
        mlflow.log_text("hello", "notes/a.txt")
    assert (place / "runs" / "mlflow.db").is_file()
    assert [path.read_text() for path in (place / "runs" / "artifacts").rglob("a.txt")] == ["hello"]
    assert mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/notes/a.txt") == "hello"
    mlflow.set_tracking_uri((place / "runs").as_uri())
    assert mlflow.get_run(run.info.run_id).info.run_id == run.info.run_id


def test_a_folder_of_runs_as_files_is_refused_and_says_what_to_do(place: Path) -> None:
    (place / "old" / "0").mkdir(parents=True)
    (place / "old" / "0" / "meta.yaml").write_text("name: Default")
    mlflow.set_tracking_uri(place / "old")
    with pytest.raises(RunyardException, match="migrate-filestore"):
        mlflow.search_experiments()


def test_without_a_tracking_uri_runs_are_in_a_file_of_the_working_directory(place: Path) -> None:
    mlflow.set_tracking_uri("")
    assert not mlflow.is_tracking_uri_set()
    assert mlflow.get_tracking_uri() == mlflow.get_registry_uri() == f"sqlite:///{place / 'mlflow.db'}"


def test_runs_that_older_versions_left_in_the_working_directory_are_not_passed_over(place: Path) -> None:
    mlflow.set_tracking_uri("")
    (place / "mlruns" / "0").mkdir(parents=True)
    (place / "mlruns" / "0" / "meta.yaml").write_text("name: Default")
    assert mlflow.get_tracking_uri() == str(place / "mlruns")
    with pytest.raises(RunyardException, match="migrate-filestore"):
        mlflow.search_experiments()
    (place / "mlflow.db").touch()
    assert mlflow.get_tracking_uri() == f"sqlite:///{place / 'mlflow.db'}"


def test_an_error_in_the_block_ends_the_run_as_failed(place: Path) -> None:
    with pytest.raises(ZeroDivisionError), mlflow.start_run() as run:
        raise ZeroDivisionError
    assert mlflow.get_run(run.info.run_id).info.status == "FAILED"


def test_nested_runs_name_their_parent_and_a_second_run_is_refused(place: Path) -> None:
    with mlflow.start_run() as parent:
        with pytest.raises(RunyardException, match="already active"):
            mlflow.start_run()
        with mlflow.start_run(nested=True) as child:
            mlflow.log_metric("inner", 1)
        mlflow.log_metric("outer", 1)
    found = mlflow.get_parent_run(child.info.run_id)
    assert found is not None
    assert found.info.run_id == parent.info.run_id
    assert found.data.metrics == {"outer": 1.0}
    last = mlflow.last_active_run()
    assert last is not None
    assert last.info.run_id == parent.info.run_id


def test_each_thread_has_its_own_active_run(place: Path) -> None:
    ids: list[str] = []

    def train() -> None:
        assert mlflow.active_run() is None
        with mlflow.start_run() as run:
            mlflow.log_param("by", "thread")
            ids.append(run.info.run_id)

    with mlflow.start_run() as run:
        thread = threading.Thread(target=train)
        thread.start()
        thread.join()
        active = mlflow.active_run()
        assert active is not None
        assert active.info.run_id == run.info.run_id != ids[0]
    assert mlflow.get_run(run.info.run_id).data.params == {}


def test_a_run_is_gone_on_with_by_its_id(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with mlflow.start_run() as run:
        pass
    monkeypatch.setenv("MLFLOW_RUN_ID", run.info.run_id)
    with mlflow.start_run() as again:
        assert again.info.run_id == run.info.run_id
        assert mlflow.get_run(run.info.run_id).info.status == "RUNNING"
    # Once told, the next is a run of its own.
    with mlflow.start_run() as other:
        assert other.info.run_id != run.info.run_id
    mlflow.delete_run(run.info.run_id)
    with pytest.raises(MlflowException, match="deleted"):
        mlflow.start_run(run_id=run.info.run_id)


def test_what_a_server_refuses_is_both_kinds_of_error(place: Path) -> None:
    with pytest.raises(MlflowException, match="0" * 32) as caught:
        mlflow.get_run("0" * 32)
    assert isinstance(caught.value, RestException)
    assert caught.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    assert caught.value.get_http_status_code() == 404
    assert json.loads(caught.value.serialize_as_json())["error_code"] == "RESOURCE_DOES_NOT_EXIST"


def test_an_error_of_ones_own_has_the_code_that_it_was_given() -> None:
    assert MlflowException("a").error_code == "INTERNAL_ERROR"
    named = MlflowException("a", error_code="NOT_FOUND")
    assert (named.error_code, named.get_http_status_code()) == ("NOT_FOUND", 404)
    assert MlflowException("a", error_code=1000).get_http_status_code() == 400
    told = RestException({"error_code": "NOT_FOUND", "message": "hm"})
    assert (str(told), told.get_http_status_code()) == ("NOT_FOUND: hm", 404)


def test_a_value_that_is_no_number_is_refused_by_name(place: Path) -> None:
    with mlflow.start_run(), pytest.raises(MlflowException, match="'loss'"):
        mlflow.log_metric("loss", "low")  # type: ignore[arg-type]


def test_searches_follow_pages_and_stop_where_they_are_told(place: Path) -> None:
    for index in range(5):
        with mlflow.start_run():
            mlflow.log_metric("index", index)
    client = mlflow.MlflowClient()
    page = client.search_runs(["0"], max_results=2, order_by=["metrics.index ASC"])
    assert [run.data.metrics["index"] for run in page] == [0, 1]
    following = client.search_runs(["0"], max_results=2, order_by=["metrics.index ASC"], page_token=page.token)
    assert [run.data.metrics["index"] for run in following] == [2, 3]
    assert len(mlflow.search_runs(output_format="list", max_results=3)) == 3
    assert len(mlflow.search_runs(output_format="list", filter_string="metrics.index > 2")) == 2


def test_a_large_batch_is_sent_in_as_many_requests_as_it_takes(place: Path) -> None:
    client = mlflow.MlflowClient()
    run_id = client.create_run("0").info.run_id
    client.log_batch(
        run_id,
        metrics=[Metric("loss", step, 1, step) for step in range(2500)],
        params=[mlflow.entities.Param(f"p{index}", "ü" * 5000) for index in range(250)],
    )
    assert len(client.get_metric_history(run_id, "loss")) == 2500
    assert len(client.get_run(run_id).data.params) == 250


def test_what_is_logged_in_the_background_arrives_in_order_before_the_run_ends(place: Path) -> None:
    with mlflow.start_run() as run:
        for step in range(3000):
            assert mlflow.log_metric("loss", step, step=step, synchronous=False) is not None
        for value in range(50):
            mlflow.set_tag("last", value, synchronous=False)
    read = mlflow.get_run(run.info.run_id)
    assert (read.data.metrics["loss"], read.data.tags["last"]) == (2999.0, "49")
    assert len(mlflow.MlflowClient().get_metric_history(run.info.run_id, "loss")) == 3000


def test_one_bad_value_in_the_background_is_told_and_spoils_no_other(place: Path) -> None:
    client = mlflow.MlflowClient()
    run_id = client.create_run("0").info.run_id
    operations = [client.log_metric(run_id, key, 1, synchronous=False) for key in ("good", "bad//key", "better")]
    assert all(operations)
    with pytest.raises(MlflowException, match="bad//key"):
        operations[1].wait()  # type: ignore[union-attr]
    operations[2].wait()  # type: ignore[union-attr]
    assert set(client.get_run(run_id).data.metrics) == {"good", "better"}


def test_the_environment_has_everything_logged_in_the_background(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ENABLE_ASYNC_LOGGING", "true")
    with mlflow.start_run() as run:
        assert mlflow.log_metric("loss", 1) is not None
        assert mlflow.log_metric("loss", 2, step=1, synchronous=True) is None
    assert mlflow.get_run(run.info.run_id).data.metrics == {"loss": 2.0}


def test_a_program_that_ends_without_a_word_loses_nothing_and_ends_its_run(place: Path) -> None:
    program = """
import runyard as mlflow
mlflow.start_run()
for step in range(2000):
    mlflow.log_metric("loss", step, step=step, synchronous=False)
print(mlflow.active_run().info.run_id)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=place, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    run_id = done.stdout.strip()
    read = mlflow.get_run(run_id)
    assert read.info.status == RunStatus.to_string(RunStatus.FINISHED)
    assert len(mlflow.MlflowClient().get_metric_history(run_id, "loss")) == 2000


def test_artifacts_of_every_shape_come_back(place: Path) -> None:
    folder = place / "given"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "b.txt").write_text("b")
    with mlflow.start_run() as run:
        mlflow.log_dict({"a": [1, None]}, "c/config.json")
        mlflow.log_stream(io.BytesIO(b"bytes"), "stream.bin")
        mlflow.log_artifact(str(folder / "sub" / "b.txt"), "one")
        mlflow.log_artifact(str(folder))
        mlflow.log_artifacts(str(folder), "tree")
        with pytest.raises(MlflowException, match="artifact_file"):
            mlflow.log_text("out", "../out.txt")
    run_id = run.info.run_id
    assert mlflow.artifacts.load_dict(f"runs:/{run_id}/c/config.json") == {"a": [1, None]}
    down = Path(mlflow.artifacts.download_artifacts(run_id=run_id, dst_path=str(place / "down")))
    found = sorted(path.relative_to(down).as_posix() for path in down.rglob("*") if path.is_file())
    assert found == ["c/config.json", "given/sub/b.txt", "one/b.txt", "stream.bin", "tree/sub/b.txt"]
    files = mlflow.MlflowClient().list_artifacts(run_id, "one")
    assert [dict(file) for file in files] == [{"file_size": 1, "is_dir": False, "path": "one/b.txt"}]


def test_a_run_in_a_repository_names_commit_branch_and_origin_without_a_password(place: Path) -> None:
    def git(*words: str) -> str:
        names = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "init.defaultBranch=trunk")
        return subprocess.run(["git", *names, *words], cwd=place, check=True, capture_output=True, text=True).stdout

    git("init")
    git("remote", "add", "origin", "https://ann:secret@git.example.com/a.git")
    git("commit", "--allow-empty", "-m", "first")
    (place / "train.py").write_text(
        "import runyard as mlflow\nwith mlflow.start_run() as run:\n    print(run.info.run_id)"
    )
    run = [sys.executable, str(place / "train.py")]
    done = subprocess.run(run, cwd=place, capture_output=True, text=True, timeout=60, check=True)
    tags = mlflow.get_run(done.stdout.strip()).data.tags
    assert tags[context.GIT_COMMIT] == git("rev-parse", "HEAD").strip()
    assert tags[context.GIT_BRANCH] == "trunk"
    assert tags[context.GIT_REPOSITORY] == "https://git.example.com/a.git"
    assert tags[context.SOURCE_NAME].endswith("train.py")
    assert tags[context.SOURCE_TYPE] == "LOCAL"


def test_system_metrics_without_psutil_are_refused_before_a_run_is_made(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psutil", None)
    with pytest.raises(RunyardException, match="pip install psutil"):
        mlflow.start_run(log_system_metrics=True)
    assert mlflow.search_runs(output_format="list") == []


class Gpus:
    """One GPU, as nvidia-ml-py tells of it, that says nothing of the limit of its power."""

    class NVMLError(Exception):
        pass

    def nvmlInit(self) -> None:  # noqa: N802 - the library's name, as those below
        pass

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return 1

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        return index

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(used=2_000_000, total=8_000_000)

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(gpu=50)

    def nvmlDeviceGetPowerUsage(self, handle: int) -> int:  # noqa: N802
        return 30_000

    def nvmlDeviceGetEnforcedPowerLimit(self, handle: int) -> int:  # noqa: N802
        raise self.NVMLError("Not Supported")


def test_a_gpu_that_does_not_tell_all_is_measured_in_what_it_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", Gpus())
    [measure] = metrics_monitor._gpus()
    assert measure() == {
        "memory_usage_megabytes": 2.0,
        "memory_usage_percentage": 25.0,
        "utilization_percentage": 50.0,
        "power_usage_watts": 30.0,
    }


def test_every_public_name_is_offered_and_none_twice() -> None:
    from runyard.client import fluent

    assert set(fluent.__all__) <= set(dir(mlflow))
    for name in dir(mlflow):
        if name in mlflow._NAMES and name != "Image":
            assert getattr(mlflow, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        mlflow.no_such_name  # noqa: B018 - asking is what is tested


def test_the_manuals_example_runs(place: Path) -> None:
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    program = page.split("```python\n", 1)[1].split("```", 1)[0]
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stderr, done.stdout) == ("", "forest {'accuracy': 0.92}\n")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only where processes fork")
def test_a_forked_process_has_connections_of_its_own(place: Path) -> None:
    program = """
import os
import runyard as mlflow
with mlflow.start_run() as run:
    mlflow.log_metric("parent", 1, synchronous=False)
    pid = os.fork()
    if pid == 0:
        mlflow.log_metric("child", 2, synchronous=False)
        mlflow.flush_async_logging()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
print(sorted(mlflow.get_run(run.info.run_id).data.metrics))
"""
    command = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stderr, done.stdout) == ("", "['child', 'parent']\n")


def test_what_an_outage_outlasts_is_told_and_the_queue_goes_on(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    client = mlflow.MlflowClient(f"http://127.0.0.1:{free_port()}")
    for _ in range(2):
        operation = client.log_metric("0" * 32, "loss", 1, synchronous=False)
        assert operation is not None
        with pytest.raises(MlflowException, match="there is no server"):
            operation.wait()
    mlflow.flush_async_logging()


def test_a_model_version_is_made_of_what_a_run_logged(place: Path) -> None:
    with mlflow.start_run() as run:
        mlflow.log_text("weights", "model/weights.txt")
    version = mlflow.register_model(f"runs:/{run.info.run_id}/model", "iris", tags={"a": "b"})
    assert (version.name, version.version, version.run_id, version.tags) == ("iris", "1", run.info.run_id, {"a": "b"})
    client = mlflow.MlflowClient()
    client.set_registered_model_alias("iris", "champion", version.version)
    assert mlflow.artifacts.load_text("models:/iris@champion/weights.txt") == "weights"
    copy = client.copy_model_version("models:/iris@champion", "other")
    assert (copy.name, copy.version, copy.source) == ("other", "1", "models:/iris/1")
    assert [model.name for model in mlflow.search_registered_models()] == ["iris", "other"]
    with pytest.raises(MlflowException, match="nothing"):
        mlflow.register_model(f"runs:/{run.info.run_id}/nothing", "iris")


def test_an_error_is_told_by_its_codes_number_and_name(place: Path) -> None:
    with pytest.raises(MlflowException) as caught:
        mlflow.get_run("0" * 32)
    assert caught.value.error_code == ErrorCode.Name(exceptions.RESOURCE_DOES_NOT_EXIST)
    made = MlflowException("gone", exceptions.RESOURCE_DOES_NOT_EXIST, sqlstate="02000", run_id="r")
    assert (made.error_code, made.get_http_status_code()) == ("RESOURCE_DOES_NOT_EXIST", 404)
    assert json.loads(made.serialize_as_json()) == {
        "error_code": "RESOURCE_DOES_NOT_EXIST",
        "message": "gone",
        "sqlstate": "02000",
        "run_id": "r",
    }
    wrong = MlflowException.invalid_parameter_value("no", field="name")
    assert (wrong.error_code, wrong.json_kwargs) == ("INVALID_PARAMETER_VALUE", {"field": "name"})
    assert exceptions.get_error_code(404) == exceptions.ENDPOINT_NOT_FOUND == ErrorCode.Value("ENDPOINT_NOT_FOUND")
    with pytest.raises(ValueError, match="no error code 7777"):
        ErrorCode.Name(7777)


def test_checkpoints_become_logged_models_once(place: Path) -> None:
    folder = place / "checkpoints"
    (folder / "epoch-1").mkdir(parents=True)
    (folder / "epoch-2").write_text("weights")
    (folder / "no.name").touch()
    with pytest.raises(InvalidParameter, match="source_run_id"):
        mlflow.import_checkpoints(str(folder))
    with pytest.raises(InvalidParameter, match="checkpoint_path"):
        mlflow.import_checkpoints(str(place / "none"), "0" * 32)
    with mlflow.start_run() as run:
        first = mlflow.import_checkpoints(str(folder), model_prefix="big-")
        again = mlflow.import_checkpoints(str(folder), model_prefix="big-")
        other = mlflow.import_checkpoints(str(folder), model_prefix="big-", overwrite_checkpoints=True)
    assert [model.name for model in first] == ["big-epoch-1", "big-epoch-2"]
    assert {model.source_run_id for model in first} == {run.info.run_id}
    assert first[1].tags["original_artifact_path"] == str(folder / "epoch-2")
    assert [model.model_id for model in again] == [model.model_id for model in first]
    assert not {model.model_id for model in other} & {model.model_id for model in first}
    left = mlflow.search_logged_models(output_format="list")
    assert {model.model_id for model in left} == {model.model_id for model in other}


def test_registered_models_are_looked_up_in_the_registry_that_was_named(place: Path) -> None:
    mlflow.set_registry_uri(str(place / "registry"))
    try:
        with mlflow.start_run() as run:
            mlflow.log_text("of the model", "model/MLmodel")
        client = mlflow.MlflowClient()
        client.create_registered_model("kept apart")
        client.create_model_version("kept apart", f"{run.info.artifact_uri}/model")
        assert mlflow.artifacts.load_text("models:/kept apart/1/MLmodel") == "of the model"
        (place / "saved").mkdir()
        (place / "saved" / "MLmodel").write_text("of a logged model")
        logged = mlflow.initialize_logged_model("logged")
        client.log_model_artifacts(logged.model_id, str(place / "saved"))
        assert mlflow.register_model(logged.model_uri, "kept apart").model_id == logged.model_id
        assert mlflow.artifacts.load_text("models:/kept apart/2/MLmodel") == "of a logged model"
        assert mlflow.MlflowClient(str(place / "runs")).search_registered_models()[0].name == "kept apart"
        mlflow.set_registry_uri("")
        with pytest.raises(MlflowException, match="kept apart"):
            mlflow.artifacts.load_text("models:/kept apart/1/MLmodel")
    finally:
        mlflow.set_registry_uri("")


def test_what_python_has_an_error_for_is_that_error_too(place: Path) -> None:
    with mlflow.start_run() as run:
        with pytest.raises(TypeError, match="must be a number") as wrong:
            mlflow.log_metric("loss", [1, 2])  # type: ignore[arg-type]
        assert isinstance(wrong.value, MlflowException)
        with pytest.raises(FileNotFoundError, match="no/such/file") as missing:
            mlflow.log_artifact("no/such/file")
        assert isinstance(missing.value, MlflowException)
        with pytest.raises(ValueError, match="must end with"):
            mlflow.log_table({"a": [1]}, "table.csv")
    assert mlflow.MlflowClient().list_artifacts(run.info.run_id) == []


def test_a_folder_that_is_not_there_is_told_and_costs_nothing_else(
    place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with mlflow.start_run():
        mlflow.log_artifacts("no/such/folder")
    assert "no/such/folder" in caplog.text


def test_a_parent_that_is_named_must_be_there_and_be_the_active_run(place: Path) -> None:
    with pytest.raises(MlflowException, match="not found"):
        mlflow.start_run(parent_run_id="0" * 32)
    assert mlflow.active_run() is None
    with mlflow.start_run() as parent:
        pass
    with mlflow.start_run(parent_run_id=parent.info.run_id) as child:
        assert child.data.tags[context.PARENT_RUN_ID] == parent.info.run_id
        with pytest.raises(MlflowException, match="does not match the specified parent_run_id"):
            mlflow.start_run(nested=True, parent_run_id=parent.info.run_id)
    mlflow.delete_run(parent.info.run_id)
    with pytest.raises(MlflowException, match="deleted state"):
        mlflow.start_run(parent_run_id=parent.info.run_id)


def test_a_model_of_a_local_folder_is_copied_and_registered(place: Path) -> None:
    (place / "saved.v1").mkdir()
    (place / "saved.v1" / "MLmodel").write_text("flavors: {}")
    version = mlflow.register_model(str(place / "saved.v1"), "local")
    assert (version.version, mlflow.artifacts.load_text("models:/local/1/MLmodel")) == ("1", "flavors: {}")
    assert mlflow.get_logged_model(version.model_id or "").name == "savedv1"


def test_artifacts_are_found_by_the_names_of_older_programs(place: Path) -> None:
    from runyard.tracking import artifact_utils

    with mlflow.start_run() as run:
        mlflow.log_text("hello", "notes/a.txt")
    uri = artifact_utils.get_artifact_uri(run.info.run_id, "notes")
    assert uri == f"{run.info.artifact_uri}/notes"
    fetched = artifact_utils._download_artifact_from_uri(f"{uri}/a.txt", output_path=str(place))
    assert Path(fetched).read_text() == "hello"


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("https://ann:s3cret@runs.example.com/team", "https://***@runs.example.com/team"),
        ("https://ann:h@lf-s3cret@runs.example.com", "https://***@runs.example.com"),
        ("postgresql://ann:h/lf-s3cret@db/runs", "postgresql://***@db/runs"),
        (
            "postgresql://db/runs?user=ann&password=s3cret&sslmode=require",
            "postgresql://db/runs?user=ann&password=***&sslmode=require",
        ),
    ],
)
def test_the_doctors_report_holds_no_password(
    uri: str, shown: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mlflow.set_tracking_uri(uri)
    mlflow.doctor()
    said = capsys.readouterr().out
    assert f"Tracking URI: {shown}\n" in said
    assert "s3cret" not in said
