"""What ``db verify`` shows to people: matrices, findings, one line that sums up."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from alphintra.cli.output import print_rich
from alphintra.dataplane.attack.model import Effect, Place
from alphintra.dataplane.matrix import Outcome

if TYPE_CHECKING:
    from alphintra.dataplane.attack.findings import Assessment, Finding, PairVerdict
    from alphintra.dataplane.matrix import AccessMatrix, Cell

__all__ = ["print_verification"]

_STYLES = {
    Outcome.ALLOWED: "bold red",
    Outcome.ERROR: "bold magenta",
    Outcome.LEAKS: "yellow",
    Outcome.DENIED: "green",
}


def print_verification(
    matrices: tuple[AccessMatrix, ...], found: Assessment | None, *, only_findings: bool, with_details: bool
) -> None:
    """Print the matrices of data and bus, that of all probes, the findings, and the verdict."""
    if not only_findings:
        for matrix in matrices:
            print_rich(*_access(matrix))
    if found is not None:
        if not only_findings:
            print_rich(_pairs(found), Text(""))
        if with_details:
            print_rich(_probes(found), Text(""))
        print_rich(_findings(found, with_reasons=only_findings or with_details), *_inconclusive(found), Text(""))
    print_rich(_verdict(matrices, found))


def _access(matrix: AccessMatrix) -> tuple[object, ...]:
    targets = list(dict.fromkeys(cell.target for cell in matrix.cells))
    table = _square(
        f"{matrix.kind}: rows tried with their own credential, columns are whose {matrix.kind} it is", targets
    )
    cells = {(cell.user, cell.target): cell for cell in matrix.cells}
    for user in dict.fromkeys(cell.user for cell in matrix.cells):
        row = (cells.get((user, target)) for target in targets)
        table.add_row(user, *(Text("-") if cell is None else _word(cell) for cell in row))
    verdict = "every try ended as declared" if matrix.is_isolated else "NOT as declared"
    return (
        table,
        Text(f"{matrix.allowed_count} allow, {matrix.denied_count} deny; {verdict}"),
        *(Text(f"  fault: {fault}", style="red") for fault in matrix.faults),
        *(Text(f"  not provable: {limit}") for limit in matrix.limits),
        Text(""),
    )


def _pairs(found: Assessment) -> Table:
    names = list(dict.fromkeys(pair.attacker for pair in found.pairs))
    title = (
        f"{len(found.probes)} probes, {found.layout}, {found.level.value}: rows against columns, "
        "access+leaks that get through"
    )
    table = _square(title, names)
    pairs = {(pair.attacker, pair.victim): pair for pair in found.pairs}
    effects = {attack.name: attack.effect for attack in found.probes}
    for attacker in names:
        table.add_row(attacker, *(_count(pairs[attacker, victim], effects) for victim in names))
    return table


def _square(title: str, names: list[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False)
    table.add_column("")
    for name in names:
        table.add_column(name, justify="center")
    return table


def _list(title: str) -> Table:
    return Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False, padding=(0, 1, 0, 0))


def _word(cell: Cell) -> Text:
    word = "allow" if cell.is_allowed else "deny"
    if not cell.is_as_declared:
        return Text(f"{word}!", style="bold red")
    return Text(word, style="green" if cell.is_allowed else "dim")


def _count(pair: PairVerdict, effects: dict[str, Effect]) -> Text:
    """Show a pair as numbers: ``2+3`` is two that give access and three that leak; its own bounds in brackets."""
    if pair.verdict is Outcome.ERROR and not pair.open:
        return Text("?", style=_STYLES[Outcome.ERROR])
    counts = Counter(effects[name] for name in pair.open)
    if pair.attacker == pair.victim:
        return Text(f"({len(pair.open)})", style="dim")
    access, leaks = counts[Effect.ACCESS], counts[Effect.LEAK]
    return Text(f"{access}+{leaks}" if access or leaks else "-", style=_STYLES[pair.verdict])


def _findings(found: Assessment, *, with_reasons: bool) -> Table:
    table = _list("What got through")
    for column, width in (("probe", 27), ("pairs", 5), ("what it means", 30), ("how to close it", 32)):
        table.add_column(column, width=width, overflow="fold")
    for finding in found.findings:
        close = finding.attack.close
        if finding.closes_under:
            close = f"{close} (closed under {finding.closes_under})"
        if with_reasons and finding.reasons:
            close = f"{close}. Accepted: {'; '.join(finding.reasons)}"
        style = "dim" if finding.is_accepted else "bold red"
        mark = "" if finding.is_accepted else "! "
        table.add_row(Text(f"{mark}{finding.attack.name}", style=style), _where(finding), finding.attack.means, close)
    if not found.findings:
        table.add_row("(none)", "", "", "")
    return table


def _where(finding: Finding) -> Text:
    return Text("own" if finding.attack.place is Place.SELF else str(len(finding.pairs)), justify="right")


def _probes(found: Assessment) -> Table:
    table = _list("Every probe")
    for column, width in (("probe", 30), ("came to", 20), ("PostgreSQL's answer, the first of each kind", 46)):
        table.add_column(column, width=width, overflow="fold")
    for attack in found.probes:
        answers = [result.answer for result in found.results if result.attack is attack]
        first = {answer.outcome: answer for answer in reversed(answers)}
        counts = Counter(answer.outcome for answer in answers)
        words = ", ".join(f"{count} {outcome.value}" for outcome, count in counts.items())
        said = "; ".join(f"{answer.code} {answer.text}".strip() for answer in first.values())
        table.add_row(attack.name, words, said)
    return table


def _inconclusive(found: Assessment) -> list[Text]:
    seen = {result.attack.name: result for result in reversed(found.errors)}
    return [
        Text(
            f"  proves nothing: {result.attack.name}, {result.attacker} against {result.victim}: "
            f"{result.answer.code} {result.answer.text}",
            style="magenta",
        )
        for result in seen.values()
    ]


def _verdict(matrices: tuple[AccessMatrix, ...], found: Assessment | None) -> Text:
    is_isolated = all(matrix.is_isolated for matrix in matrices) and (found is None or found.is_as_accepted)
    word = "isolated" if is_isolated else "NOT isolated"
    parts = [f"{matrix.kind} {matrix.allowed_count} allow, {matrix.denied_count} deny" for matrix in matrices]
    if found is not None:
        accepted = len(found.findings) - len(found.unaccepted)
        parts.append(f"{len(found.findings)} of {len(found.probes)} probes open, {accepted} accepted")
    drift = sum(len(matrix.drift) for matrix in matrices)
    parts.append(f"{drift} differences from the manifest" if drift else "no drift")
    return Text(f"{word}: {'; '.join(parts)}", style="bold green" if is_isolated else "bold red")
