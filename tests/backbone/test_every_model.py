"""Every causal type of transformers, built small with random numbers in all its places: it decodes under its own
distributions, or is refused in words. None differs in silence (tests/backbone/every_outcome.py lists them).
"""

import pytest
import transformers
from every_model import OTHER, found, random_model
from every_outcome import NOT_BUILT, REFUSED, SERVED, WITHOUT_SLOTS
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from mtp_explore.backbone.load import Backbone

pytestmark = pytest.mark.slow
TYPES = sorted({*MODEL_FOR_CAUSAL_LM_MAPPING_NAMES, *(name for name in OTHER if "/" in name)})
WHY = {name: why for why, names in REFUSED.items() for name in names}
LISTED = transformers.__version__.startswith("5.23.")  # of other versions only the silence is asked


def outcome(name: str) -> tuple[str, str]:
    """What becomes of a type, and in which words."""
    try:
        model = random_model(name)
    except Exception as error:
        return "not built", str(error)
    try:
        backbone = Backbone(model, name=name)
    except ValueError as error:
        return "refused", str(error)
    far, change, refused = found(backbone)
    assert change > 1e-3 and refused > 10, "the model says nearly the same everywhere: this shows nothing"
    assert far < change / 100, f"decoding is {far:.2g} off, in silence"
    return ("served" if backbone.takes_slots else "served without slots"), ""


# A type is served under the distributions of its own whole forward pass by token ids, in single rows and in a ragged
# batch, after refused drafts and beside slots; or it is refused when it is wrapped; and it is listed which.
@pytest.mark.parametrize("name", TYPES)
def test_no_silent_difference(name):
    what, words = outcome(name)
    if LISTED:
        listed = {**dict.fromkeys(SERVED, "served"), **dict.fromkeys(WITHOUT_SLOTS, "served without slots")}
        listed |= dict.fromkeys(WHY, "refused") | dict.fromkeys(NOT_BUILT, "not built")
        assert what == listed[name], words
        assert WHY.get(name, "") in words
    if what == "refused":
        assert words.startswith("model type '") and "take a causal model with" in words


# No type is in two lists.
def test_lists_are_apart():
    names = [*SERVED, *WITHOUT_SLOTS, *WHY, *NOT_BUILT]
    assert len(names) == len(set(names))
    assert not LISTED or set(names) == set(TYPES)
