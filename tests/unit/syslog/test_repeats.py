"""Messages that stand for others."""

from __future__ import annotations

import pytest

from exporters.syslog.repeats import MOST_TIMES, is_repeat_of, times_repeated
from exporters.wire.syslog_message import decode_message

LAST = b"<13>Oct 11 22:14:15 host last message repeated %d times"
SSH = b"<38>Oct 11 22:14:15 host sshd[12]: %s"
HUAWEI = b"<190>Oct 11 2026 22:14:15 sw1 %%%%01%s: x"
SUPPRESSED = (
    b"<188>Oct 11 2026 22:14:15 sw1 %%01INFO/4/SUPPRESS_LOG(l)[5]:Last message repeated 2 times."
    b"(InfoID=1079803904, ModuleName=SHELL, InfoAlias=CMDRECORD)"
)
JUNOS = b"<28>Nov 20 16:58:04 re0 %s"


@pytest.mark.parametrize(
    ("repeat", "previous"),
    [
        pytest.param(LAST % 5, SSH % b"x", id="BSD syslogd"),
        pytest.param(JUNOS % b"last message repeated 3 times", JUNOS % b"rpd[2]: x", id="Junos"),
        pytest.param(SSH % b"message repeated 3 times: [ Bad key]", SSH % b"Bad key", id="rsyslog"),
        pytest.param(SSH % b"message repeated 3 times: [ Bad]", SSH % b"Bad key", id="cut off"),
        pytest.param(SUPPRESSED, HUAWEI % b"SHELL/5/CMDRECORD(s)", id="Huawei"),
    ],
)
def test_repeat_means_the_message_before(repeat: bytes, previous: bytes) -> None:
    message = decode_message(repeat)

    assert message.message_class.is_repeat
    assert is_repeat_of(message, previous, decode_message(previous).message_class)


@pytest.mark.parametrize(
    ("repeat", "previous"),
    [
        pytest.param(LAST % 5, LAST % 5, id="a repeat"),
        pytest.param(SSH % b"message repeated 3 times: [ x]", SSH % b"y", id="another text"),
        pytest.param(
            SSH % b"message repeated 3 times: [ x]", b"<13>Oct 11 22:14:15 host su: x", id="of su"
        ),
        pytest.param(SUPPRESSED, HUAWEI % b"IFNET/4/IF_STATE(l)", id="another event"),
        pytest.param(SUPPRESSED, SSH % b"x", id="no event of Huawei's"),
    ],
)
def test_repeat_does_not_mean_another_message(repeat: bytes, previous: bytes) -> None:
    assert not is_repeat_of(
        decode_message(repeat), previous, decode_message(previous).message_class
    )


@pytest.mark.parametrize(
    ("repeat", "times"),
    [
        pytest.param(LAST % 5, 5, id="five"),
        pytest.param(JUNOS % b"last message repeated 1 time", 1, id="one"),
        pytest.param(LAST % 999_999_999, MOST_TIMES, id="more than it may be"),
        pytest.param(LAST % 10**12, 0, id="no number of any use"),
        pytest.param(SUPPRESSED, 2, id="Huawei"),
    ],
)
def test_repeat_stands_for_as_many_as_it_says(repeat: bytes, times: int) -> None:
    assert times_repeated(decode_message(repeat)) == times
