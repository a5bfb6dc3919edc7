#!/usr/bin/python3
"""Reads metrics with both parsers of Prometheus's own client, OpenMetrics and the older text format
of node_exporter's textfile collector, and prints them.

    openmetrics.py FILE       each sample as: name type unit {labels as JSON} value
"""
import json
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as older

text = open(sys.argv[1], encoding="utf-8").read()
samples = []
for family in openmetrics(text):
    assert family.documentation, f"{family.name} is not explained"
    for sample in family.samples:
        samples.append((sample.name, sample.labels, float(sample.value)))
        print(sample.name, family.type, family.unit or "-",
              json.dumps(sample.labels, sort_keys=True), sample.value)
# What is the same in both: names, labels and values.
found = [(s.name, s.labels, float(s.value)) for f in older(text) for s in f.samples]
assert sorted(map(str, found)) == sorted(map(str, samples)), "the older format says something else"
