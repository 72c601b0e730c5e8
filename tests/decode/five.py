"""What the tests of generation and of its records share: five tokens, so that the five likeliest are a whole law."""

K, NEW, V = 3, 24, 5
PROMPTS = [[1, 2, 3], [4], [2, 2, 1, 3, 4, 1]]
RULES = ("match", "rejection", "block")


def bare(step):
    """A step without its clock."""
    if step is None:
        return None
    return {name: getattr(step, name) for name in step.__dataclass_fields__ if "seconds" not in name}


def law(entries):
    out = [0.0] * V
    for token, value in entries:
        out[token] = value
    return out
