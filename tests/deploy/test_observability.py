"""The dashboard and the rules, in the hands of a real Prometheus that scrapes a real server."""

from __future__ import annotations

import http.server
import json
import re
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.tools import render
from tests.ports import free_port
from tests.prometheus import TIMEOUT_S, Prometheus, scraping
from tests.server.http import get, make_run, post, send
from tests.servers import ServerProcess

Start = Callable[..., ServerProcess]

ROOT = Path(__file__).parent.parent.parent
DASHBOARD = ROOT / "deploy/observability/grafana/dashboards/mlflow.json"
RULES = sorted((ROOT / "deploy/observability/prometheus").glob("*.yaml"))
RULE_TESTS = sorted((Path(__file__).parent / "rules").glob("*_test.yaml"))
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"

# What kube-state-metrics and cAdvisor tell of one pod, as far as we ask; the names and labels are theirs.
KUBERNETES = """
kube_deployment_spec_replicas{deployment="mlflow"} 2
kube_deployment_status_replicas_available{deployment="mlflow"} 2
kube_horizontalpodautoscaler_spec_max_replicas{horizontalpodautoscaler="mlflow"} 10
kube_horizontalpodautoscaler_status_current_replicas{horizontalpodautoscaler="mlflow"} 2
kube_job_failed{job_name="mlflow-migrate",condition="true"} 0
kube_cronjob_status_last_successful_time{cronjob="mlflow-backup"} 1.7e9
kube_pod_container_status_restarts_total{pod="mlflow-0",container="mlflow"} 0
kube_pod_container_resource_limits{pod="mlflow-0",container="mlflow",resource="cpu",unit="core"} 2
kube_pod_container_resource_limits{pod="mlflow-0",container="mlflow",resource="memory",unit="byte"} 4294967296
container_cpu_usage_seconds_total{pod="mlflow-0",container="mlflow"} 1
container_memory_working_set_bytes{pod="mlflow-0",container="mlflow"} 1e8
container_cpu_cfs_periods_total{pod="mlflow-0",container="mlflow"} 100
container_cpu_cfs_throttled_periods_total{pod="mlflow-0",container="mlflow"} 1
"""

# Words of PromQL that stand where a metric's name could.
_WORDS = frozenset({"and", "or", "unless", "bool", "offset"})


def dashboard() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return loaded


def panels() -> list[dict[str, Any]]:
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def dashboard_expressions() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel["targets"]]


