"""HTML that escapes itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.web.markup import Html, element, join


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        (element("p", "a < b"), "<p>a &lt; b</p>"),
        (element("p", element("b", "&")), "<p><b>&amp;</b></p>"),
        (element("p", Html("<i></i>"), "<i>"), "<p><i></i>&lt;i&gt;</p>"),
        (element("input", value='"><x', required=True), '<input value="&quot;&gt;&lt;x" required>'),
        (element("label", for_="x", class_=None), '<label for="x"></label>'),
        (element("a", aria_label="'", hidden=False), '<a aria-label="&#x27;"></a>'),
        (join("<", Html("<"), ">"), "&lt;<&gt;"),
    ],
)
def test_element_escapes_what_is_not_html(html, expected):
    assert html == expected
    assert isinstance(html, Html)


@given(st.text())
def test_no_text_opens_an_element_or_leaves_an_attribute(text):
    html = element("p", text, title=text)
    assert html.count("<") == html.count(">") == 2
    assert html.count('"') == 2
