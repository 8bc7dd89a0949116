"""The saved report and its pages: read back whole, escaped, self-contained; damaged or foreign files are refused."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest

from alphintra.dataplane.assess.charts import Bar, bars
from alphintra.dataplane.assess.figures import SCHEMA, Figure, Findings, Machine, Report
from alphintra.dataplane.assess.ledger import judge
from alphintra.dataplane.assess.markdown import render_markdown
from alphintra.dataplane.assess.page import render_page
from alphintra.dataplane.assess.report import read_report, write_files
from alphintra.kernel.errors import AlphintraError


def report(layout: str = "separate", *, gap: str = "") -> Report:
    """Return a small made-up report."""
    found = Findings(
        layout=layout,
        figures={
            "pss_mib": Figure(value=78.5, unit="MiB"),
            "p99_quiet_ms": Figure(value=2.0, unit="ms", low=1.0, high=3.0, rounds=3),
            "lost_with_instance": Figure(value=8, unit="services"),
        },
        gaps={"manifests": gap} if gap else {},
    )
    machine = Machine(
        cpus=2, cpu_model="a <b> processor", memory_gib=8, system="Linux", postgres="18", python="3.11", alphintra="0.1"
    )
    return Report(
        schema=SCHEMA,
        made_at="2026-01-02T03:04:05+00:00",
        is_quick=True,
        rows=100,
        optimisation_rows=0,
        seconds=1.5,
        machine=machine,
        reproduce="alphintra db assess --all --quick",
        findings=(found,),
        claims=judge((found,)),
    )


class _Tags(HTMLParser):
    """Notes which tags are open, and everything a browser would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.unmatched: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "br", "rect", "path"}:
            self.open.append(tag)
        self.fetched += [
            value or "" for name, value in attrs if name in {"src", "href"} and not f"{value}".startswith("#")
        ]

    def handle_endtag(self, tag: str) -> None:
        if tag in {"rect", "path"}:
            return
        if not self.open or self.open.pop() != tag:
            self.unmatched.append(tag)


def test_a_report_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    written = report()
    paths = write_files(written, tmp_path / "new" / "folder", page="<p>", text="# t")
    assert [path.name for path in paths] == ["assess.json", "assess.html", "assess.md"]
    assert read_report(paths[0]) == written


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"schema": "alphintra.assess/1"}', b"\xff\xfe"])
def test_what_is_no_report_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "assess.json"
    path.write_bytes(content)
    with pytest.raises(AlphintraError, match="REPORT_FORMAT"):
        read_report(path)


def test_a_report_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "assess.json"
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(report(), schema="alphintra.assess/9")))
    with pytest.raises(AlphintraError, match=r"alphintra\.assess/9"):
        read_report(path)


def test_a_missing_report_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(AlphintraError, match=r"REPORT_MISSING.*db assess"):
        read_report(tmp_path / "none.json")


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AlphintraError, match="REPORT_FOLDER"):
        write_files(report(), tmp_path / "file", page="", text="")


def test_the_page_is_well_formed_fetches_nothing_and_escapes_what_it_shows() -> None:
    page = render_page(report("<script>alert(1)</script>", gap="<img src=x>"))
    tags = _Tags()
    tags.feed(page)
    assert (tags.open, tags.unmatched, tags.fetched) == ([], [], [])
    assert "<script" not in page
    assert "<img" not in page
    assert not re.search(r"https?:|url\(|@import", page)
    assert "a &lt;b&gt; processor" in page


def test_the_page_shows_every_claim_twice_once_in_the_table_and_once_with_its_evidence() -> None:
    page = render_page(report())
    assert len(re.findall(r'href="#c\d+"', page)) == 30
    assert len(re.findall(r'<section class=claim id="c\d+"', page)) == 30


def test_the_markdown_page_has_every_claim_and_tells_what_was_not_measured() -> None:
    text = render_markdown(report(gap="RENDER: broken"))
    assert [int(number) for number in re.findall(r"^### (\d+)\.", text, re.MULTILINE)] == list(range(1, 31))
    assert "Not measured in separate: manifests (RENDER: broken)." in text


def test_a_plot_is_valid_xml_and_its_bars_are_as_long_as_their_values() -> None:
    drawn = bars(
        [Bar(row="a & b", value=50, text="50"), Bar(row="c", value=100, text="100", low=80, high=120)],
        title="t",
        unit="u",
    )
    tree = ET.fromstring(drawn[drawn.index("<svg") : drawn.index("</svg>") + 6])  # noqa: S314 - our own text
    widths = [float(rect.attrib["width"]) for rect in tree.iter("rect")]
    assert widths[1] == pytest.approx(2 * widths[0], rel=0.01)
    assert [text.text for text in tree.iter("text")] == ["a & b", "50", "c", "100"]


def test_equal_or_zero_values_are_drawn_too() -> None:
    assert bars([Bar(row="a", value=0, text="0")], title="t", unit="u").count("<rect") == 1
    logarithmic = bars(
        [Bar(row="a", value=2, text="2"), Bar(row="b", value=2, text="2")], title="t", unit="u", is_log=True
    )
    assert logarithmic.count("<rect") == 2
    assert bars([], title="t", unit="u") == ""
