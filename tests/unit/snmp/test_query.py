from __future__ import annotations

from typing import Any

import pytest
from yarl import URL

from exporters.errors import BadRequest
from exporters.snmp.query import SnmpQuery, read_query

from .scraping import read_cases

CASES = read_cases("queries")


def read(query: str) -> SnmpQuery:
    parameters = URL(f"http://localhost/snmp?{query}", encoded=True).query
    return read_query(parameters, modules={"if_mib", "system"}, auths={"public_v2", "prod_v3"})


def plain(query: SnmpQuery) -> dict[str, Any]:
    context = query.context_name
    return {
        "target": str(query.target),
        "modules": list(query.modules),
        "auth": query.auth,
        "context_name": None if context is None else context.decode(),
        "context_engine_id": query.context_engine_id.hex(),
        "failure_as_metrics": query.failure_as_metrics,
        "debug": query.debug,
        "log_packets": query.log_packets,
    }


@pytest.mark.parametrize(
    "case", [case for case in CASES if "read" in case], ids=lambda case: case["id"]
)
def test_query_of_case_is_read(case: dict[str, Any]) -> None:
    found = plain(read(case["query"]))

    assert {name: found[name] for name in case["read"]} == case["read"]


@pytest.mark.parametrize(
    "case", [case for case in CASES if "refused" in case], ids=lambda case: case["id"]
)
def test_query_of_case_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(BadRequest) as caught:
        read(case["query"])

    assert str(caught.value) == case["refused"]
