"""Floor 4: measuring. The exact law of decoding, and what will stand beside it."""
