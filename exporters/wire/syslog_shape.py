"""What tells one kind of message from another, found by a single pattern.

A receiver counts hundreds of thousands of messages a second and reads few. What it counts by, the
vendor and the vendor's name of the event, depends on a few words of a message, its *shape*; all
messages of one shape are of one class, which is worked out once (``syslog_classes``). The
pattern below is the only place that knows where these words stand. It is compiled four times:

* for ``shapes_of``, which finds the shapes of many messages in one call, 0.7 us for each;
* for ``shape_behind_priority``, which finds that of one message, whatever its PRI is;
* for ``parts_of``, which finds in one message the same, and host, process and time stamp as well;
* for ``match_tail``, which finds no more than where the text begins.

So what is counted and what is read cannot differ. A group in capitals belongs to the shape; a group
in small letters is captured for ``parts_of`` alone.

Hardly a quantifier here gives back what it has taken, and the few that do are bounded: the time for
a message grows with its length and no faster.

A receiver spends more time in this pattern than in anything else, so it is written for Python's
matcher, by measurement. An alternative that begins with an octet or a set is passed over for next
to nothing; to look into any other takes ten nanoseconds, and so do a lookahead and a repeated
group. Therefore alternatives stand flat beside each other, most host names are read by an
alternative of their own, and where nothing behind can fail, ``(?:x|)`` stands for ``(?:x)?+`` at
half the price.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from operator import itemgetter
from typing import Final, NamedTuple

from exporters.wire.octet_sets import spell_out


class Shape(NamedTuple):
    """The words that a message is classified by, in their order; empty what it does not have.

    Attributes:
        version: VERSION of RFC 5424, and what says that a message has its form.
        app_5424: APP-NAME of the same.
        message_id: MSGID of the same.
        sd_id: The first SD-ID, with its bracket, or ``-``.
        swallowed: ``<`` where a message begins in the place of a date: a count was wrong.
        process: Of IOS XR.
        dated: ``:`` where a date stands first, as in RFC 3164.
        placed: ``,`` where a UniFi device names its model in place of its host.
        app: TAG of RFC 3164.
        token: By what a vendor's form is known: ``%LINK-3-UPDOWN``, ``logid="0100032002``.
        detail: What that form says further, its severity mostly.
    """

    version: bytes = b""
    app_5424: bytes = b""
    message_id: bytes = b""
    sd_id: bytes = b""
    swallowed: bytes = b""
    process: bytes = b""
    dated: bytes = b""
    placed: bytes = b""
    app: bytes = b""
    token: bytes = b""
    detail: bytes = b""


_ZONE: Final = rb"""
    (?:UTC|GMT|CES?T|EES?T|WES?T|[ECMP][SD]T|[JKIB]ST|MSK|HKT|SGT|AE[SD]T)(?=[ :])
