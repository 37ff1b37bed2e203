"""Seeded mention streams with planted snowballs."""

from streams.simulate.simulation import PlantedEvent, Simulation, simulate

__all__ = ["PlantedEvent", "Simulation", "simulate"]
