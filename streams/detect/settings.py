"""Settings of the detect stage, as values: the pure parts get this object and nothing else of the environment."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class DetectSettings(BaseModel):
    """Read from ``VEILLE_DETECT__NAME``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    grid_seconds: int = Field(60, ge=1, description="Distance of the fixed lines of event time at which brands are judged.")
    reading_seconds: int = Field(300, ge=60, description="How often a hot brand emits a reading when nothing else changes.")
    max_stories: int = Field(40, ge=1, description="Live stories kept for one brand; the least interesting go first.")
    max_step: int = Field(
        500,
        ge=50,
        description="Mentions of one brand between two grid lines that are all looked at; beyond it a sample, and readings say so.",
    )
    max_awake: int = Field(
        4096,
        ge=0,
        description="Brands of one partition that are kept ready; of the others only packed bytes are, until they are spoken of.",
    )
    max_waiting: int = Field(200_000, ge=1000, description="Mentions that may wait for the watermark before reading pauses.")
