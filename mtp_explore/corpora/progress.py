"""The bar of work that may take a while: shown after its first second, gone when it is done."""


def bar(what: str, total: int | None, shown: bool, unit: str = " tokens"):
    """A tqdm bar (`update(n)`, and a `with` block closes it); shown=False: silent."""
    from tqdm.auto import tqdm

    return tqdm(total=total, desc=what, unit=unit, unit_scale=True, delay=1.0, leave=False, disable=not shown)