"""
_DATE: Final = (
    rb"""
    (?:[A-Z][a-z][a-z][ ]{1,2}+\d{1,2}+[ ]\d{1,2}+(?:\d\d[ ]\d{1,2}+)?+
      |\d{4}-\d{1,2}+-\d{1,2}+[Tt ]\d{1,2}+)
    (?P<DATED>:)\d\d:\d\d[^\s%]*+
    (?:[ ](?=[A-Z\d])(?:\d{4}(?=[ ])(?:[ ]"""
    + _ZONE
    + rb")?+|"
    + _ZONE
    + rb"))?+:?+"
)
_PORT: Final = rb"port\d++(?=[ ]\d{4}-[A-Z])"
_IS_DATED: Final = rb"[A-Z][a-z][a-z][ ]{1,2}+\d|\d{4}-(?![^\s:%]*+[ ]" + _PORT + rb")"
_TO_MNEMONIC: Final = rb"""
    [^%\n]{0,120}+(?:(?=%(?:%|[A-Z][\w$]*+-)) | (?=%\$)(?:%\$[\w-]++\$[ ]*+)?+)
"""
_TO_LOG_ID: Final = rb"[^l\n]*+(?:l(?!og_?id=)[^l\n]*+)*+"
_PALO_ALTO: Final = rb"\d,\d{4}/\d\d/\d\d[ ][^,\n]++,[^,\n]*+,"

_RFC_5424: Final = (
    rb"""
    (?P<VERSION>[1-9]\d{0,8}+)[ ](?P<stamp_5424>-|\d{4}-\S++(?:[ ]\d\d:\d\d:\S++)?+)
    [ ](?P<host_5424>\S++)
    (?:[ ](?P<APP_5424>\S++)[ ](?P<process_5424>\S++)[ ](?P<MESSAGE_ID>\S++)
       (?:[ ](?P<SD_ID>-(?=\s)|\[(?:action:"[\w ]++"|[^\s\]]++))
          (?:(?<=-)|[^\]\n]*+\](?:\[[^\]\n]*+\])*+|)|)|)
    (?P<start_5424>[ ]*+(?:\xef\xbb\xbf)?+)
    (?:"""
    + _TO_MNEMONIC
    + rb"|)"
)
_OF_VENDORS: Final = (
    rb"""
    (?:date|device|device_name|timestamp)="?+[^\s]"""
    + _TO_LOG_ID
    + rb"""
  | id=\S++[ ]sn=\S++[ ]time="[^"\n]*+"[ ]fw=\S++[ ]
  | 1[ ](?P<stamp_unix>\d{9,10}\.\d{1,9})[ ](?P<host_unix>\S++)[ ]
  | [1-9]\d{0,8}+[ ](?P<SWALLOWED><)(?=\d)
  | [ ]?+(?P<stamp_slashed>\d\d/\d\d/\d{4}:\S++(?:[ ][A-Z]{1,5})?+)[ ](?P<host_slashed>\S++)
    [ ](?P<text_slashed>)\d++-(?=PPE)
  | (?P<host_port>[^\s:%]++)[ ](?="""
    + _PORT
    + rb")"
)
_OF_CISCO: Final = (
    rb"""
    (?:\d++:[ ])?+
    (?:(?:[^\s%]++[ ])?+[\w-]++/(?:[\w-]++/)*+CPU\d++:[^%\[\n]{0,80}
       [ ](?P<PROCESS>[\w-]{1,48})\[(?P<pid_xr>\d++)\]:[ ]
     | """
    + _TO_MNEMONIC
    + rb")"
)
_RFC_3164: Final = (
    rb"(?:(?P<stamp>"
    + _DATE
    + rb""")[ ]*+
      (?:(?P<host>[A-Za-kn-z\d_.-][\w.-]*+  # which is no "last message", nor "message"
                 |\(?+"?+[\w-]++(?P<PLACED>,)[0-9a-f]{12},v\S++
                 |(?!(?:last[ ])?+message[ ]repeated)(?:[^\s%:]|::)\S*+(?<!:)
                 |[^\s%:]\S*+(?<=:)(?=[ ][^\s\[]++\[[^\]\s]++\]:))[ ]++)?+ )?+
    (?P<text>)
    (?:"""
    + _PALO_ALTO
    + rb"""
     | (?:|(?P<level>(?i:(?=[acdeinw])
             (?:emerg|alert|crit|err|error|warning|notice|info|debug)))[ ])
       (?!\d++:|(?<=[ ][ ])[A-Z\d]{2,5}\[\d{3}\]:)
       (?P<APP>[^\s%:\[,="<(][^\s%:\[,="<]*+)
       (?: :(?!:)[ ]*+ | \[(?P<pid>[^\]\n]*+)\](?::(?!:)[ ]*+|[ ]++) | [ ](?<=\][ ])[ ]*+ )
       (?P<text_app>)
       (?:\[\w++\][ ]\d++us:[ ]++\[ | \d\d*+:[ ](?=%) | )
     | (?:date|device|device_name|timestamp)="""
    + _TO_LOG_ID
    + rb"|"
    + _TO_MNEMONIC
    + rb"|)"
)


def _each(words: bytes, rest: bytes) -> bytes:
    """Give alternatives: each word with the rest behind it.

    Those of one level are passed over by their first octets; to look into a group takes a step.
    """
    return b"|".join(word + rest for word in words.split())


