"""A real Prometheus server for tests: on loopback, in a folder of the test, gone when the test is."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.ports import free_port
from tests.server.http import send

TIMEOUT_S = 60


class Prometheus:
    """A Prometheus server that scrapes and evaluates every second."""

    def __init__(self, port: int) -> None:
        self._port = port

    def query(self, expression: str) -> dict[str, float]:
        """Return the values that an expression has now, by the labels that are left, as JSON."""
        return {
            json.dumps(result["metric"], sort_keys=True): float(result["value"][1])
            for result in self._ask("query", query=expression)["result"]
        }

    def format(self, expression: str) -> str:
        """Return an expression as Prometheus would write it, so that what it does not understand is an error."""
        formatted: str = self._ask("format_query", query=expression)
        return formatted

    def rules(self) -> list[dict[str, Any]]:
        return [rule for group in self._ask("rules")["groups"] for rule in group["rules"]]

    def wait_for(self, expression: str, expected: dict[str, float]) -> None:
        deadline = time.monotonic() + TIMEOUT_S
        while (found := self.query(expression)) != expected:
            assert time.monotonic() < deadline, f"{expression} is {found}, and not {expected}"
            time.sleep(0.2)

    def targets(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask("targets")["activeTargets"]
        return found

    def _ask(self, what: str, **query: str) -> Any:
        answer = send(self._port, "GET", f"/api/v1/{what}?{urlencode(query)}")
        assert answer.status == 200, (query, answer.body)
        return answer.json["data"]


@contextmanager
def scraping(jobs: Sequence[dict[str, Any]], folder: Path, *, rule_files: Sequence[Path] = ()) -> Iterator[Prometheus]:
    """Start one that scrapes every second what ``jobs`` say, which are its configuration's scrape_configs."""
    port = free_port()
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(path) for path in rule_files],
        "scrape_configs": jobs,
    }
    # JSON is YAML.
    (folder / "prometheus.yml").write_text(json.dumps(config))
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *("prometheus", f"--config.file={folder / 'prometheus.yml'}"),
                *(f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            try:
                if send(port, "GET", "/-/ready").status == 200:
                    break
            except OSError:
                pass
            assert process.poll() is None, (folder / "prometheus.log").read_text()
            assert time.monotonic() < deadline, (folder / "prometheus.log").read_text()
            time.sleep(0.1)
        yield Prometheus(port)
    finally:
        process.terminate()
        process.wait(TIMEOUT_S)
