"""The transport with a spool: what is logged is kept on this machine first, and sent to the server in the background.

While the server answers, a run is made there at once and reads see what was written before. While it does not,
training goes on: runs get an id of this client's making, and whatever was not sent is sent when the server is back, by
this process or, after it, by `runyard sync`.
"""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import msgspec

from runyard.client import answers
from runyard.client.batches import LINGER_S, Batch, send
from runyard.client.spool import Entry, Spool
from runyard.client.transport import Transport
from runyard.errors import InvalidParameter, NotFound, PermissionDenied, RunyardError, TooManyRequests, Unavailable
from runyard.wire import experiments as experiment_requests, runs as run_requests
from runyard.wire.artifacts import FileInfo
from runyard.wire.base import Request, Response, TagInput, json_float

if TYPE_CHECKING:
    from runyard.client.artifacts import ArtifactFolder, Progress

R = TypeVar("R", bound=Response)

# Writes to runs that end the same however often they are said.
_REQUESTS: Final[dict[str, type[Request]]] = {
    "runs/update": run_requests.UpdateRun,
    "runs/log-inputs": run_requests.LogInputs,
    "runs/outputs": run_requests.LogOutputs,
}
_PAGE: Final = 2000
# How long the making of a run waits for the server's word before it goes on without.
_FIRST_ANSWER_S: Final = 15.0
_AT_EXIT_S: Final = 60.0
_PAUSES_S: Final = (0.5, 30.0)
# An experiment that is known by its name until the server is there.
_UNMADE: Final = "name:"
_PARENT: Final = "mlflow.parentRunId"
# By which a run is found again on a server that makes up ids of its own.
_KEY_TAG: Final = "mlflow.runyard.key"

_log: Final = logging.getLogger(__name__)


def drain(
    spool: Spool,
    transport: Transport,
    sent: Callable[[int], None] = lambda _: None,
    *,
    awaits_runs: bool = False,
) -> None:
    """Send what waits in a spool, in its order, each write once.

    Args:
        sent: told how many more writes the server has, or has refused.
        awaits_runs: whether a run that is not there may still come, out of the spool of another process.
    Raises:
        RunyardError: the server cannot be reached, or would not talk to us: the rest still waits.
    """
    after = 0
    while entries := spool.waiting(_PAGE, after=after):
        for group in _grouped(entries):
            _send(spool, transport, group, awaits_runs=awaits_runs)
            sent(len(group))
        after = entries[-1].seq


