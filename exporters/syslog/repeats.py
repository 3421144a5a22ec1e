"""What stands for messages that were not sent: "last message repeated 5 times".

A daemon or a device that writes the same message again and again sends it once, and then how often
it came *again*: BSD syslogd, rsyslog with ``$RepeatedMsgReduction``, Junos, Huawei. So the message
before is counted that often once more, if it is known and is the one that is meant::

    last message repeated 5 times                                   whatever came before
    sshd[12]: message repeated 3 times: [ Failed password ...]      if sshd has sent that text
    %%01INFO/4/SUPPRESS_LOG(l):Last message repeated 2 times.(InfoID=..., ModuleName=SHELL,
        InfoAlias=CMDRECORD)                                        if it was SHELL/.../CMDRECORD
"""

from __future__ import annotations

from typing import Final

from exporters.wire.syslog_classes import MessageClass
from exporters.wire.syslog_message import SyslogMessage, decode_text

MOST_TIMES: Final = 100_000
"""That one message can stand for: it is a number that somebody wrote."""

_HUAWEI: Final = "huawei"
_BRACKET: Final = ": ["


def times_repeated(message: SyslogMessage) -> int:
    """Give how many messages a message stands for."""
    return min(message.repeated or 0, MOST_TIMES)


def is_repeat_of(message: SyslogMessage, content: bytes, message_class: MessageClass) -> bool:
    """Whether *message* says of another, *content*, that it came again."""
    if message_class.is_repeat:
        return False
    own_class = message.message_class
    if own_class.vendor == _HUAWEI:
        module, _, rest = message_class.event.partition("/")
        meant = (message.values.get("ModuleName"), message.values.get("InfoAlias"))
        return (module, rest.partition("/")[2]) == meant
    if own_class.app and own_class.app != message_class.app:
        return False
    _, bracket, quoted = message.text.partition(_BRACKET)
    if not bracket:
        return True
    quoted = quoted.removesuffix("]").strip()
    return decode_text(content).strip().startswith(quoted)
