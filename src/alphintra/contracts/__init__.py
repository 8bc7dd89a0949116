"""The published language between services: commands, replies and events, one module per service."""