def _grouped(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Give what may be sent in one request together; what is said of one run stays in its order."""
    open_groups: dict[str, tuple[Batch, list[Entry]]] = {}
    for entry in entries:
        held = open_groups.get(entry.run_id)
        if entry.kind != "batch":
            if held is not None:
                yield open_groups.pop(entry.run_id)[1]
            yield [entry]
            continue
        batch = _batch_of(entry)
        if held is not None and not held[0].holds_more(batch):
            yield held[1]
            held = None
        if held is None:
            held = open_groups[entry.run_id] = (Batch(), [])
        held[0].add(batch)
        held[1].append(entry)
    for _, group in open_groups.values():
        yield group


def _send(spool: Spool, transport: Transport, group: list[Entry], *, awaits_runs: bool) -> None:
    try:
        _SENDERS.get(group[0].kind, _send_request)(spool, transport, group)
    except (Unavailable, TooManyRequests, PermissionDenied):
        # Not about these writes: they wait.
        raise
    except RunyardError as error:
        if error.status >= 500 or (awaits_runs and isinstance(error, NotFound) and _may_come(spool, group[0])):
            raise
        if len(group) == 1:
            spool.refuse(group[0], error.message)
            _log.warning("the server would not have what was logged to run %s: %s", group[0].run_id, error.message)
            return
        # A batch is logged as a whole or not at all, and one that is wrong is not to spoil the others.
        for each in group:
            _send(spool, transport, [each], awaits_runs=awaits_runs)
    else:
        spool.remove(group)


def _may_come(spool: Spool, entry: Entry) -> bool:
    """Return whether the run of an entry is made by another process, if it is."""
    return entry.kind != "create" and spool.run(entry.run_id) is None and not spool.makes(entry.run_id)


def _send_batch(spool: Spool, transport: Transport, group: list[Entry]) -> None:
    together = Batch()
    for entry in group:
        together.add(_batch_of(entry))
    send(transport, _server_id(spool, group[0].run_id), together)


def _send_request(spool: Spool, transport: Transport, group: list[Entry]) -> None:
    [entry] = group
    request = msgspec.json.decode(entry.body, type=_REQUESTS[entry.kind])
    named = msgspec.structs.replace(request, run_id=_server_id(spool, entry.run_id))
    transport.request("POST", entry.kind, named, _Anything, is_idempotent=True)


def _send_file(spool: Spool, transport: Transport, group: list[Entry]) -> None:
    [entry] = group
    copy, path = spool.file_of(entry)
    if not copy.exists():
        # Sent already, by a process that ended before it could say so.
        return
    real_folder(spool, transport, entry.run_id).upload(copy, path.decode(), lambda _: None)


def _send_creation(spool: Spool, transport: Transport, group: list[Entry]) -> None:
    [entry] = group
    request = msgspec.json.decode(entry.body, type=run_requests.CreateRun)
    tags = [
        TagInput(tag.key, _server_id(spool, tag.value or "")) if tag.key == _PARENT else tag
        for tag in request.tags or ()
    ]
    experiment_id = _made_experiment(transport, request.experiment_id)
    request = msgspec.structs.replace(request, experiment_id=experiment_id, tags=tags or None)
    made = _made_before(transport, request) if entry.is_tried else None
    if made is None:
        spool.mark_tried(entry)
        made = transport.request("POST", "runs/create", request, answers.RunAnswer, is_idempotent=False).run
    info = made["info"]
    spool.remember_run(entry.run_id, info["run_id"], info.get("artifact_uri", ""))


def _made_before(transport: Transport, request: run_requests.CreateRun) -> answers.Json | None:
    """Return the run that this very request made, where it did."""
    search = run_requests.SearchRuns(
        experiment_ids=[request.experiment_id],
        filter=f"tags.`{_KEY_TAG}` = '{request.run_id}'",
        run_view_type="ALL",
        max_results=1,
    )
    found = transport.request("POST", "runs/search", search, answers.RunsAnswer, is_idempotent=True).runs
    return found[0] if found else None


def _made_experiment(transport: Transport, experiment_id: str) -> str:
    if not experiment_id.startswith(_UNMADE):
        return experiment_id
    name = experiment_id.removeprefix(_UNMADE)
    by_name = experiment_requests.GetExperimentByName(experiment_name=name)
    try:
        answer = transport.request("GET", "experiments/get-by-name", by_name, answers.ExperimentAnswer)
    except NotFound:
        request = experiment_requests.CreateExperiment(name=name)
        created = experiment_requests.CreateExperimentResponse
        return transport.request("POST", "experiments/create", request, created).experiment_id
    return str(answer.experiment["experiment_id"])


def real_folder(spool: Spool, transport: Transport, run_id: str) -> ArtifactFolder:
    """Return where the server keeps a run's artifacts."""
    from runyard.client.artifacts import open_folder

    known = spool.run(run_id)
    if known is None:
        answer = transport.request("GET", "runs/get", run_requests.GetRun(run_id=run_id), answers.RunAnswer)
        known = run_id, answer.run["info"].get("artifact_uri", "")
        spool.remember_run(run_id, *known)
    return open_folder(transport, known[1])


def _server_id(spool: Spool, run_id: str) -> str:
    known = spool.run(run_id)
    return run_id if known is None else known[0]


def _batch_of(entry: Entry) -> Batch:
    # NaN and the infinities are texts on the way.
    logged = msgspec.json.decode(entry.body, type=run_requests.LogBatch, strict=False)
    for point in logged.metrics or ():
        point.value = cast("float", json_float(point.value))
    return Batch(logged.metrics or [], logged.params or [], logged.tags or [], len(entry.body))


class _Anything(Response):
    """An answer that nobody reads."""


_SENDERS: Final = {"create": _send_creation, "batch": _send_batch, "file": _send_file}


class SpooledTransport(Transport):
    """A server behind a spool. What is logged to runs never waits for it; everything else asks it as ever."""

    def __init__(self, server: Transport, quick: Transport, folder: Path) -> None:
        """Make a spool in ``folder``.

        Args:
            server: for what is read, with its retries.
            quick: the same server without retries: here a failure is no hurry.
        """
        self.uri = server.uri
        self._server = server
        self._quick = quick
        self._spool = Spool.create(folder, server.uri)
        self._changed = threading.Condition()
        self._is_idle = True
        self._is_away = False
        self._is_hurried = False
        self._is_closing = False
        self._told: str | None = None
        self._thread = threading.Thread(target=self._send_all, name="runyard-spool", daemon=True)
        self._thread.start()

    def request(
        self, method: str, path: str, request: Request, response_type: type[R], *, is_idempotent: bool | None = None
    ) -> R:
        answer: dict[str, Any]
        if path == "runs/create":
            answer = {"run": self._create(cast("run_requests.CreateRun", request))}
        elif path in _LOGGED or path in _REQUESTS:
            about = cast("run_requests.RunRequest", request)
            run_id = about.run_id or about.run_uuid or ""
            if path in _LOGGED:
                self._keep(run_id, "batch", msgspec.json.encode(_LOGGED[path](request)))
            else:
                self._keep(run_id, path, msgspec.json.encode(request))
            answer = {"run_info": {"run_id": run_id}}
        elif path in _NAMED:
            return self._about_experiment(method, path, request, response_type)
        else:
            self.flush()
            named = getattr(request, "run_id", None)
            if named:
                request = msgspec.structs.replace(request, run_id=_server_id(self._spool, named))
            return self._server.request(method, path, request, response_type, is_idempotent=is_idempotent)
        return msgspec.convert(answer, response_type)

    def call(self, method: str, path: str, content: dict[str, Any] | None, response_type: type[R]) -> R:
        return self._server.call(method, path, content, response_type)

    def open_proxied(self, path: str) -> ArtifactFolder:
        return self._server.open_proxied(path)

    def folder_of(self, run_id: str) -> ArtifactFolder:
        """Return a run's artifacts; what is put there is kept in the spool first."""
        return _SpooledFolder(self, run_id)

    def real_folder(self, run_id: str) -> ArtifactFolder:
        self.flush()
        return real_folder(self._spool, self._server, run_id)

    def keep_file(self, run_id: str, source: Path, path: str) -> None:
        """Raises: InvalidParameter: there is no such file, or no room for a copy of it."""
        try:
            self._spool.add_file(run_id, source, path.encode())
        except OSError as error:
            raise InvalidParameter(
                f"{str(source)!r} cannot be copied to the spool {str(self._spool.files)!r}: {error.strerror or error}"
            ) from error
        self._wake()

    def flush(self, timeout_s: float | None = None) -> None:
        """Wait until the server has all that was written before, or is found not to answer."""
        self._send_now(timeout_s)

    def close(self) -> None:
        """Send what waits if the server answers; else leave it to `runyard sync`, and say so."""
        self.flush(_AT_EXIT_S)
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        self._thread.join(_AT_EXIT_S)
        with contextlib.suppress(RunyardError):
            drain(self._spool, self._quick, awaits_runs=True)
        waiting, refused = self._spool.count()
        if waiting or refused:
            _log.warning(
                "%d writes to %s wait in %s%s; send them with: runyard sync --spool %s",
                waiting,
                self.uri,
                self._spool.path,
                f", and {refused} that it refused" if refused else "",
                self._spool.path.parent,
            )
        self._spool.close()
        self._quick.close()
        self._server.close()

    def abandon(self) -> None:
        """Forget all in a forked process: the parent sends what is the parent's."""
        self._spool.abandon()

    def _keep(self, run_id: str, kind: str, body: bytes) -> None:
        self._spool.add(run_id, kind, body)
        self._wake()

    def _wake(self) -> None:
        with self._changed:
            if self._is_idle:
                self._is_idle = False
                self._changed.notify_all()

    def _send_now(self, timeout_s: float | None) -> None:
        with self._changed:
            self._is_hurried = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._is_idle or self._is_away, timeout_s)
            self._is_hurried = False

    def _create(self, request: run_requests.CreateRun) -> answers.Json:
        """Return the run that the server made or, where it does not answer, the run that it is going to make."""
        run_id = uuid.uuid4().hex
        tags = [*(request.tags or ()), TagInput(_KEY_TAG, run_id)]
        request = msgspec.structs.replace(request, run_id=run_id, tags=tags)
        self._keep(run_id, "create", msgspec.json.encode(request))
        self._send_now(_FIRST_ANSWER_S)
        made = self._spool.run(run_id)
        if made is not None:
            get = run_requests.GetRun(run_id=made[0])
            return self._server.request("GET", "runs/get", get, answers.RunAnswer).run
        for refused in self._spool.refused():
            if refused.run_id == run_id:
                # It is known at once, and nobody has logged to it: an error as without a spool.
                self._spool.remove([refused])
                raise RunyardError(refused.refusal or "")
        return {
            "info": {
                "run_id": run_id,
                "run_uuid": run_id,
                "run_name": request.run_name or "",
                "experiment_id": request.experiment_id,
                "user_id": request.user_id or "",
                "status": "RUNNING",
                "start_time": request.start_time,
                "artifact_uri": "",
                "lifecycle_stage": "active",
            },
            "data": {"tags": [{"key": tag.key, "value": tag.value} for tag in request.tags or ()]},
            "inputs": {},
        }

    def _about_experiment(self, method: str, path: str, request: Request, response_type: type[R]) -> R:
        """Ask about an experiment by its name; while there is no server, take it that there will be one."""
        name = _NAMED[path](request)
        if name is None:
            return self._server.request(method, path, request, response_type)
        if path == "experiments/get":
            path, request = "experiments/get-by-name", experiment_requests.GetExperimentByName(experiment_name=name)
        try:
            return self._quick.request(method, path, request, response_type)
        except Unavailable:
            experiment_id = f"{_UNMADE}{name}"
            experiment = {
                "experiment_id": experiment_id,
                "name": name,
                "artifact_location": "",
                "lifecycle_stage": "active",
            }
            return msgspec.convert({"experiment": experiment, "experiment_id": experiment_id}, response_type)

    def _send_all(self) -> None:
        pause = _PAUSES_S[0]
        while True:
            with self._changed:
                self._changed.wait_for(lambda: not self._is_idle or self._is_closing)
                if self._is_closing:
                    return
                self._changed.wait_for(lambda: self._is_hurried or self._is_closing, LINGER_S)
            try:
                drain(self._spool, self._quick, awaits_runs=True)
            except Exception as error:  # noqa: BLE001 - whatever it is, what waits is kept and tried again
                self._tell(error)
                with self._changed:
                    self._is_away = True
                    self._changed.notify_all()
                    if self._changed.wait_for(lambda: self._is_closing, pause * random.uniform(0.7, 1.0)):
                        return
                pause = min(pause * 2, _PAUSES_S[1])
                continue
            pause = _PAUSES_S[0]
            self._told = None
            with self._changed:
                self._is_away = False
                self._is_idle = not self._spool.waiting(1)
                self._changed.notify_all()

    def _tell(self, error: Exception) -> None:
        """Say once what is wrong while it is."""
        text = str(error)
        if self._told != text:
            _log.warning("what is logged waits in %s: %s", self._spool.path, text)
        self._told = text


