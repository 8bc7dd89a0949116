"""``alphintra demo``: the platform's main job from end to end, each step checked in the owning service's data."""

from alphintra.cli.demo.run import demo

__all__ = ["demo"]
