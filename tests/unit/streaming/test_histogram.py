"""Durations are counted in the bucket that Prometheus expects them in."""

from math import inf

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client import Histogram as Reference

from streaming.histogram import BOUNDS, Histogram


def test_bound_belongs_to_its_bucket():
    histogram = Histogram([1.0, 2.0])

    for seconds in (0.5, 1.0, 1.5, 2.0, 2.5):
        histogram.observe(seconds)

    assert histogram.cumulative() == [(1.0, 2), (2.0, 4), (inf, 5)]
    assert histogram.total == 7.5


def test_less_than_nothing_is_nothing():
    histogram = Histogram([1.0])

    histogram.observe(-3.0)

    assert (histogram.cumulative(), histogram.total) == ([(1.0, 1), (inf, 1)], 0.0)


@given(st.lists(st.one_of(st.sampled_from(BOUNDS), st.floats(0, 20))))
def test_counts_are_those_of_the_usual_histogram(observed):
    registry = CollectorRegistry()
    reference, ours = Reference("x", "x", buckets=BOUNDS, registry=registry), Histogram()

    for seconds in observed:
        reference.observe(seconds)
        ours.observe(seconds)

    theirs = [
        sample.value
        for metric in reference.collect()
        for sample in metric.samples
        if sample.name == "x_bucket"
    ]
    assert [count for _, count in ours.cumulative()] == theirs
