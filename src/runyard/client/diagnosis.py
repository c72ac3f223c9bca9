"""Examining a server from outside, as a client would reach it: through names, proxies and their limits."""

from __future__ import annotations

import email.utils
import json
import statistics
import time
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

import urllib3

from runyard import __version__
from runyard.settings import ClientSettings
from runyard.wire.findings import Finding, Verdict

OK, WARNING, PROBLEM = Verdict.OK, Verdict.WARNING, Verdict.PROBLEM

TIMEOUT_S: Final = 10.0
SLOW_MS: Final = 500.0
MAX_CLOCK_DIFFERENCE_S: Final = 5.0
# As long a batch as clients send, and more than nginx lets through unless told.
BODY_BYTES: Final = 1_500_000
LONG_ADDRESS: Final = 6_000


def examine_server(url: str, settings: ClientSettings) -> Iterator[Finding]:
    """Give what is found about the server at ``url``; nothing is changed there."""

    def finding(check: str, verdict: Verdict, found: str, cure: str = "") -> Finding:
        return Finding(area="server", check=check, verdict=verdict, found=found, cure=cure)

    base = url.rstrip("/")
    pool = urllib3.PoolManager(
        timeout=TIMEOUT_S,
        retries=False,
        cert_reqs="CERT_NONE" if settings.insecure_tls else "CERT_REQUIRED",
        ca_certs=settings.server_cert_path,
        headers=_authorization(settings),
    )
    try:
        answer = pool.request("GET", f"{base}/health")
    except urllib3.exceptions.HTTPError as error:
        yield finding("reachable", PROBLEM, f"{base}: {_reason(error)}", _cure_of(error))
        return
    if answer.status != 200:
        yield finding(
            "reachable",
            PROBLEM,
            f"{base}/health answers {answer.status}: {_start(answer.data)}",
            "what answers there is not Runyard, or not under this path: compare --static-prefix and the proxy's route",
        )
        return
    yield _versions(pool, base)
    yield _latency(pool, base)
    yield _clock(answer.headers.get("date"))
    ready = pool.request("GET", f"{base}/readyz")
    yield finding(
        "ready",
        OK if ready.status == 200 else PROBLEM,
        _start(ready.data),
        "" if ready.status == 200 else "look at the part that is not ok; on the server's machine: runyard doctor",
    )
    yield from _host_and_origin(pool, base)
    yield _body_limit(pool, base)
    yield _address_limit(pool, base)


def _versions(pool: urllib3.PoolManager, base: str) -> Finding:
    protocol = _start(pool.request("GET", f"{base}/version").data)
    try:
        theirs = json.loads(pool.request("GET", f"{base}/openapi.json").data)["info"]["version"]
    except (ValueError, KeyError, TypeError):
        theirs = "unknown"
    is_same = theirs == __version__
    return Finding(
        area="server",
        check="versions",
        verdict=OK,
        found=f"runyard {theirs}, {'as here' if is_same else f'here {__version__}'}; it speaks MLflow's {protocol}",
    )


def _latency(pool: urllib3.PoolManager, base: str) -> Finding:
    times = []
    for _ in range(5):
        began = time.perf_counter()
        pool.request("GET", f"{base}/health")
        times.append((time.perf_counter() - began) * 1e3)
    latency_ms = statistics.median(times)
    return Finding(
        area="server",
        check="latency",
        verdict=WARNING if latency_ms > SLOW_MS else OK,
        found=f"{latency_ms:.1f} ms there and back",
        cure="log in batches, or with synchronous=False, so that training does not wait"
        if latency_ms > SLOW_MS
        else "",
    )


def _clock(date: str | None) -> Finding:
    moment = email.utils.parsedate_to_datetime(date) if date else None
    if moment is None:
        return Finding(area="server", check="clock", verdict=OK, found="the proxy sends no date")
    difference = abs(moment.timestamp() - time.time())
    is_far = difference > MAX_CLOCK_DIFFERENCE_S
    return Finding(
        area="server",
        check="clock",
        verdict=WARNING if is_far else OK,
        found=f"{difference:.0f} s apart from this machine's",
        cure="set both by NTP: signed addresses of artifacts and the order of runs depend on it" if is_far else "",
    )


