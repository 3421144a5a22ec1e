"""Every panel of every dashboard shows something on the demo, by a real Prometheus."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.grafana import FILES, load, queries

from .demo import DEVICE, LINK, DemoPrometheus
from .namespaces import needs_root
from .processes import Programs, until

pytestmark = [
    needs_root,
    pytest.mark.peer("prometheus", "prometheus"),
    pytest.mark.peer("unshare", "util-linux"),
]
CHOSEN = {"device": DEVICE, "interface": LINK}
PATIENCE_SECONDS = 120.0
"""Rules build on rules, and rates need two scrapes."""
OF_SEVERAL_PROCESSES = {"worker"}
"""Labels that the exporters of the demo lack, which have one process each."""


@pytest.fixture(scope="module")
def prometheus(module_programs: Programs) -> DemoPrometheus:
    return DemoPrometheus(module_programs)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_query_of_a_dashboard_has_data_and_the_labels_of_its_legend(
    prometheus: DemoPrometheus, file: Path
) -> None:
    for query in queries(load(file), CHOSEN):
        what = f"{query.panel} shows something: {query.text}"
        found = until(lambda text=query.text: prometheus.query(text), what, PATIENCE_SECONDS)
        labels = {label for series in found for label in series["metric"]}
        unknown = query.labels - labels - OF_SEVERAL_PROCESSES
        assert not unknown, f"{query.panel}: a legend names what is no label"
