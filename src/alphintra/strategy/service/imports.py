"""Use cases of the catalogue: uploads, imports as jobs, what there is."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from alphintra.contracts.strategy import (
    DataIssueView,
    DatasetsView,
    DatasetView,
    GetDataset,
    ImportDataset,
    ImportView,
)
from alphintra.infrastructure.events import append_audit
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import DatasetId
from alphintra.strategy.domain.market_files import ImportOptions, require_options, sentences
from alphintra.strategy.domain.requests import may_see, require_label
from alphintra.strategy.gateways.catalogue import data_hash, write_split
from alphintra.strategy.gateways.market_rows import parquet_pieces, text_pieces
from alphintra.strategy.gateways.market_tables import SymbolTable, tables_of
from alphintra.strategy.gateways.services import service_context
from alphintra.strategy.gateways.uploads import is_parquet
from alphintra.strategy.repository import Dataset
from alphintra.strategy.service.jobs import LEASE, Progress, carry_out

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alphintra.kernel.clock import Clock
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.strategy.gateways.catalogue import Catalogue
    from alphintra.strategy.repository import Desk

__all__ = [
    "dataset_view",
    "get_dataset",
    "get_import",
    "list_datasets",
    "newest_dataset",
    "newest_datasets",
    "run_import",
    "start_import",
]

FILE_NAME_MAX = 200
LICENCE_MAX = 500
COLUMNS_MAX = 20
SPLITS_MAX = 100
ROWS_GUESS = 20_000  # progress towards an unknown total: half way at this many rows


async def start_import(
    command: ImportDataset, context: Context, *, desk: Desk, catalogue: Catalogue, ids: IdSource, at: datetime
) -> ImportView:
    """Queue an import of an uploaded file.

    Raises UPLOAD_NOT_FOUND, FIELD_LENGTH, FIELD_CHARS, or what `require_options` does.
    """
    for name, text in (("file_name", command.file_name), ("source", command.source)):
        require_label(text, name, length_max=FILE_NAME_MAX)
    options = _options(command)
    catalogue.require_upload(command.upload_id)
    import_id = ids.new()
    facts: dict[str, Any] = {"file_name": command.file_name, "source": command.source}
    async with desk.transaction() as tx:
        await tx.execute(
            "imports.insert",
            import_id,
            context.actor.user_id,
            command.upload_id,
            command.file_name,
            command.source,
            command.symbol,
            at,
            msgspec.json.encode(options).decode(),
        )
        subject = f"import:{import_id}"
        await append_audit(tx.session, "dataset.import", subject, facts, ids=ids, context=context, at=at)
        tx.wake_service()
    return await get_import(import_id, context, desk=desk)


async def get_import(import_id: UUID, context: Context, *, desk: Desk) -> ImportView:
    """Return an import's state. Raises IMPORT_NOT_FOUND, also for other people's."""
    row = await desk.row("imports.get", import_id)
    if row is None or not may_see(row["owner_id"], context):
        raise AlphintraError("IMPORT_NOT_FOUND", f"there is no import {import_id}", kind=Kind.NOT_FOUND)
    return ImportView(
        import_id=row["import_id"],
        status=row["status"],
        progress=row["progress"],
        dataset_ids=tuple(row["dataset_ids"]),
        error_code=row["error_code"],
        error=row["error"],
    )


async def list_datasets(context: Context, *, desk: Desk) -> DatasetsView:
    """Return each symbol's newest dataset, by symbol: the actor's own before the operator's, nobody else's."""
    return DatasetsView(
        datasets=tuple(dataset_view(dataset) for dataset in await desk.newest_datasets(context.actor.user_id))
    )


async def get_dataset(command: GetDataset, context: Context, *, desk: Desk) -> DatasetView:
    """Return the newest dataset of a symbol. Raises SYMBOL_UNKNOWN with the symbols there are."""
    return dataset_view(await newest_dataset(command.symbol, context, desk=desk))


async def newest_dataset(symbol: str, context: Context, *, desk: Desk) -> Dataset:
    """Return the newest dataset of a symbol: the actor's own before the operator's, which everybody shares.

    Raises SYMBOL_UNKNOWN with the symbols there are.
    """
    (found,) = await newest_datasets((symbol,), context, desk=desk)
    return found


async def newest_datasets(symbols: Sequence[str], context: Context, *, desk: Desk) -> tuple[Dataset, ...]:
    """Return the newest dataset of each symbol, as above. Raises SYMBOL_UNKNOWN naming those that have none."""
    known = {dataset.symbol: dataset for dataset in await desk.newest_datasets(context.actor.user_id)}
    missing = [symbol for symbol in symbols if symbol not in known]
    if missing:
        names = ", ".join(sorted(known)[:20]) or "nothing yet: import a file first"
        wanted = " and no ".join(repr(symbol[:40]) for symbol in missing)
        pointer = "/symbol" if len(symbols) == 1 else "/symbols"
        message = f"the catalogue has no {wanted}; it has {names}"
        raise AlphintraError("SYMBOL_UNKNOWN", message, kind=Kind.NOT_FOUND, pointer=pointer)
    return tuple(known[symbol] for symbol in symbols)


async def run_import(row: Mapping[str, Any], *, desk: Desk, catalogue: Catalogue, clock: Clock, ids: IdSource) -> None:
    """Carry out a leased import; safe to repeat, because equal content keeps its dataset.

    All symbols of a file are entered together or not at all.
    """
    import_id: UUID = row["import_id"]
    progress = Progress()

    async def keep_lease() -> None:
        async with desk.transaction() as tx:
            await tx.execute("imports.progress", import_id, progress.share, clock.now() + LEASE)

    compute = partial(_read_and_store, row, catalogue, progress, ids, clock.now())
    outcome = await carry_out(compute, progress, keep_lease=keep_lease)
    fault_point("strategy.import_written")
    if isinstance(outcome, AlphintraError):
        await _fail(import_id, outcome, desk=desk)
    else:
        await _enter(import_id, outcome, desk=desk, catalogue=catalogue, clock=clock, ids=ids)
    fault_point("strategy.import_stored")
    catalogue.drop_upload(row["upload_id"])


async def _enter(
    import_id: UUID, datasets: tuple[Dataset, ...], *, desk: Desk, catalogue: Catalogue, clock: Clock, ids: IdSource
) -> None:
    context = service_context(import_id.hex)
    async with desk.transaction() as tx:
        entered = []
        for dataset in datasets:
            entered.append(await tx.put_dataset(dataset))
            await asyncio.to_thread(catalogue.rename, dataset.dataset_id, entered[-1])
        if await tx.execute("imports.finish", import_id, "finished", 1.0, entered, "", ""):
            facts: dict[str, Any] = {"datasets": {item.symbol: item.data_hash for item in datasets}}
            subject = f"import:{import_id}"
            await append_audit(tx.session, "dataset.enter", subject, facts, ids=ids, context=context, at=clock.now())


def _read_and_store(
    row: Mapping[str, Any], catalogue: Catalogue, progress: Progress, ids: IdSource, at: datetime
) -> tuple[Dataset, ...]:
    def told(rows: int) -> None:
        progress.share = 0.9 * rows / (rows + ROWS_GUESS)
        progress.check()

    options = msgspec.json.decode(row["options"], type=ImportOptions)
    path = catalogue.upload_path(row["upload_id"])
    file_hash = _hash(path)
    if is_parquet(path):
        pieces = parquet_pieces(path, options, progress=told)
    else:
        pieces = text_pieces(catalogue.upload_lines(row["upload_id"]), options, progress=told)
    stored = []
    for table in tables_of(pieces, options, at=at):
        progress.check()
        dataset_id = DatasetId(ids.new())
        catalogue.write_frame(dataset_id, table.frame)
        stored.append(_described(table, row, options, dataset_id=dataset_id, file_hash=file_hash, at=at))
    return tuple(stored)


def _described(
    table: SymbolTable,
    row: Mapping[str, Any],
    options: ImportOptions,
    *,
    dataset_id: DatasetId,
    file_hash: str,
    at: datetime,
) -> Dataset:
    splits = tuple(write_split(split) for split in table.adjusted.splits)
    return Dataset(
        dataset_id=dataset_id,
        symbol=table.symbol,
        timeframe=table.timeframe,
        source=row["source"],
        row_count=len(table.frame),
        first_ts=table.frame["ts"][0],
        last_ts=table.frame["ts"][-1],
        splits=splits,
        findings=sentences(table.findings),
        data_hash=data_hash(table.frame, splits, table.adjusted.dividends),
        imported_at=at,
        owner_id=row["owner_id"],
        dividends=table.adjusted.dividends,
        licence=options.licence,
        file_format=table.format,
        file_hash=file_hash,
        zone=table.zone,
        stamps=options.stamps,
        price_basis=table.price_basis,
        issues=msgspec.json.encode(table.findings).decode(),
    )


def _options(command: ImportDataset) -> ImportOptions:
    """Return what the command says of its file, checked."""
    for name, values, most in (
        ("columns", tuple(command.columns.values()), COLUMNS_MAX),
        ("splits", command.splits, SPLITS_MAX),
        ("allow", command.allow, COLUMNS_MAX),
    ):
        if len(values) > most:
            raise AlphintraError("FIELD_LENGTH", f"{name} may have {most} entries", pointer=f"/{name}")
        for text in values:
            require_label(text, name, length_max=FILE_NAME_MAX)
    if command.licence:
        require_label(command.licence, "licence", length_max=LICENCE_MAX)
    names = ("symbol", "format", "columns", "zone", "stamps", "timeframe", "allow", "splits", "licence")
    options = ImportOptions(**{name: getattr(command, name) for name in names})
    require_options(options)
    return options


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def _fail(import_id: UUID, error: AlphintraError, *, desk: Desk) -> None:
    async with desk.transaction() as tx:
        await tx.execute("imports.finish", import_id, "failed", 1.0, [], error.code, error.detail)


def dataset_view(dataset: Dataset) -> DatasetView:
    """Show a dataset."""
    return DatasetView(
        dataset_id=dataset.dataset_id,
        symbol=dataset.symbol,
        timeframe=dataset.timeframe,
        source=dataset.source,
        rows=dataset.row_count,
        first_ts=dataset.first_ts,
        last_ts=dataset.last_ts,
        splits=dataset.splits,
        findings=dataset.findings,
        data_hash=dataset.data_hash,
        imported_at=dataset.imported_at,
        dividends=dataset.dividends,
        licence=dataset.licence,
        file_format=dataset.file_format,
        file_hash=dataset.file_hash,
        zone=dataset.zone,
        stamps=dataset.stamps,
        price_basis=dataset.price_basis,
        issues=msgspec.json.decode(dataset.issues, type=tuple[DataIssueView, ...]),
    )
