"""The HTML report of an audit: its markup is safe, and its drawing shows every moment."""

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from contract_tests.client.evidence import Evidence
from contract_tests.client.reports.drawing import draw_timeline
from contract_tests.client.reports.page import html
from contract_tests.client.reports.timeline import MAX_MARKS
from tests.contract_tests.audit_reports import every_verdict, report_with
from tests.contract_tests.evidence import (
    accepts_400,
    case_by_all_rules,
    case_of,
    exchange,
    full_timeline,
    report_of,
    task,
)
from tests.contract_tests.evidence_strategies import evidence, texts
from tests.properties import examples


class Elements(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


class TestPage:
    @examples(30)
    @given(texts)
    def test_no_text_becomes_markup(self, text: str) -> None:
        harmless = Elements(html([report_with("a fox"), report_with("a fox")]))
        page = Elements(html([report_with(text), report_with(text)]))

        assert page.tags.count("script") == 1
        assert set(page.tags) <= set(harmless.tags)
        assert not any(name.startswith("on") or name == "style" for name, _ in page.attributes)
        links = {str(value) for name, value in page.attributes if name in {"href", "src"}}
        assert all(link.startswith("#") for link in links)

    @examples(30)
    @given(evidence)
    def test_every_link_has_exactly_one_target(self, evidence: Evidence) -> None:
        case = case_by_all_rules(evidence)
        page = Elements(html([report_of(case), report_of(case, case_of(accepts_400()))]))
        ids = [value for name, value in page.attributes if name == "id"]
        links = {unquote(str(value)) for name, value in page.attributes if name == "href"}

        assert len(ids) == len(set(ids))
        assert {link.removeprefix("#") for link in links} <= set(ids)

    def test_content_security_policy_allows_only_the_own_script(self) -> None:
        page = html([every_verdict()])
        (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
        digest = b64encode(sha256(script.encode()).digest()).decode()
        (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)

        assert f"script-src &#39;sha256-{digest}&#39;" in policy
        assert "unsafe" not in policy


class TestDrawing:
    @given(evidence)
    def test_every_moment_has_a_mark_within_the_drawing(self, evidence: Evidence) -> None:
        (case,) = report_of(case_by_all_rules(evidence)).cases
        drawing = draw_timeline(case.timeline, {})

        assert sorted((dot.mark.at_s, dot.mark.label) for dot in drawing.dots) == sorted(
            (mark.at_s, mark.label) for mark in case.timeline
        )
        assert all(
            drawing.names_width <= dot.x <= drawing.width and 0 <= dot.y <= drawing.height
            for dot in drawing.dots
        )
        assert len(drawing.ticks) <= 11

    @given(st.lists(st.integers(0, 30), min_size=1, max_size=12))
    def test_simultaneous_marks_do_not_overlap(self, instants: list[int]) -> None:
        evidence = Evidence(
            exchanges=tuple(
                exchange(number, at_s, "status") for number, at_s in enumerate(instants[:6])
            )
        )
        drawing = draw_timeline(case_by_all_rules(evidence).timeline, {})

        places = [(dot.x, dot.y) for dot in drawing.dots]
        assert len(places) == len(set(places))

    def test_violated_rules_stand_above_their_mark(self) -> None:
        case = case_by_all_rules(full_timeline())
        drawing = draw_timeline(case.timeline, {4: ("C-POLL-002",), 11: ("C-RES-005", "C-X")})
        marks = {dot.mark.event: dot.x for dot in drawing.dots}

        assert {(flag.text, flag.x) for flag in drawing.flags} == {
            ("C-POLL-002", marks[4]),
            ("C-RES-005, C-X", marks[11]),
        }
        assert min(dot.y for dot in drawing.dots) > max(flag.y for flag in drawing.flags)

    def test_late_mark_that_violates_a_rule_is_shown(self) -> None:
        late = MAX_MARKS + 200
        patient = [exchange(number, 20 + 4 * number, "status") for number in range(2, late)]
        hasty = exchange(late, 20 + 4 * late - 3.9, "status")
        in_progress = task("processing")
        evidence = Evidence(exchanges=(exchange(1, 0), *patient, hasty), tasks=(in_progress,))
        case = case_of(evidence, rules=("C-POLL-002",))

        assert case.findings[0].event == late
        assert [mark.event for mark in case.timeline][-2:] == [MAX_MARKS, late]