_TOKEN: Final = rb"""
    %\w++-(?:(?![0-7]-\w)\w++-)*+[0-7]-\w[\w-]*+(?=[ ]?+:)
  | %%?+[ ]?+\d\d\w++/\d/\w++
  | [A-Z][A-Z\d]*+_[A-Z\d]++(?:_[A-Z\d]++)*+(?=[:\s])
  | CISE_\w++
  | Event\|\d++\|LOG_\w++
  | PPE-\d++[ ]:[ ](?:default[ ])?+\w++[ ]\w++(?=[ ]\d)
  | [A-Z\d](?<![^, ][ ].)
    (?: (?<=,[A-Z])\w++,[\w-]++(?=,) | (?<=[ ][ ].)[A-Z\d]{1,4}\[\d{3}\](?=:) )
  | [\da-f][\da-f]{7}:\d(?=:)
  | \d\d{4}[ ][a-z][\w-]*+(?=:)
  | [a-z\d-][a-z\d-]*+,[a-z\d!-]++(?:,[a-z\d!-]++)*+(?=[ ])
  | <\d{6}>[ ]<\w++>
  | :-[ ]\w++
  | last[ ]message[ ]repeated(?=[ ]\d) | message[ ]repeated(?=[ ]\d)
  | pri=\d[ ]c=\d++[ ]m=\d++
  | log_?id="?+\d++
  | fpc\d{1,3}(?=[ ])
  | events[ ]port(?=[ ]\d++[ ]status)
  | security_event[ ]\w++
  | ids-alerts(?=[ ]signature)
  | """ + rb"|".join(
    (
        _PORT,
        _each(b"events airmarshal_events", rb"[ ]type=\w++"),
        _each(
            b"flows ip_flow_start ip_flow_end urls firewall vpn_firewall",
            rb"[ ](?:src|dst|allow|deny|pattern)",
        ),
        _each(b"esx vprob vob", rb"\.[\w.]++"),
        _each(b"info warning error verbose panic", rb"(?=[ ]\w++\[)"),
    )
)
_NAMED: Final = rb"""
    (?: type=[^l\n]*+(?:l(?!evel=)[^l\n]*+)*+level="?+
      | log_type=[^ps\n]*+(?:(?:p(?!riority=)|s(?!everity=))[^ps\n]*+)*+(?:severity|priority)="?+ )
"""
_DETAIL: Final = (
    rb"(?:"
    + rb",[^,\n]*+" * 8
    + rb""",(?=(?:informational|low|medium|high|critical),)
      | "[ ]"""
    + _NAMED
    + rb"| [ ](?:"
    + _NAMED
    + rb"""
          | \d\d*+[ ]\d++[ ]0[ ]\S++[ ]\S++[ ](?:[+-]\S++[ ])?+\d++[ ](?=\d++[ ][A-Z]++[ ])
          | (?P<stamp_port>\d{4}-[A-Z][a-z]{2}-[ \d]\d[ ]\S++)[ ] )
    )(?P<DETAIL>\d++[ ]\w++|\w++)
"""
)
_BODY: Final = spell_out(
    rb"(?:(?!"
    + _IS_DATED
    + rb")(?: (?!\d++:)(?:"
    + _RFC_5424
    + rb"|"
    + _OF_VENDORS
    + rb")|"
    + _OF_CISCO
    + rb") |"
    + _RFC_3164
    + rb")(?:(?P<TOKEN>"
    + _TOKEN
    + rb")(?:"
    + _DETAIL
    + rb"|)|)"
)


def _for_shapes(pattern: bytes) -> bytes:
    """Capture the groups of the shape alone."""
    return re.sub(rb"\(\?P<[a-z_\d]+>", b"(?:", pattern)


def _for_tails(pattern: bytes) -> bytes:
    """Capture the groups that tell where the text begins, and no others."""
    return re.sub(rb"\(\?P<(?!(?:%b)>)\w+>" % rb"|".join(_OF_TAILS), b"(?:", pattern)


_OF_TAILS: Final = (
    b"VERSION", b"MESSAGE_ID", b"SD_ID", b"start_5424", b"host_unix", b"text_slashed", b"host_port",
    b"text", b"text_app", b"TOKEN",
)  # fmt: skip


_LINES: Final = re.compile(
    rb"^[ ]?+<(\d{1,3}+)>(?!<)" + _for_shapes(_BODY) + rb".*+\n|^.*+\n", re.VERBOSE | re.MULTILINE
)
_LONGEST_WORD: Final = 128
_ALONE: Final = re.compile(_for_shapes(_BODY), re.VERBOSE)
_PARTS: Final = re.compile(_BODY, re.VERBOSE)
_TAIL: Final = re.compile(
    rb"[ ]?+<\d{1,3}>(?!<)(?P<behind_priority>)" + _for_tails(_BODY), re.VERBOSE
)
_WORDS: Final = itemgetter(*(_PARTS.groupindex[name.upper()] - 1 for name in Shape._fields))

Found = tuple[bytes, ...]
"""The number in PRI, and the words of a ``Shape``. All are empty where PRI is not plain."""


def shapes_of(lines: bytes) -> list[Found]:
    """Find the shape of each line; each must end with a newline."""
    return _LINES.findall(lines)


def shape_behind_priority(line: bytes) -> Shape:
    """Find the shape of what stands behind PRI, a line that ends with a newline."""
    match = _ALONE.match(line)
    return Shape() if match is None else shape_of(match.groups(b""))


def shape_of(words: Sequence[bytes]) -> Shape:
    """Make a shape of the words found, as far as anybody reads a word."""
    if max(map(len, words)) > _LONGEST_WORD:
        words = [word[:_LONGEST_WORD] for word in words]
    return Shape._make(words)


def parts_of(line: bytes) -> tuple[Shape, re.Match[bytes]]:
    """Find the same, and all other parts by their names."""
    match = _PARTS.match(line)
    if match is None:  # the form of RFC 3164 is optional to its last part
        raise AssertionError("the pattern of syslog messages matches everything")
    return shape_of(_WORDS(match.groups(b""))), match


def match_tail(line: bytes) -> re.Match[bytes] | None:
    """Match a line that begins with a plain PRI, for where its text begins; else give None."""
    return _TAIL.match(line)
