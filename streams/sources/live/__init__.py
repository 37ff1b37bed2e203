"""What is published live: a webhook that takes mentions, feeds, Mastodon and Bluesky, each a source of its own (`veille collect`)."""
