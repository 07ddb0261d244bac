"""
Metrics as Prometheus reads them: what both processes tell, and by which words.

Nothing is kept here. What is counted are plain numbers where it happens (`web.counts`,
`worker.counts`, `trouble`), read when somebody asks.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from streaming import trouble
from streaming.histogram import Histogram

PREFIX = "kalshi_live_"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Value = int | float


def text(metrics: Collector) -> bytes:
    """All that this process tells: these, its memory and processor time, its troubles."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(metrics)
    ProcessCollector(registry=registry)
    return generate_latest(registry)


def counter(name: str, about: str, value: Value) -> Metric:
    """A number that only grows; its name is told with `_total` behind it."""
    return CounterMetricFamily(PREFIX + name, about, value=value)


def counters(
    name: str, about: str, label: str, values: Mapping[str, Value], known: Sequence[str] = ()
) -> Metric:
    """
    The same by kinds.

    Args:
        known: kinds that are told at 0 too: a rate needs a first value to begin with.
    """
    family = CounterMetricFamily(PREFIX + name, about, labels=[label])
    for kind, value in {**dict.fromkeys(known, 0), **values}.items():
        family.add_metric([kind], value)
    return family


def gauge(name: str, about: str, value: Value) -> Metric:
    """A number that goes up and down."""
    return GaugeMetricFamily(PREFIX + name, about, value=value)


def gauges(name: str, about: str, label: str, values: Mapping[str, Value]) -> Metric:
    """The same by kinds."""
    family = GaugeMetricFamily(PREFIX + name, about, labels=[label])
    for kind, value in values.items():
        family.add_metric([kind], value)
    return family


def histogram(name: str, about: str, observed: Histogram) -> Metric:
    """Seconds; its name is told with `_bucket`, `_sum` and `_count` behind it."""
    family = HistogramMetricFamily(PREFIX + name, about)
    buckets = [
        ("+Inf" if math.isinf(bound) else str(bound), count)
        for bound, count in observed.cumulative()
    ]
    family.add_metric([], buckets, observed.total)
    return family


def of_any_process(role: Literal["web", "worker"], loop_lag: Histogram) -> Iterator[Metric]:
    """What every process tells of itself."""
    yield gauges("process", "1, labelled with what the process is.", "role", {role: 1})
    yield histogram(
        "loop_lag_seconds",
        "How late the event loop was at something due once a second.",
        loop_lag,
    )
    family = CounterMetricFamily(
        f"{PREFIX}trouble",
        "Warnings and errors of the log, by what they tell and the class of the error.",
        labels=trouble.Kind._fields,
    )
    for kind, count in list(trouble.counted.items()):
        family.add_metric(kind, count)
    yield family
