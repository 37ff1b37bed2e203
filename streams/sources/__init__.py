"""What publishes mentions: files replayed with their clock."""
