from __future__ import annotations

from exporters.polling.scrape_log import MAX_LINES, ScrapeLog


def test_lines_carry_the_time_since_the_scrape_began() -> None:
    seconds = [100.0]
    log = ScrapeLog(lambda: seconds[0])

    log("sent")
    seconds[0] = 100.0125
    log("received")

    assert log.text() == "     0.000 ms  sent\n    12.500 ms  received\n"


def test_full_log_says_what_it_left_out() -> None:
    log = ScrapeLog(lambda: 0.0)

    for number in range(MAX_LINES + 3):
        log(str(number))

    lines = log.text().splitlines()
    assert len(lines) == MAX_LINES + 1
    assert lines[-2].endswith(f"  {MAX_LINES - 1}")
    assert lines[-1] == "... and 3 more lines"
