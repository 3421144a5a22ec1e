"""The tables that benchmarks print."""

from __future__ import annotations

from benchmarks.cases import choose_cases
from benchmarks.load import Scrapes
from benchmarks.loss import LossResult, Obtained, write_loss_report
from benchmarks.race import Measured, Result
from benchmarks.snmp_report import LoadedModules, write_report
from benchmarks.table import aligned, markdown

CASE = "arista/loopback/v2c/c1"


def measured(name: str, milliseconds: float) -> Measured:
    return Measured(
        name,
        cpu_seconds=[milliseconds / 1e3],
        p50_seconds=[milliseconds / 1e3],
        scrapes_per_second=[1e3 / milliseconds],
        agents_load=[0.1],
        wall_seconds=[milliseconds / 1e3] * 3,
        peak_rss_bytes=50_000_000,
        packets=38.0,
        samples=2243,
    )


def result(ours_ms: float, peers_ms: float, *unlike: str) -> Result:
    (case,) = choose_cases([CASE], quick=False)
    return Result(case, measured("netexporters", ours_ms), measured("peer", peers_ms), unlike)


def row_of(report: str) -> list[str]:
    (row,) = [line for line in report.splitlines() if line.startswith(f"| {CASE}")]
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_columns_are_aligned_under_their_heads() -> None:
    assert aligned(["case", "ms"], [["a", "1"], ["longer", "1000"]]).splitlines() == [
        "case      ms",
        "a          1",
        "longer  1000",
    ]


def test_table_without_rows_has_its_heads() -> None:
    assert aligned(["case", "ms"], []) == "case  ms"


def test_markdown_aligns_numbers_to_the_right() -> None:
    assert markdown(["case", "ms"], [["a", "1"]]).splitlines() == [
        "| case | ms |",
        "| --- | ---: |",
        "| a | 1 |",
    ]


def test_ratio_that_misses_its_target_is_marked() -> None:
    met = row_of(write_report([result(5, 25)], None, markdown))
    missed = row_of(write_report([result(5, 15)], None, markdown))
    assert met[1:3] == ["5 / 25", "0.2"]
    assert missed[1:3] == ["5 / 15", "0.333 !"]


def test_verdict_counts_what_missed() -> None:
    report = write_report([result(5, 25), result(5, 15)], None, markdown)
    assert f"CPU, v2c <= 0.25: 0.2 to 0.333: MISSED in 1 of 2: {CASE} 0.333" in report
    assert "wall p50, loopback <= 0.5: 0.2 to 0.333: met" in report
    assert "v3" not in report


def test_answers_that_differ_are_told() -> None:
    report = write_report([result(5, 25, "only ours: x")], None, markdown)
    assert f"{CASE}: THE ANSWERS DIFFER: only ours: x" in report


def test_memory_is_judged_by_its_peak() -> None:
    report = write_report([], LoadedModules(53, 0.8, 60_000_000, 101_000_000), markdown)
    assert "53 modules: 60 MB after start, 101 MB at most (target 100 MB: MISSED)" in report


def test_loss_report_shows_both_exporters() -> None:
    (case,) = choose_cases(["arista/50ms-loss2/v2c/c8"], quick=False)
    ours = Obtained("netexporters", Scrapes([0.7, 0.9], [100, 100]), 100)
    peers = Obtained("peer", Scrapes([10.0], failures=["timed out"]), 100)
    table, note = write_loss_report([LossResult(case, ours, peers)], 10.0, markdown)
    assert table.splitlines()[-1] == (
        "| arista/50ms-loss2/v2c/c8 | 100.0% / 0.0% | 100.0% / 0.0% | 0.0% / 100.0% "
        "| 0.80 / 10.00 | 0.90 / 10.00 | 2 / 1 |"
    )
    assert "waits 10 s" in note
    assert list(write_loss_report([], 10.0, markdown)) == []
