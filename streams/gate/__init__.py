"""The verification gate: what is known of one crisis, and which statements may leave. Pure; the crisis stage asks it of every command."""
