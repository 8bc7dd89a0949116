"""Whose market data it is: a person's imports are their own, the operator's are everybody's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from alphintra.contracts.strategy import GetDataset, GetImport, ImportDataset
from alphintra.infrastructure.system import SystemIds
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.messages import Actor, Context
from fixtures.single_service import acting
from integration.strategy.job_desk import FILE
from unit.strategy.market_csv import days, file_of

if TYPE_CHECKING:
    from integration.strategy.stage import Stage


async def test_other_peoples_imports_are_not_there(stage: Stage) -> None:
    queued = await stage.import_file(FILE, symbol="AAPL")
    command = GetImport(import_id=queued.import_id)
    with pytest.raises(AlphintraError, match="IMPORT_NOT_FOUND"):
        await stage.endpoints.get_import(command, acting(SystemIds().new()))
    with pytest.raises(AlphintraError, match="IMPORT_NOT_FOUND"):
        await stage.endpoints.get_import(GetImport(import_id=SystemIds().new()), stage.owner)


async def test_what_one_person_imports_is_nobody_elses_price(stage: Stage) -> None:
    operator = Context(trace_id="t", actor=Actor(id="operator", roles=("operator",)))
    shared = ImportDataset(upload_id=await stage.upload(FILE), file_name="a.csv", source="operator", symbol="AAPL")
    await stage.endpoints.import_dataset(shared, operator)
    await stage.import_file("".join(file_of(*days(10))).encode(), symbol="AAPL")
    await stage.work()
    seen = [
        (await stage.endpoints.get_dataset(GetDataset(symbol="AAPL"), who)).rows
        for who in (stage.owner, acting(SystemIds().new()), operator)
    ]
    assert seen == [10, 30, 30]
