"""The dashboard and the alerts ask for metrics that there are, by the labels that they have."""

import configparser
import json
import re
import shutil
import subprocess
from itertools import chain
from pathlib import Path
from typing import get_args

import pytest

from positions.connection import ConnectionState, Reason
from streaming.web.counts import Counts as WebCounts
from streaming.web.metrics import WebMetrics
from streaming.web.server import KEEP_ALIVE_SECONDS
from streaming.worker.counts import Counts as WorkerCounts
from streaming.worker.metrics import WorkerMetrics

ROOT = Path(__file__).resolve().parents[2]
OPS = ROOT / "ops"
ALERTS = (OPS / "alerts.yml").read_text()
BOARD = json.loads((OPS / "grafana-dashboard.json").read_text())
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()

# What Prometheus adds by itself, and what prometheus-client tells of every process.
LABELS_OF_PROMETHEUS = {"job", "instance", "le"}
OTHERS = {
    "up",
    "process_resident_memory_bytes",
    "process_cpu_seconds_total",
    "process_open_fds",
    "process_max_fds",
}
METRICS = list(
    chain(WebMetrics(None, WebCounts()).collect(), WorkerMetrics([], WorkerCounts()).collect())
)
SUFFIXES = {
    "counter": ["_total"],
    "gauge": [""],
    "histogram": ["_bucket", "_sum", "_count"],
}
NAMES = {metric.name + suffix for metric in METRICS for suffix in SUFFIXES[metric.type]}
LABELS = LABELS_OF_PROMETHEUS.union(*(getattr(metric, "_labelnames", ()) for metric in METRICS))

# In the order in which they stand in an expression: what is quoted, what is in braces, who groups.
STRING = re.compile(r'"[^"]*"')
DURATION = re.compile(r"\[[^\]]*\]|\boffset \w+")
MATCHERS = re.compile(r"\{([^}]*)\}")
GROUPS = re.compile(r"\b(?:by|on|without) \(([^)]*)\)")
WORD = re.compile(r"[a-zA-Z_]\w*(?!\w*\s*\()")
OPERATORS = {"and", "or", "unless"}


def alerts() -> dict[str, str]:
    """Expressions by name. The file has them on lines of their own, so no parser is needed."""
    names = re.findall(r"^      - alert: (\w+)$", ALERTS, re.MULTILINE)
    expressions = re.findall(r"^        expr: (.+)$", ALERTS, re.MULTILINE)
    return dict(zip(names, expressions, strict=True))


def panels() -> dict[str, str]:
    return {
        f"{panel['id']}{target['refId']} {panel['title']}": target["expr"]
        for panel in BOARD["panels"]
        for target in panel.get("targets", ())
    }


def asked(expression: str) -> tuple[set[str], set[str]]:
    """The metrics and the labels that an expression names."""
    bare = DURATION.sub("", STRING.sub("", expression))
    labels = {
        name
        for matchers in MATCHERS.findall(bare)
        for name in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers)
    }
    labels |= {name.strip() for names in GROUPS.findall(bare) for name in names.split(",")}
    rest = GROUPS.sub("", MATCHERS.sub("", bare))
    return set(WORD.findall(rest)) - OPERATORS, labels


def test_expressions_are_taken_apart():
    names, labels = asked(
        'sum by (le, job) (rate(a_bucket{b=~"c|d", e!="f"}[5m])) > 0.5 or g unless h offset 5m'
    )

    assert names == {"a_bucket", "g", "h"}
    assert labels == {"le", "job", "b", "e"}


EXPRESSIONS = alerts() | panels()


@pytest.mark.parametrize("where", EXPRESSIONS)
def test_expression_asks_for_what_there_is(where):
    names, labels = asked(EXPRESSIONS[where])

    assert names
    assert names - NAMES - OTHERS == set()
    assert labels - LABELS == set()


def test_every_metric_is_on_the_dashboard():
    shown = set().union(*(asked(expression)[0] for expression in panels().values()))

    unseen = {
        metric.name
        for metric in METRICS
        if not shown & {metric.name + suffix for suffix in SUFFIXES[metric.type]}
    }
    assert unseen == set()


@pytest.mark.parametrize("alert", alerts())
def test_operations_say_what_to_do_about_each_alert(alert):
    assert f"| `{alert}` |" in OPERATIONS


