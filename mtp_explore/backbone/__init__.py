"""Floor 1: a causal language model as hidden states, laws and a cache that keeps any rows."""
