"""Veille: spots a brand crisis while it is still small, and walks the crisis cell through its plan."""

__version__ = "0.1.0"