@pytest.mark.parametrize("alert", alerts())
def test_each_alert_has_a_case_in_which_it_calls_and_one_in_which_it_does_not(alert):
    cases = (OPS / "alerts.test.yml").read_text()
    of_it = re.findall(rf"alertname: {alert}(?: }}|\n +(exp_alerts):)", cases)

    assert {*of_it} == {"", "exp_alerts"}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not here")
def test_alerts_say_what_they_should():
    said = subprocess.run(
        ["promtool", "test", "rules", str(OPS / "alerts.test.yml")], capture_output=True, text=True
    )

    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.parametrize("reason", get_args(Reason))
def test_nobody_is_paged_for_an_account_that_rests_on_purpose(reason):
    [spared] = re.findall(r'reason!~"([^"]*)"', alerts()["AccountsNotLive"])
    state = ConnectionState("disconnected", since=None, reason=reason)

    assert not state.holds_without_worker or reason in spared.split("|")


def test_prometheus_asks_at_the_ports_that_the_units_have():
    web, worker = re.findall(r"- targets: (\[.*\])", (OPS / "prometheus.yml").read_text())
    unit = (OPS / "systemd" / "kalshi-live-worker.service").read_text()
    started = sorted(set(re.findall(r"kalshi-live-web@(\d+)", OPERATIONS)))

    assert json.loads(web) == [f"127.0.0.1:{port}" for port in started]
    assert json.loads(worker) == [f"127.0.0.1:{re.search(r'METRICS_PORT=(.*)', unit)[1]}"]


@pytest.mark.parametrize("unit", sorted((OPS / "systemd").glob("*.service")), ids=lambda u: u.stem)
def test_unit_is_started_again_however_often_it_ends(unit):
    settings = configparser.ConfigParser(interpolation=None, strict=False)
    settings.read(unit)

    assert settings["Service"]["Restart"] == "always"
    assert settings["Unit"]["StartLimitIntervalSec"] == "0"


def test_web_server_in_a_container_has_the_port_that_is_published():
    composed = (ROOT / "docker-compose.yml").read_text()
    web, _ = composed.partition("\n  web:\n")[2].split("\n\n", 1)

    [port] = re.findall(r"--port (\S+)", web)
    assert f'ports: ["127.0.0.1:{port}:{port}"]' in web
    assert f'"http://127.0.0.1:{port}/readyz"' in web
    # The links that commands in it print have that port too.
    assert f"    PORT: {port}\n" in composed


def test_containers_take_no_other_database_from_a_file_of_settings():
    composed = (ROOT / "docker-compose.yml").read_text()
    shared = composed[composed.index("x-product") : composed.index("services:")]

    for name in ("DATABASE_URL_FILE", "DIRECT_DATABASE_URL", "DIRECT_DATABASE_URL_FILE"):
        assert f'    {name}: ""\n' in shared


def test_nothing_in_a_container_knows_of_a_sandbox_that_is_left_out():
    composed = (ROOT / "docker-compose.yml").read_text()
    without = (OPS / "compose-without-sandbox.yml").read_text()
    services = re.findall(r"^  (\w+):\n    <<: \*product$", composed, re.MULTILINE)

    told = re.findall(r"^    (SANDBOX_\w+):", composed, re.MULTILINE)
    assert told == re.findall(r'^    (SANDBOX_\w+): ""$', without, re.MULTILINE)
    assert {*re.findall(r"^  (\w+): \*nowhere$", without, re.MULTILINE), "sandbox"} == {*services}


def test_nginx_closes_idle_connections_before_the_web_server_does():
    site = (OPS / "nginx" / "kalshi-live.conf").read_text()
    upstream = site[site.index("upstream") : site.index("server {")]

    [seconds] = re.findall(r"keepalive_timeout (\d+)s;", upstream)
    assert int(seconds) < KEEP_ALIVE_SECONDS


def test_no_label_tells_whose_it_is():
    states = [ConnectionState("live", since=None)]

    class Held:
        state = states[0]
        silent_seconds = None
        is_reading_past = False

    samples = [
        sample
        for metric in WorkerMetrics([Held()], WorkerCounts()).collect()
        for sample in metric.samples
    ]

    allowed = {"status", "reason", "kind", "error", "role", "le", "level", "logger", "event"}
    assert {label for sample in samples for label in sample.labels} <= allowed
    [live] = [s for s in samples if s.labels.get("status") == "live"]
    assert live.value == 1


def test_each_metric_has_one_meaning():
    abouts: dict[str, set[str]] = {}
    for metric in METRICS:
        abouts.setdefault(metric.name, set()).add(metric.documentation)

    assert all(len(about) == 1 for about in abouts.values())
