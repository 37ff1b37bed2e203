"""The crisis room."""
