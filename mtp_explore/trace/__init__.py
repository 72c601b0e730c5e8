"""Floor 0: what a generation leaves behind. Pure Python; nothing here knows torch."""
