"""Floor 1: probability algebra on tensors. No modules, float64-safe."""
