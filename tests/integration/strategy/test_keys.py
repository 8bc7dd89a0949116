"""A key of one account or one mode reaches no deployment of another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
import pytest

from alphintra.contracts.strategy import GetDeployment, ListDecisions, ListDeployments, StopDeployment
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import AccountMode

if TYPE_CHECKING:
    from integration.strategy.stage import Stage


@pytest.mark.parametrize("key", [{"mode": AccountMode.LIVE}, {"mode": AccountMode.PAPER, "account_id": UUID(int=5)}])
async def test_a_key_of_another_account_or_mode_reaches_no_deployment_by_its_id(
    stage: Stage, key: dict[str, Any]
) -> None:
    deployment_id = (await stage.deploy(await stage.make_feed())).deployment_id
    by_key = msgspec.structs.replace(stage.owner, actor=msgspec.structs.replace(stage.owner.actor, **key))
    asked = (
        stage.endpoints.get_deployment(GetDeployment(deployment_id=deployment_id), by_key),
        stage.endpoints.stop_deployment(StopDeployment(deployment_id=deployment_id), by_key),
        stage.endpoints.list_decisions(ListDecisions(deployment_id=deployment_id), by_key),
    )
    for answer in asked:
        with pytest.raises(AlphintraError, match="AUTH_SCOPE"):
            await answer
    assert (await stage.endpoints.list_deployments(ListDeployments(), by_key)).deployments == ()
    assert (await stage.deployment(deployment_id)).status == "active"
    assert len((await stage.endpoints.list_deployments(ListDeployments(), stage.owner)).deployments) == 1