class _SpooledFolder:
    """The artifacts of a run behind a spool."""

    def __init__(self, transport: SpooledTransport, run_id: str) -> None:
        self._transport = transport
        self._run_id = run_id

    def list(self, path: str) -> list[FileInfo]:
        return self._transport.real_folder(self._run_id).list(path)

    def upload(self, source: Path, path: str, progress: Progress) -> None:
        self._transport.keep_file(self._run_id, source, path)
        progress(source.stat().st_size)

    def download(self, path: str, target: Path, progress: Progress) -> None:
        self._transport.real_folder(self._run_id).download(path, target, progress)


def _of_metric(request: Any) -> run_requests.LogBatch:
    point = run_requests.MetricPoint(
        key=request.key,
        value=request.value,
        timestamp=request.timestamp,
        step=request.step or 0,
        model_id=request.model_id,
        dataset_name=request.dataset_name,
        dataset_digest=request.dataset_digest,
    )
    return run_requests.LogBatch(metrics=[point])


_LOGGED: Final[dict[str, Callable[[Any], run_requests.LogBatch]]] = {
    "runs/log-batch": lambda request: request,
    "runs/log-metric": _of_metric,
    "runs/log-parameter": lambda request: run_requests.LogBatch(params=[TagInput(request.key, request.value)]),
    "runs/set-tag": lambda request: run_requests.LogBatch(tags=[TagInput(request.key, request.value)]),
}
# How each names its experiment, where it does so by name.
_NAMED: Final[dict[str, Callable[[Any], str | None]]] = {
    "experiments/get-by-name": lambda request: request.experiment_name,
    "experiments/create": lambda request: None if request.artifact_location or request.tags else request.name,
    "experiments/get": lambda request: (
        request.experiment_id.removeprefix(_UNMADE) if request.experiment_id.startswith(_UNMADE) else None
    ),
}
