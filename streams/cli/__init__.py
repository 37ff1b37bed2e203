"""The ``veille`` command: one file for each command, nothing here that a stage could want."""
