"""Feeds that are watched and beats of background jobs, in the risk database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.risk.domain.watchdogs import FeedWatch, JobBeat

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from alphintra.infrastructure.postgres import Session

__all__ = ["Watches"]


class Watches:
    """Statements of watchdogs, inside the transaction of a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def expect(self, feed_id: UUID, *, status: str, interval_ms: int, at: datetime) -> None:
        """Note what is to be expected of a feed from now on."""
        await self._session.execute("feed_watches.expect", feed_id, status, interval_ms, at)

    async def feeds(self, *, at: datetime) -> tuple[FeedWatch, ...]:
        """Note which feeds moved since the last look; read those that run or were told to be silent."""
        await self._session.execute("feed_watches.move", at)
        return tuple(FeedWatch(**row) for row in await self._session.rows("feed_watches.list"))

    async def save_feeds(self, watches: Sequence[FeedWatch]) -> None:
        """Store what was told of feeds."""
        if watches:
            columns = ([one.feed_id for one in watches], [one.is_silent for one in watches])
            await self._session.execute("feed_watches.tell", *columns, [one.silences for one in watches])

    async def beat(self, job: str, *, at: datetime) -> None:
        """Note that a job came round."""
        await self._session.execute("job_beats.note", job, at)

    async def jobs(self) -> tuple[JobBeat, ...]:
        """Read when each job last came round; held until the transaction ends."""
        return tuple(JobBeat(**row) for row in await self._session.rows("job_beats.lock"))

    async def save_jobs(self, beats: Sequence[JobBeat]) -> None:
        """Store what was told of jobs."""
        if beats:
            columns = ([one.job for one in beats], [one.beat_at for one in beats], [one.is_dead for one in beats])
            await self._session.execute("job_beats.tell", *columns, [one.deaths for one in beats])