def rules(kind: str) -> list[dict[str, Any]]:
    """Return the rules that have the key ``kind``: alert or record."""
    groups = [group for path in RULES for group in yaml.safe_load(path.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"] if kind in rule]


def filled_in(expression: str, *, interval: str = "10s") -> str:
    """Return an expression as Grafana asks it, with every variable at All."""
    expression = expression.replace("$__rate_interval", interval).replace("$deployment", "mlflow")
    return re.sub(r"\$(?:job|namespace|instance|route)\b", ".*", expression)


def metric_names(formatted: str) -> set[str]:
    """Return the names of the metrics that an expression, as Prometheus formats it, asks for."""
    without = re.sub(r'"(?:[^"\\]|\\.)*"', "", formatted)
    without = re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", without)
    without = re.sub(r"\b(?:by|without|on|ignoring|group_left|group_right) ?\([^)]*\)", "", without)
    found = re.findall(r"(?<![\w.:])([a-zA-Z_:][\w:]*)(?![\w:]|\s*\()", without)
    return {name for name in found if name not in _WORDS}


def exposed_names(port: int) -> set[str]:
    text = send(port, "GET", "/metrics").body.decode()
    return {re.split(r"[{ ]", line, maxsplit=1)[0] for line in text.splitlines() if not line.startswith("#")}


@contextmanager
def kubernetes_metrics() -> Iterator[int]:
    """Serve what a cluster would tell; yield the port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(KUBERNETES.encode())

        def log_message(self, *args: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def everything_once(port: int) -> None:
    """Make requests of each kind that the dashboard knows: good, wrong, too large, not there, with artifacts."""
    run_id = make_run(port)
    body = {"run_id": run_id, "key": "m", "value": 1, "timestamp": 1, "step": 1}
    assert post(port, "runs/log-metric", body).status == 200
    assert get(port, "runs/get", run_id="0" * 32).status == 404
    assert post(port, "runs/log-batch", {"run_id": run_id, "tags": [{"key": "t", "value": "x" * 5000}]}).status == 413
    path = f"{ARTIFACTS}/0/{run_id}/artifacts/a.txt"
    assert send(port, "PUT", path, b"text").status == 200
    assert send(port, "GET", path).body == b"text"


@contextmanager
def watched(servers: list[ServerProcess], folder: Path) -> Iterator[Prometheus]:
    """A Prometheus with our rules that scrapes servers, as job mlflow in namespace ml, and what a cluster tells."""
    with kubernetes_metrics() as kubernetes_port:
        ports = {"mlflow": [server.port for server in servers], "kubernetes": [kubernetes_port]}
        jobs = [
            {
                "job_name": name,
                "static_configs": [{"targets": [f"127.0.0.1:{port}" for port in each], "labels": {"namespace": "ml"}}],
            }
            for name, each in ports.items()
        ]
        with scraping(jobs, folder, rule_files=RULES) as prometheus:
            yield prometheus


@pytest.mark.prometheus
def test_promtool_finds_the_rules_good() -> None:
    checked = subprocess.run(
        ["promtool", "check", "rules", "--lint=all", "--lint-fatal", *RULES],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert (checked.returncode, checked.stderr) == (0, ""), checked.stdout
    assert len(RULES) == 2


@pytest.mark.prometheus
@pytest.mark.parametrize("path", RULE_TESTS, ids=lambda path: path.stem)
def test_the_rules_do_as_their_unit_tests_say(path: Path) -> None:
    tested = subprocess.run(
        ["promtool", "test", "rules", path], capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_each_alert_is_tested_to_fire_and_to_be_silent() -> None:
    fires: set[str] = set()
    silent: set[str] = set()
    for path in RULE_TESTS:
        for case in yaml.safe_load(path.read_text())["tests"]:
            for tested in case.get("alert_rule_test", []):
                (fires if tested["exp_alerts"] else silent).add(tested["alertname"])
    names = {rule["alert"] for rule in rules("alert")}
    assert fires == silent == names


def test_each_recording_rule_is_tested() -> None:
    tested = [
        part["expr"]
        for path in RULE_TESTS
        for case in yaml.safe_load(path.read_text())["tests"]
        for part in case.get("promql_expr_test", [])
    ]
    exact = {name for expression in tested for name in re.findall(r"[\w]+:[\w]+:[\w]+", expression)}
    patterns = [pattern for expression in tested for pattern in re.findall(r'__name__=~"([^"]+)"', expression)]
    for rule in rules("record"):
        assert rule["record"] in exact or any(re.fullmatch(pattern, rule["record"]) for pattern in patterns), rule


def test_each_alert_says_how_bad_it_is_and_what_to_do() -> None:
    for rule in rules("alert"):
        assert rule["labels"]["severity"] in {"critical", "warning"}, rule
        assert rule["annotations"].keys() == {"summary", "description"}, rule


def test_each_alert_is_on_the_page_with_its_severity() -> None:
    page = (ROOT / "docs/monitoring.md").read_text()
    listed = set(re.findall(r"^\| `(Mlflow\w+)` \| (\w+) \|", page, re.MULTILINE))
    assert listed == {(rule["alert"], rule["labels"]["severity"]) for rule in rules("alert")}


@pytest.mark.deploy
def test_the_chart_brings_rules_and_dashboard_as_the_page_says() -> None:
    page = (ROOT / "docs/monitoring.md").read_text()
    (values,) = re.findall(r"```yaml\n(prometheusRule:.*?)```", page, re.DOTALL)
    rendered = render(yaml.safe_load(values))
    rule = rendered.get("PrometheusRule")
    assert rule["metadata"]["labels"]["release"] == "prometheus"
    assert [each["name"] for each in rule["spec"]["groups"]] == [
        group["name"] for path in reversed(RULES) for group in yaml.safe_load(path.read_text())["groups"]
    ]
    assert rendered.get("ConfigMap", "mlflow-dashboard")


def test_a_panel_is_one_of_its_number_in_its_place_and_explained() -> None:
    everything = dashboard()["panels"]
    assert [n for n, count in Counter(panel["id"] for panel in everything).items() if count > 1] == []
    titles = Counter(panel["title"] for panel in panels())
    assert [title for title, count in titles.items() if count > 1] == []
    taken: set[tuple[int, int]] = set()
    for panel in everything:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, f"{panel['title']} covers another panel"
        taken |= cells
    for panel in panels():
        assert panel["type"] in {"stat", "timeseries", "heatmap"}, panel["title"]
        assert panel["description"].endswith((".", ")")), panel["title"]
        assert panel["fieldConfig"]["defaults"].get("unit") or panel["type"] == "heatmap", panel["title"]
        letters = [target["refId"] for target in panel["targets"]]
        assert len(set(letters)) == len(letters) > 0, panel["title"]


def test_every_query_goes_to_the_data_source_that_is_chosen() -> None:
    text = DASHBOARD.read_text()
    uids = set(re.findall(r'"uid": "([^"]*)"', text))
    assert uids == {"${datasource}", "-- Grafana --", "runyard-mlflow"}
    for panel in panels():
        for asked in (panel, *panel["targets"]):
            assert asked["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, panel["title"]
    loaded = dashboard()
    assert loaded["id"] is None
    defined = {variable["name"] for variable in loaded["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z]\w*)", text))
    assert used == defined


def test_what_is_shown_covers_every_part_of_the_server() -> None:
    rows = [panel["title"] for panel in dashboard()["panels"] if panel["type"] == "row"]
    assert rows == [
        *("Overview", "Traffic", "Errors", "Latency", "Saturation", "Ingest", "Runs and experiments", "Artifacts"),
        *("Database", "Pods"),
    ]


@pytest.mark.parametrize(
    ("formatted", "names"),
    [
        ('sum by (le, route) (rate(a_bucket{route=~"b|c"}[5m])) > 2', {"a_bucket"}),
        ("(a or 0 * b:c:d) / on (job) group_left (x) (e unless f)", {"a", "b:c:d", "e", "f"}),
        ('absent(up{job="x"}) and time() - m > 36 * 3600', {"up", "m"}),
        ('topk(10, histogram_quantile(0.95, sum by (le) (h_bucket{a="}"})))', {"h_bucket"}),
    ],
)
def test_metrics_are_told_from_the_rest_of_an_expression(formatted: str, names: set[str]) -> None:
    assert metric_names(formatted) == names


@pytest.mark.slow
@pytest.mark.prometheus
def test_all_that_dashboard_and_rules_ask_for_is_there(running_server: Start, tmp_path: Path) -> None:
    server = running_server(None, "--max-body-bytes", "4096", workers=2)
    without_artifacts = running_server(None, "--no-serve-artifacts")
    with watched([server, without_artifacts], tmp_path) as prometheus:
        ours = exposed_names(server.port)
        recorded = {rule["record"] for rule in rules("record")}
        kubernetes = set(re.findall(r"^\w+", KUBERNETES, re.MULTILINE))
        expressions = [filled_in(each) for each in dashboard_expressions()]
        asked = [*expressions, *(rule["expr"] for kind in ("alert", "record") for rule in rules(kind))]
        names = {name for expression in asked for name in metric_names(prometheus.format(expression))}
        assert names - ours - recorded - kubernetes == {"up"}
        assert kubernetes - names == set(), "the cluster's metrics have one that nobody asks for"

        # Rates need a few scrapes of each kind of request.
        empty = expressions
        deadline = time.monotonic() + TIMEOUT_S
        while empty:
            everything_once(server.port)
            assert send(without_artifacts.port, "GET", f"{ARTIFACTS}/a.txt").status == 503
            assert time.monotonic() < deadline, "these panels show nothing:\n" + "\n".join(empty)
            time.sleep(1)
            empty = [expression for expression in empty if not prometheus.query(expression)]

        evaluated = prometheus.rules()
        assert len(evaluated) == len(rules("alert")) + len(rules("record"))
        assert {(rule["health"], rule.get("lastError", "")) for rule in evaluated} == {("ok", "")}
