"""Logits that are no numbers are answered by name, with the call and a remedy, whatever the temperature."""

import pytest
import torch
from toys import SLOT_DRAFTERS, build, toy

from mtp_explore.decode.generate import decode, generate, sample
from mtp_explore.drafters import make_drafter

BAD = {"one nan": (3, torch.nan), "all nan": (slice(None), torch.nan), "infinity": (3, torch.inf)}
BAD["nothing possible"] = (slice(None), -torch.inf)


def broken(places, value, since: int):
    """A backbone whose logits are bad from its call number `since` on."""
    backbone, calls = build(toy("llama").config), []

    def spoil(module, inputs, output):
        calls.extend([1] * (output.dim() == 3))  # the target's: drafters ask for two dimensions
        if len(calls) >= since and output.dim() == 3:
            output[-1, -1, places] = value
        return output

    backbone.model.get_output_embeddings().register_forward_hook(spoil)
    return backbone


@pytest.mark.parametrize("since", [1, 3])
@pytest.mark.parametrize("temperature", [0, 1.0])
@pytest.mark.parametrize("kind", BAD)
def test_bad_logits_are_named(kind, temperature, since):
    options = dict(temperature=temperature, eos=False)
    for run in (generate, sample, lambda *a, **o: list(decode(*a, **o))):
        with pytest.raises(ValueError, match=f"logits are not finite numbers in call {since} .*dtype=torch.float32"):
            run(broken(*BAD[kind], since), None, [[1, 2], [3, 4]], 8, **options)
    backbone = broken(*BAD[kind], since)
    with pytest.raises(ValueError, match=f"logits are not finite numbers in call {since}"):
        generate(backbone, SLOT_DRAFTERS["toy-masked"](backbone), [1, 2], 8, **options)


# Some tokens may be impossible: that is a distribution as good as any.
def test_impossible_tokens_are_fine():
    backbone = broken(slice(1, 9), -torch.inf, 1)
    assert not set(generate(backbone, None, [1, 2], 12, eos=False).tokens) & set(range(1, 9))


# A drafter whose distributions are no numbers is named too: its refused drafts would decide the text.
def test_a_bad_draft_is_named():
    backbone = build(toy("llama").config)
    drafter = make_drafter("independent", backbone, horizon=2)
    for weight in drafter.weights:
        weight.data.fill_(torch.nan)
    with pytest.raises(ValueError, match="drafter='independent': the distributions.*before call 2 are not finite"):
        generate(backbone, drafter, [1, 2], 8, eos=False)
    texts = [generate(backbone, d, [1, 2], 8, temperature=0, eos=False).tokens for d in (None, drafter)]
    assert texts[0] == texts[1]  # greedy text cannot suffer
