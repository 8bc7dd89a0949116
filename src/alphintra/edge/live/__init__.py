"""The live stream of the interface: one WebSocket with channels, see docs/live-stream.md."""
