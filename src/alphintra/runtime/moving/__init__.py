"""Moves of services under way in one home: what is noted of them, who does them, who ends them for a killed tool."""
