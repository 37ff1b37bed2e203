"""Settings of the crisis stage, as values: the pure parts get this object and nothing else of the environment."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class CrisisSettings(BaseModel):
    """Read from ``VEILLE_CRISIS__NAME``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    open_steps: int = Field(1, ge=1, description="Steps over the threshold, of the last `open_of_steps`, that open a crisis.")
    open_of_steps: int = Field(3, ge=1, description="See `open_steps`.")
    open_margin: float = Field(10.0, ge=1, description="A number this many times rarer than the threshold opens at once.")
    escalate_minutes: int = Field(10, ge=1, description="Least time between two escalations.")
    update_minutes: int = Field(30, ge=1, description="Least time between two updates in which nothing else changed.")
    reopen_hours: int = Field(24, ge=1, description="Within this time after resolving, the same crisis reopens.")
    suspect_minutes: int = Field(180, ge=1, description="A suspicion that nothing confirms for this long is withdrawn.")
    ease_hours: int = Field(6, ge=1, description="Nothing over the threshold for this long eases, where detect said nothing earlier.")
    resolve_hours: int = Field(24, ge=1, description="The same, for resolving.")
    keep_closed: int = Field(20, ge=1, description="Closed crises of a brand that commands can still name.")
    keep_commands: int = Field(1000, ge=1, description="Command ids of a brand that are remembered, to drop second deliveries.")
