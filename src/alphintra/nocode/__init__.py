"""nocode: strategy graphs as workflows with immutable versions; node catalogue, templates and validation."""
