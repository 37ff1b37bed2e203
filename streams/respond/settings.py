"""Settings of the respond stage, as values: the pure parts get this object and nothing else of the environment."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class RespondSettings(BaseModel):
    """Read from ``VEILLE_RESPOND__NAME``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    webhook_url: str = Field("", description="Where crisis events are posted (Standard Webhooks); empty: nowhere.")
    webhook_secret: str = Field("", repr=False, description="whsec_... secret that signs the posts.")
    webhook_attempts: int = Field(6, ge=1, description="Attempts before a notification goes to the dead letters.")
    allow_private_targets: bool = Field(False, description="Post to loopback and private addresses too.")
    ca_file: str = Field("", description="CA certificates (PEM) of targets in your own network, beside the public ones.")
    attempt_seconds: float = Field(10.0, gt=0, description="Longest time of one attempt, connect to last byte.")
    retry_seconds: float = Field(2.0, ge=0, description="Wait before the first repeat; it doubles each time.")
    retry_ceiling_seconds: float = Field(300.0, ge=0, description="Longest wait between two attempts.")
    update_minutes: int = Field(60, ge=1, description="Least time between two messages that only update a crisis.")
    routes: str = Field("", description="YAML file of routes; empty: `webhook_url` gets everything.")
    playbooks: str = Field("", description="Folder of playbooks; empty: the ones that are shipped.")
    language: str = Field("en", pattern="^(en|fr)$", description="Language of notifications and tasks.")
