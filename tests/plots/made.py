"""Made-up inputs of the figures: a sparse joint whose tokens depend on each other, beliefs that collapse, ranks."""

import numpy as np

HOSTILE = [
    "<b>x</b>",
    "a&lt;b",
    "$x^2$",
    "%{lost}",
    "\n",
    "\u202eabc",
    " fox",
    "fox",
    "שלום",
    "",
    "'\"",
    "<img src=x onerror=alert(1)>",
]


def tokens(count: int) -> list[str]:
    return [f" w{i}" for i in range(count)]


def joint(*sizes: int, rank: int = 4, seed: int = 0) -> np.ndarray:
    """A mixture of `rank` sparse products: a law over sizes."""
    g = np.random.default_rng(seed)
    law = np.zeros(sizes)
    for weight in g.dirichlet(np.ones(rank)):
        part = np.array(weight)
        for size in sizes:
            part = np.multiply.outer(part, g.dirichlet(np.full(size, 0.2)))
        law += part
    return law / law.sum()


def product(law: np.ndarray) -> np.ndarray:
    """The product of the marginals, rank 1."""
    shadow = np.array(1.0)
    for axis in range(law.ndim):
        shadow = np.multiply.outer(shadow, law.sum(tuple(i for i in range(law.ndim) if i != axis)))
    return shadow


def laws(rows: int, size: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(size, 0.5), rows)


def ranks(places: int, distances: int, seed: int = 0) -> np.ndarray:
    """Ranks that grow with the distance; -1 at the last places, where the text ended."""
    g = np.random.default_rng(seed)
    table = np.stack([np.floor(g.pareto(1.5, places) * (1 + k)) for k in range(distances)], 1).astype(int)
    table[-1, 1:] = -1
    return table
