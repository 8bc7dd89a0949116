"""Composition root of nocode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.contracts import nocode as messages
from alphintra.nocode.endpoints import Endpoints
from alphintra.nocode.repository import Workflows

if TYPE_CHECKING:
    from alphintra.infrastructure.host import Parts, ServiceHost

__all__ = ["wire"]


def wire(host: ServiceHost, _parts: Parts) -> None:
    """Enter what nocode answers."""
    endpoints = Endpoints(workflows=Workflows(host.database), clock=host.clock, ids=host.ids)
    answer = host.bus.answer
    answer(messages.ListNodes, endpoints.list_nodes)
    answer(messages.ListTemplates, endpoints.list_templates)
    answer(messages.ValidateGraph, endpoints.validate_graph)
    answer(messages.CreateWorkflow, endpoints.create_workflow)
    answer(messages.SaveWorkflow, endpoints.save_workflow)
    answer(messages.GetWorkflow, endpoints.get_workflow)
    answer(messages.ListWorkflows, endpoints.list_workflows)
    answer(messages.GetWorkflowVersion, endpoints.get_workflow_version)
