"""mentions.enriched -> brand.signals: expected counts, stories, growth, one budgeted number a brand."""
