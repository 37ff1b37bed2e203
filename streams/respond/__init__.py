"""crisis.events -> tasks, statements and notifications."""
