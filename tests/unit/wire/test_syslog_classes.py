from __future__ import annotations

import re
from collections import Counter
from itertools import islice

import pytest

from exporters.demo.syslog_corpus import FORMS, SyslogCorpus
from exporters.wire import syslog_classes
from exporters.wire.syslog_classes import Classifier, MessageFormat
from exporters.wire.syslog_shape import _BODY, Shape


def test_words_of_a_shape_are_in_the_order_of_the_pattern() -> None:
    groups = re.findall(rb"\(\?P<([A-Z_\d]+)>", _BODY)

    assert [group.decode().lower() for group in groups] == list(Shape._fields)


def test_batch_gives_one_object_for_messages_of_one_shape() -> None:
    classifier = Classifier()
    messages = [SyslogCorpus(seed=seed).fill(FORMS[0]) for seed in range(100)]

    assert len(set(map(id, classifier.classify_batch(messages)))) == 1


def test_batch_of_no_messages_has_no_classes() -> None:
    assert Classifier().classify_batch([]) == []


def test_batch_gives_the_same_objects_as_messages_alone() -> None:
    classifier = Classifier()
    messages = [message for _, message in islice(SyslogCorpus().messages(), 500)]

    batch = classifier.classify_batch(messages)

    assert all(
        classifier.classify(message) is kind for message, kind in zip(messages, batch, strict=True)
    )


def test_batch_has_one_class_for_each_message_of_the_corpus_as_its_form_says() -> None:
    made = list(islice(SyslogCorpus(seed=7).messages(), 2_000))

    classes = Classifier().classify_batch([message for _, message in made])

    assert Counter((form.vendor, form.event) for form, _ in made) == Counter(
        (kind.vendor, kind.event) for kind in classes
    )


@pytest.mark.parametrize(
    "other",
    [b"", b"\n", b"<13>a\nb", b"<13>a\r\n", b"<13>a\0", b"text", b"\n\n<13>a", b"<13>\n<14>x: y\n"],
)
def test_batch_gives_each_message_its_class_beside(other: bytes) -> None:
    classifier = Classifier()
    alone = classifier.classify(other)

    before, kind, after = classifier.classify_batch([b"<34>a: b", other, b"<35>c: d\n"])

    assert kind is alone
    assert (before.app, before.severity) == ("a", "critical")
    assert (after.app, after.severity) == ("c", "error")


def test_batch_without_messages_has_no_classes() -> None:
    assert Classifier().classify_batch([]) == []


def test_message_without_priority_has_one_class() -> None:
    classifier = Classifier()

    assert classifier.classify(b"text") is classifier.classify(b"another")
    assert classifier.classify(b"text").format is MessageFormat.UNPARSED


def test_classifier_forgets_what_is_more_than_it_may_remember(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(syslog_classes, "_MOST_REMEMBERED", 100)
    classifier = Classifier()

    for number in range(1_000):
        (kind,) = classifier.classify_batch([b"<13>app%d: x" % number])
        assert kind.app == f"app{number}"
        assert len(classifier._by_found) <= 100
        assert len(classifier._by_meaning) <= 100


def test_classifier_remembers_no_long_words() -> None:
    classifier = Classifier()
    message = b"<13>" + b"a" * 60_000 + b": x"

    first, second = classifier.classify_batch([message, message])

    assert first is second
    assert len(first.app) == 128
    assert classifier._by_found == {}
    assert all(len(word) <= 128 for _, shape in classifier._by_meaning for word in shape)
