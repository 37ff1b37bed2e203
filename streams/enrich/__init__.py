"""mentions.raw -> mentions.enriched: whom a mention names, what it says, how loud and how credible."""
