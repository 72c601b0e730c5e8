"""Multi-token prediction, method beside method.

    import mtp_explore as mtp

Public names load on first use, so figures and players open without torch. A public name wins over a
subpackage of the same name: `mtp.decode` is the function, and `from mtp_explore.decode.loop import run` still
finds the file.
"""

import difflib
import sys
from importlib import import_module
from types import ModuleType

__version__ = "0.1.0"

_PUBLIC = {  # name -> module that defines it
    "Trace": "trace.records",
    "play": "trace.html",
    "recorded": "trace.recorded",
    "load_backbone": "backbone.load",
    "load_corpus": "corpora",
    "load_drafter": "drafters",
    "make_drafter": "drafters",
    "generate": "decode.generate",
    "decode": "decode.generate",
    "sample": "decode.generate",
    "fit": "train.fit",
    "exact_law": "measure.law",
    "exact_joint": "measure.joint",
    "meter": "measure.meter",
}
_ROOMS = ("exercises", "measure", "plots", "tensors", "widgets")  # subpackages that `mtp.<name>` also opens

__all__ = sorted(_PUBLIC)


def __getattr__(name: str):
    if name in _PUBLIC:
        value = getattr(import_module(f".{_PUBLIC[name]}", __name__), name)
    elif name in _ROOMS:
        value = import_module(f".{name}", __name__)
    else:
        near = difflib.get_close_matches(name, [*_PUBLIC, *_ROOMS], n=3) or __all__
        raise AttributeError(f"mtp_explore has no name {name!r}; nearest: {', '.join(near)}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC, *_ROOMS})


class _Package(ModuleType):
    """Importing a subpackage sets it on its parent; a public name of that name stays itself."""

    def __setattr__(self, name: str, value) -> None:
        if not (name in _PUBLIC and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
