"""What the inspector answers of long work: assessments, moves, backups, retention, maintenance; see `inspector`."""

from __future__ import annotations

from alphintra.kernel.messages import Command, Utc, View

__all__ = [
    "BackupsView",
    "GetBackups",
    "GetLayouts",
    "GetMoves",
    "GetRetention",
    "GetWindows",
    "LayoutsView",
    "MovesView",
    "RetentionView",
    "WindowsView",
]


class LayoutVerdictView(View, frozen=True):
    """The answer to one claim for one layout; ``brief`` is its deciding figure, ``condition`` what it takes."""

    layout: str
    word: str
    brief: str
    evidence: str
    condition: str


class LayoutClaimView(View, frozen=True):
    """One claim with the verdict of each layout that was measured."""

    number: int
    claim: str
    measured: str
    rule: str
    verdicts: tuple[LayoutVerdictView, ...]


class LayoutsView(View, frozen=True):
    """The assessment kept in the home, as it was measured.

    Attributes:
        layout: the one in force.
        made_at: when the assessment was made; None where there is none.
        is_quick: whether it used few rows and rounds.
        machine: where it was measured.
        reproduce: the command that makes such a report.
        layouts: those measured.
        claims: in order of number.
    """

    at: Utc
    layout: str
    made_at: Utc | None
    is_quick: bool
    rows: int
    machine: str
    reproduce: str
    layouts: tuple[str, ...]
    claims: tuple[LayoutClaimView, ...]
    problem: str = ""


class GetLayouts(Command[LayoutsView], tag="inspector.get_layouts.v1", frozen=True):
    """Ask for the assessment of layouts that is kept in the home."""


class MoveView(View, frozen=True):
    """One service's move that is not over.

    Attributes:
        step: how far it is, as the journal says.
        doing: what is being done, in words; empty if no command works on it now.
        rows: copied or compared.
        share: of the copy, 0 to 1.
        left_s: seconds that are left of it.
        lag_bytes: of the log that is still to be applied.
        told_at: when the working command last said so.
    """

    service: str
    step: str
    source: str
    target: str
    rows: int
    bytes: int
    pause_ms: float
    doing: str = ""
    share: float | None = None
    left_s: float | None = None
    lag_bytes: int | None = None
    told_at: Utc | None = None


class ChangeOverView(View, frozen=True):
    """One change-over that is over, forth or back."""

    at: Utc
    service: str
    source: str
    target: str
    is_back: bool
    rows: int
    differences: int
    pause_ms: float


class MovesView(View, frozen=True):
    """The moves under way, and the latest change-overs; ``to`` is the layout they go to."""

    at: Utc
    to: str
    moves: tuple[MoveView, ...]
    history: tuple[ChangeOverView, ...]
    problem: str = ""


class GetMoves(Command[MovesView], tag="inspector.get_moves.v1", frozen=True):
    """Ask which services are being moved and how far that is."""


class BackupJobView(View, frozen=True):
    """One scheduled job: what came of it the last time, and when it comes next; ``state`` none, cut, done or failed."""

    kind: str
    of: str
    schedule: str
    state: str
    began_at: Utc | None
    ended_at: Utc | None
    code: str
    detail: str
    backup: str
    next_at: Utc | None


class BackupView(View, frozen=True):
    """The newest backup of one service or instance, and how many there are."""

    of: str
    backup: str
    kind: str
    ended_at: Utc
    stored_bytes: int
    count: int


class BackupProofView(View, frozen=True):
    """What the latest restore for real of one service or instance came to."""

    of: str
    backup: str
    at: Utc
    is_sound: bool
    tables: int
    rows: int
    seconds: float
    detail: str


class BackupsView(View, frozen=True):
    """Backups: what is scheduled, what there is, what was restored for real; ``target`` is empty if there is none."""

    at: Utc
    target: str
    jobs: tuple[BackupJobView, ...]
    backups: tuple[BackupView, ...]
    proofs: tuple[BackupProofView, ...]
    problem: str = ""


class GetBackups(Command[BackupsView], tag="inspector.get_backups.v1", frozen=True):
    """Ask for the state of backups."""


class RetentionRuleView(View, frozen=True):
    """One rule about one table: how many rows are due, held by a legal hold, or not at rest yet."""

    service: str
    table: str
    terms: str
    is_archived: bool
    cutoff: Utc
    due: int
    held: int
    blocked: int


class HoldsView(View, frozen=True):
    """How many legal holds of one service are in force."""

    service: str
    holds: int


class RetiredView(View, frozen=True):
    """One month or some rows of a table that retention has taken away or begun to."""

    service: str
    table: str
    state: str
    rows: int
    archive: str
    started_at: Utc
    ended_at: Utc | None


class RetentionView(View, frozen=True):
    """How long records are kept, what is due, and what was done."""

    at: Utc
    profile: str
    rules: tuple[RetentionRuleView, ...]
    holds: tuple[HoldsView, ...]
    retired: tuple[RetiredView, ...]
    problem: str = ""


class GetRetention(Command[RetentionView], tag="inspector.get_retention.v1", frozen=True):
    """Ask what retention is due and what it did."""


class WindowView(View, frozen=True):
    """When the upkeep of one service may be done; only a window that was chosen is used without being asked."""

    service: str
    window: str
    is_chosen: bool
    is_open: bool
    opens_at: Utc


class UpkeepView(View, frozen=True):
    """Upkeep that runs now; ``share`` is of the phase it is in."""

    instance: str
    doing: str
    phase: str
    share: float


class WindowsView(View, frozen=True):
    """The maintenance windows, and what runs."""

    at: Utc
    windows: tuple[WindowView, ...]
    running: tuple[UpkeepView, ...]
    problem: str = ""


class GetWindows(Command[WindowsView], tag="inspector.get_windows.v1", frozen=True):
    """Ask for the maintenance windows and the upkeep that runs."""
