"""Floor 3: the loop. One backbone call per step, with any drafter, rule and plan."""
