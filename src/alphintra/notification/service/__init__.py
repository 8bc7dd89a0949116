"""Use cases of notification."""
