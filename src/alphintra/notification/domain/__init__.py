"""Decisions of notification: what a message says, whom it goes to, when and where."""