def _host_and_origin(pool: urllib3.PoolManager, base: str) -> Iterator[Finding]:
    search = f"{base}/api/2.0/mlflow/experiments/search"
    headers = {**pool.headers, "Content-Type": "application/json"}
    body = b'{"max_results": 1}'
    parts = urlsplit(base)
    answer = pool.request("POST", search, body=body, headers=headers)
    if answer.status == 403 and b"Host header" in answer.data:
        yield Finding(
            area="server",
            check="host",
            verdict=PROBLEM,
            found=f"it does not answer to the name {parts.netloc}",
            cure=f"start it with --allowed-hosts {parts.hostname}; the proxy should hand the Host header on as it is",
        )
        return
    if answer.status != 200 or not _is_json(answer.data):
        yield Finding(
            area="server",
            check="API",
            verdict=PROBLEM,
            found=f"POST {search} answers {answer.status}: {_start(answer.data)}",
            cure=(
                "give user and password or a token: RUNYARD_TRACKING_USERNAME, RUNYARD_TRACKING_TOKEN"
                if answer.status in {401, 403}
                else "the proxy must send everything below the path on, /api as well as pages"
            ),
        )
        return
    yield Finding(area="server", check="host", verdict=OK, found=f"it answers to {parts.netloc}")
    answer = pool.request("POST", search, body=body, headers={**headers, "Origin": f"{parts.scheme}://{parts.netloc}"})
    if answer.status == 403:
        yield Finding(
            area="server",
            check="origin",
            verdict=PROBLEM,
            found="its own pages may not call it: the proxy gives it another Host than the browser named",
            cure=f"hand the Host header on (nginx: proxy_set_header Host $http_host), or start it with "
            f"--cors-allowed-origins {parts.scheme}://{parts.netloc}",
        )
    else:
        yield Finding(area="server", check="origin", verdict=OK, found="its pages may call it")


def _body_limit(pool: urllib3.PoolManager, base: str) -> Finding:
    # Too long for a batch: the server itself refuses it, in its own words.
    body = json.dumps({"run_id": "runyard-doctor", "tags": [{"key": "k", "value": "x" * BODY_BYTES}]}).encode()
    headers = {**pool.headers, "Content-Type": "application/json"}
    try:
        answer = pool.request("POST", f"{base}/api/2.0/mlflow/runs/log-batch", body=body, headers=headers)
        is_ours = _is_json(answer.data)
        found = f"{answer.status}: {_start(answer.data)}"
    except urllib3.exceptions.HTTPError as error:
        is_ours, found = False, _reason(error)
    return Finding(
        area="server",
        check="large bodies",
        verdict=OK if is_ours else PROBLEM,
        found=f"{BODY_BYTES / 1e6:.1f} MB reach the server" if is_ours else f"a proxy stops them: {found}",
        cure="" if is_ours else "raise its limit (nginx: client_max_body_size 0), or uploads of artifacts will fail",
    )


def _address_limit(pool: urllib3.PoolManager, base: str) -> Finding:
    answer = pool.request("GET", f"{base}/api/2.0/mlflow/runs/get?run_id={'x' * LONG_ADDRESS}")
    is_ours = _is_json(answer.data)
    return Finding(
        area="server",
        check="long addresses",
        verdict=OK if is_ours else WARNING,
        found="they reach the server" if is_ours else f"a proxy stops them with {answer.status}",
        cure="" if is_ours else "raise its limit (nginx: large_client_header_buffers 4 64k)",
    )


def _authorization(settings: ClientSettings) -> dict[str, str]:
    if settings.username is not None and settings.password is not None:
        return urllib3.make_headers(basic_auth=f"{settings.username}:{settings.password}")
    return {"authorization": f"Bearer {settings.token}"} if settings.token is not None else {}


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except ValueError:
        return False
    return True


def _start(content: bytes) -> str:
    return " ".join(content[:200].decode("utf-8", "replace").split())


def _reason(error: Exception) -> str:
    return str(getattr(error, "reason", None) or error).rpartition("object at 0x")[0] or str(error)


def _cure_of(error: Exception) -> str:
    if isinstance(error, urllib3.exceptions.SSLError):
        return "trust its certificate: RUNYARD_TRACKING_SERVER_CERT_PATH names a file of certificates"
    if isinstance(error, urllib3.exceptions.NameResolutionError):
        return "the name is not known here: is it right, and the network that knows it up?"
    return "is the server running, its address and port right, and no firewall between?"
