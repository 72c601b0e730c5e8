"""Gated LoRA: the update meets the gated rows alone, whatever the numbers; adapters travel as plain peft files."""

import importlib.util
import json
from contextlib import nullcontext
from functools import partial

import pytest
import torch
import transformers as tf
from safetensors.torch import load_file, save_file
from toys import ARCHITECTURES, CONTEXT, VOCABULARY, build, linear_layers, on_every_device, toy
from transformers.pytorch_utils import Conv1D

from mtp_explore.backbone.gated_lora import PEFT_CONFIG, PEFT_WEIGHTS, GatedLoRA, select
from mtp_explore.backbone.layout import layout
from mtp_explore.backbone.now import NOW
from mtp_explore.contract import Slots
from mtp_explore.decode.generate import generate
from mtp_explore.drafters import make_drafter

KINDS = ["llama", "gpt2", "qwen3", "neox"]
on_every_kind = pytest.mark.parametrize("architecture", KINDS)
ROWS, FIRST = 7, 4


def adapters(backbone, seed: int = 0, spread: float = 0.2, **options) -> GatedLoRA:
    """Adapters with random weights everywhere."""
    g = torch.Generator().manual_seed(seed)
    lora = GatedLoRA(backbone.model, **{"rank": 3, **options})
    for w in lora.parameters():
        w.data.copy_(torch.randn(w.shape, generator=g) * spread)
    return lora


def call(backbone, gate) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits and states of a call of two rows of the batch, 7 rows of text each, plain causal."""
    g = torch.Generator().manual_seed(1)
    text = torch.randint(0, VOCABULARY, (2, ROWS), generator=g).to(backbone.device)
    zero = torch.zeros(2, dtype=torch.long, device=backbone.device)
    lay = layout(zero, 0, ROWS, zero, Slots(text[:, :0], text[:, :0]), CONTEXT)
    every = torch.arange(ROWS, device=backbone.device).expand(2, -1)
    with torch.inference_mode(), gate:
        return backbone.call(backbone.embed(text), lay, backbone.cache(ROWS), every)


# Row 21 of papers.md, section 6: the slice is the masked form W x + I(t) s A B x, computed with the gate as a number.
@on_every_device
@on_every_kind
@pytest.mark.parametrize("first", [0, FIRST, ROWS])
def test_slice_is_the_masked_form(architecture, first, device):
    backbone = toy(architecture, device)
    lora = adapters(backbone, alpha=1.5)
    gate = (torch.arange(ROWS, device=device) >= first).float()[:, None]
    hooks = []

    def masked(layer, inputs, output, pair):
        return output + gate * 0.5 * (inputs[0] @ pair[0].T @ pair[1].T)

    for name, layer in lora.layers.items():
        hooks.append(layer.register_forward_hook(partial(masked, pair=lora.pair(name))))
    try:
        wanted = call(backbone, nullcontext())
    finally:
        for hook in hooks:
            hook.remove()
    found = call(backbone, lora.gate(first))
    torch.testing.assert_close(found, wanted, atol=2e-4, rtol=1e-4)
    moved = (found[1] - call(backbone, nullcontext())[1]).abs().amax((0, 2)) > 1e-2
    assert moved.tolist() == [row >= first for row in range(ROWS)]


# Rows before the gate are bit-equal to the untouched model, logits too, in every precision; those behind it are not.
@on_every_device
@on_every_kind
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_ungated_rows_are_bit_equal(architecture, dtype, device):
    backbone = build(ARCHITECTURES[architecture](), device, dtype)
    plain, gated = call(backbone, nullcontext()), call(backbone, adapters(backbone).gate(FIRST))
    for before, after in zip(plain, gated, strict=True):
        assert torch.equal(before[:, :FIRST], after[:, :FIRST])
        assert not (before[:, FIRST:] == after[:, FIRST:]).all(-1).any()


# In every layer they are so even where B x overflows to infinity.
@on_every_device
@on_every_kind
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_overflow_stays_behind_the_gate(architecture, dtype, device):
    lora = adapters(build(ARCHITECTURES[architecture](), device, dtype))
    for name, layer in lora.layers.items():
        down, up = lora.pair(name)
        down.data.fill_(torch.finfo(dtype).max)
        up.data.abs_().add_(1)
        x = torch.ones(2, ROWS, down.shape[1], dtype=dtype, device=device)
        with torch.inference_mode():
            plain = layer(x)
            with lora.gate(FIRST):
                gated = layer(x)
        assert torch.equal(plain[:, :FIRST], gated[:, :FIRST]) and plain.isfinite().all()
        assert gated[:, FIRST:].isinf().all()


# New adapters change nothing in float16 though B x overflows: zero times infinity would reach all rows by attention.
@on_every_device
@on_every_kind
def test_overflow_of_new_adapters(architecture, device):
    backbone = build(ARCHITECTURES[architecture](), device, torch.float16)
    lora = GatedLoRA(backbone.model, 3)
    for weight in lora.down.values():
        weight.data.fill_(6e4)
    for before, after in zip(call(backbone, nullcontext()), call(backbone, lora.gate(FIRST)), strict=True):
        assert torch.equal(before, after)


# Why it is done so: merged and subtracted weights change the rows they should not touch, and a gate that is a number
# multiplies infinity by zero.
def test_the_other_ways_are_not():
    g = torch.Generator().manual_seed(0)
    x, w, down, up = (torch.randn(*s, generator=g) for s in ((5, 32), (16, 32), (3, 32), (16, 3)))
    plain = torch.nn.functional.linear(x, w)
    merged = torch.nn.functional.linear(x, w + up @ down) - x @ down.T @ up.T
    assert (merged != plain).float().mean() > 0.5
    huge = (x.half() * 6e4) @ down.half().T
    assert not (plain.half() + 0.0 * (huge @ up.half().T)).isfinite().all()


# The model is left as it was: its modules, the keys of its state dict, its weights, what it computes, also after an
# error; an inner gate ends with its block. Hooks stand once, however many adapters and gates there are.
def test_the_model_is_left_alone():
    backbone = toy("gpt2")
    before = {k: v.clone() for k, v in backbone.model.state_dict().items()}
    kinds = [type(m) for m in backbone.model.modules()]
    plain = call(backbone, nullcontext())
    lora = adapters(backbone)
    with pytest.raises(RuntimeError), lora.gate(2), lora.gate(1):
        raise RuntimeError
    adapters(backbone)
    assert all(torch.equal(*pair) for pair in zip(plain, call(backbone, nullcontext()), strict=True))
    after = backbone.model.state_dict()
    assert before.keys() == after.keys() and all(torch.equal(before[k], after[k]) for k in before)
    assert kinds == [type(m) for m in backbone.model.modules()]
    assert NOW.gate is None and max(len(m._forward_hooks) for m in backbone.model.modules()) == 1
    assert {n.split(".")[0] for n in lora.state_dict()} == {"down", "up"}


# All linear layers but the unembedding are adapted, fused and transposed ones too; parts of them can be named.
@on_every_kind
def test_targets(architecture):
    model = toy(architecture).model
    every = {id(layer): size for layer, size in linear_layers(model)}
    lora = GatedLoRA(model, 2)
    assert {id(m) for m in lora.layers.values()} == every.keys()
    for name, layer in lora.layers.items():
        down, up = lora.pair(name)
        assert (down.shape, up.shape) == ((2, every[id(layer)][0]), (every[id(layer)][1], 2))
    attention, mlp = (select(model, part) for part in ("attention", "mlp"))
    assert list(attention | mlp) == sorted(lora.layers, key=list(attention | mlp).index) and not attention.keys() & mlp
    assert {n.split(".")[-2] for n in mlp} == {"mlp"} and len(attention) + len(mlp) == len(lora.layers)
    endings = {"llama": "q_proj, v_proj", "gpt2": "c_attn", "qwen3": "down_proj", "neox": "query_key_value"}[
        architecture
    ]
    found = select(model, endings)
    assert {n.rpartition(".")[2] for n in found} == set(endings.split(", ")) and len(found) % 2 == 0
    with pytest.raises(ValueError, match="targets='nonsense': 'nonsense' is no linear layer.*'attention'.*some of .*"):
        select(model, "nonsense")
    with pytest.raises(ValueError, match="'' is no linear layer"):
        select(model, endings + ",")


# At the start nothing changes, not by a bit, and the gradient reaches A alone; B has Kaiming's spread, 1 / sqrt(in).
@on_every_kind
def test_the_start(architecture):
    backbone = toy(architecture)
    lora = GatedLoRA(backbone.model, 4)
    assert all(
        torch.equal(*pair) for pair in zip(call(backbone, lora.gate(0)), call(backbone, nullcontext()), strict=True)
    )
    for name in lora.layers:
        bound = lora.pair(name)[0].shape[1] ** -0.5
        assert 0.8 * bound < lora.pair(name)[0].abs().max() <= bound
    with lora.gate(2):
        backbone.model(torch.tensor([[1, 2, 3, 4]]), use_cache=False).logits.logsumexp(-1).sum().backward()
    assert all(w.grad.abs().max() > 0 for w in lora.up.values())
    assert not any(w.grad.any() for w in lora.down.values())
    assert not any(w.requires_grad for w in backbone.model.parameters())


# Gradients are those of the masked form: autograd goes through the slice that was written in place.
def test_gradients():
    backbone = build(ARCHITECTURES["gpt2"](), dtype=torch.float64)
    lora = adapters(backbone)
    ids = torch.tensor([[1, 2, 3, 4, 5]])
    loss = lambda: backbone.model(ids, use_cache=False).logits.square().mean()  # noqa: E731
    with lora.gate(2):
        loss().backward()
    found = [w.grad.clone() for w in lora.parameters()]
    lora.zero_grad()
    gate, hooks = (torch.arange(5) >= 2).double()[:, None], []
    for name, layer in lora.layers.items():
        down, up = lora.pair(name)
        hooks.append(layer.register_forward_hook(lambda m, x, y, down=down, up=up: y + gate * (x[0] @ down.T @ up.T)))
    loss().backward()
    for hook in hooks:
        hook.remove()
    torch.testing.assert_close(found, [w.grad for w in lora.parameters()], atol=1e-12, rtol=1e-9)
    assert min(g.abs().max() for g in found) > 1e-6


# Adapters may be float32 beside a half-precision model, as in training: the model's own numbers stay what they are.
def test_float32_beside_bfloat16():
    backbone = build(ARCHITECTURES["llama"](), dtype=torch.bfloat16)
    lora = adapters(backbone).float()
    plain, gated = call(backbone, nullcontext()), call(backbone, lora.gate(FIRST))
    assert gated[0].dtype == torch.bfloat16 and torch.equal(plain[1][:, :FIRST], gated[1][:, :FIRST])
    assert not torch.equal(plain[1][:, FIRST:], gated[1][:, FIRST:])


# A plain peft directory brings back the same adapters, in peft's own names and shapes; a twin reads the file and adds
# s lora_B lora_A to every weight.
@on_every_kind
def test_peft_round_trip(architecture, tmp_path):
    backbone = toy(architecture)
    lora = adapters(backbone, alpha=6.0, targets="mlp" if architecture == "llama" else "all")
    lora.save_peft(tmp_path)
    assert sorted(f.name for f in tmp_path.iterdir()) == [PEFT_CONFIG, PEFT_WEIGHTS]
    config, weights = json.loads((tmp_path / PEFT_CONFIG).read_text()), load_file(tmp_path / PEFT_WEIGHTS)
    assert (config["peft_type"], config["r"], config["lora_alpha"], config["bias"]) == ("LORA", 3, 6.0, "none")
    assert config["fan_in_fan_out"] == (architecture == "gpt2")
    again = GatedLoRA.from_peft(backbone.model, tmp_path)
    assert list(again.layers) == list(lora.layers) and again.alpha == 6.0
    assert all(torch.equal(a, b) for a, b in zip(again.parameters(), lora.parameters(), strict=True))
    merged = build(ARCHITECTURES[architecture]())
    for name, layer in merged.model.named_modules():
        key = f"base_model.model.{name}.lora_%s.weight"
        if name in config["target_modules"]:
            update = 2.0 * weights[key % "B"] @ weights[key % "A"]
            layer.weight.data += update.T if isinstance(layer, Conv1D) else update
        else:
            assert key % "A" not in weights
    found, wanted = call(backbone, again.gate(0)), call(merged, nullcontext())
    torch.testing.assert_close(found, wanted, atol=5e-4, rtol=1e-3)


# peft itself loads the directory and computes what the open gate does, and what peft saves is read here.
@pytest.mark.skipif(importlib.util.find_spec("peft") is None, reason="peft is an extra")
@on_every_kind
def test_peft_itself(architecture, tmp_path):
    from peft import LoraConfig, PeftModel, get_peft_model

    backbone = toy(architecture)
    lora = adapters(backbone, alpha=6.0)
    lora.save_peft(tmp_path / "ours")
    theirs = PeftModel.from_pretrained(build(ARCHITECTURES[architecture]()).model, tmp_path / "ours")
    ids = torch.tensor([[1, 2, 3, 4]])
    with torch.inference_mode(), lora.gate(0):
        torch.testing.assert_close(backbone.model(ids).logits, theirs(ids).logits, atol=5e-4, rtol=1e-3)
    fresh = build(ARCHITECTURES[architecture]()).model
    names = [name.rpartition(".")[2] for name in select(fresh, "mlp")]
    made = get_peft_model(
        fresh, LoraConfig(r=2, lora_alpha=3, target_modules=sorted(set(names)), init_lora_weights=False)
    )
    made.save_pretrained(tmp_path / "theirs")
    read = GatedLoRA.from_peft(backbone.model, tmp_path / "theirs")
    with torch.inference_mode(), read.gate(0):
        torch.testing.assert_close(backbone.model(ids).logits, made(ids).logits, atol=5e-4, rtol=1e-3)


# Whatever way peft has begun an adapter, from_peft computes what peft does or refuses: of the ways that change the
# weights beneath, none is read as plain LoRA, unless peft has converted it on saving.
@pytest.mark.skipif(importlib.util.find_spec("peft") is None, reason="peft is an extra")
@pytest.mark.parametrize("start", [True, False, "gaussian", "orthogonal", "eva", "pissa", "pissa_niter_2", "olora"])
def test_ways_to_begin(start, tmp_path):
    from peft import EvaConfig, LoraConfig, get_peft_model, initialize_lora_eva_weights

    torch.manual_seed(0)
    model, ids = build(ARCHITECTURES["llama"]()).model, torch.tensor([[1, 2, 3, 4]])
    options = dict(eva_config=EvaConfig(rho=1.0)) if start == "eva" else {}
    config = LoraConfig(r=2, lora_alpha=3, target_modules=["q_proj", "up_proj"], init_lora_weights=start, **options)
    theirs = get_peft_model(model, config)
    if start == "eva":
        known = [{"input_ids": torch.randint(0, VOCABULARY, (8, 6))} for _ in range(6)]
        initialize_lora_eva_weights(theirs, known)
    theirs.peft_config["default"].init_lora_weights = start
    theirs.save_pretrained(tmp_path / "start")
    for name, weight in theirs.named_parameters():
        if "lora_" in name:
            weight.data += torch.randn_like(weight) * 0.1  # training
    wanted = theirs(ids).logits
    theirs.save_pretrained(tmp_path / "theirs")
    backbone, place = toy("llama"), tmp_path / "theirs"
    if start in ("pissa", "pissa_niter_2", "olora"):
        with pytest.raises(ValueError, match=f"no plain LoRA adapter.*init_lora_weights.*{start}"):
            GatedLoRA.from_peft(backbone.model, place)
        if start == "pissa_niter_2":  # begins differently every time: there is nothing to convert from
            return
        place = tmp_path / "converted"
        theirs.save_pretrained(place, path_initial_model_for_weight_conversion=str(tmp_path / "start"))
    read = GatedLoRA.from_peft(backbone.model, place)
    with torch.inference_mode(), read.gate(0):
        torch.testing.assert_close(backbone.model(ids).logits, wanted, atol=5e-4, rtol=1e-3)
    assert (wanted - backbone.model(ids).logits).abs().max() > 1e-2


# Of peft's settings those that change nothing are let through, every other has to be off, whether we know it or not.
@pytest.mark.parametrize(
    "change",
    [
        *[
            {"init_lora_weights": x}
            for x in ("pissa", "pissa_niter_16", "olora", "corda", "loftq", "lora_ga", "new", 7)
        ],
        *[{key: True} for key in ("use_dora", "use_rslora", "use_qalora", "use_bdlora", "lora_bias", "use_tomorrow")],
        *[
            {key: {"a": 1}}
            for key in ("kasa_config", "monteclora_config", "arrow_config", "velora_config", "loftq_config")
        ],
        *[
            {key: [1]}
            for key in ("target_parameters", "trainable_token_indices", "layer_replication", "modules_to_save")
        ],
        *[{key: {"q_proj": 4}} for key in ("rank_pattern", "alpha_pattern")],
        *[{"alora_invocation_tokens": [1]}, {"megatron_config": {"a": 1}}, {"bias": "all"}, {"peft_type": "LOHA"}],
    ],
)
def test_settings_that_change_the_result(change, tmp_path):
    model = toy("llama").model
    adapters(toy("llama")).save_peft(tmp_path)
    config = json.loads((tmp_path / PEFT_CONFIG).read_text())
    harmless = {
        "peft_version": "9",
        "lora_dropout": 0.1,
        "revision": "main",
        "qalora_group_size": 16,
        "use_dora": False,
    }
    (tmp_path / PEFT_CONFIG).write_text(json.dumps(config | harmless))
    GatedLoRA.from_peft(model, tmp_path)
    (tmp_path / PEFT_CONFIG).write_text(json.dumps(config | change))
    with pytest.raises(ValueError, match=f"directory='.*' is no plain LoRA adapter.*{next(iter(change))}"):
        GatedLoRA.from_peft(model, tmp_path)


# Weights that plain LoRA has not, and a rank or scale that is none, are refused too; so is a flipped bit.
def test_odd_adapters(tmp_path):
    model = toy("llama").model
    adapters(toy("llama")).save_peft(tmp_path)
    config, whole = json.loads((tmp_path / PEFT_CONFIG).read_text()), load_file(tmp_path / PEFT_WEIGHTS)
    raw = (tmp_path / PEFT_WEIGHTS).read_bytes()
    (tmp_path / PEFT_WEIGHTS).write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    with pytest.raises(ValueError, match=f"{PEFT_WEIGHTS}' is damaged"):
        GatedLoRA.from_peft(model, tmp_path)
    name = next(iter(whole)).replace("lora_A.weight", "lora_magnitude_vector.weight")
    save_file(whole | {name: torch.ones(3)}, tmp_path / PEFT_WEIGHTS)
    with pytest.raises(ValueError, match="no plain LoRA adapter: it holds '.*lora_magnitude_vector"):
        GatedLoRA.from_peft(model, tmp_path)
    save_file(whole, tmp_path / PEFT_WEIGHTS)
    for key, value, says in (("r", None, "rank=None"), ("r", "x", "rank='x'"), ("lora_alpha", [], r"alpha=\[\]")):
        (tmp_path / PEFT_CONFIG).write_text(json.dumps(config | {key: value}))
        with pytest.raises(ValueError, match=says):
            GatedLoRA.from_peft(model, tmp_path)
    for place in (None, 5, ""):
        with pytest.raises(ValueError, match="directory="):
            GatedLoRA.from_peft(model, place)


# What is no plain LoRA of this model is refused with the reason.
def test_bad_directories_are_refused(tmp_path):
    model = toy("llama").model
    with pytest.raises(ValueError, match=f"has no {PEFT_CONFIG}"):
        GatedLoRA.from_peft(model, tmp_path)
    adapters(toy("llama")).save_peft(tmp_path)
    config, whole = json.loads((tmp_path / PEFT_CONFIG).read_text()), load_file(tmp_path / PEFT_WEIGHTS)
    with pytest.raises(ValueError, match="adapts 'model.layers.0.mlp.down_proj', which is no linear layer"):
        GatedLoRA.from_peft(toy("gpt2").model, tmp_path)
    changes = [{"use_dora": True}, {"rank_pattern": {"q_proj": 4}}, {"bias": "all"}, {"peft_type": "LOHA"}]
    for change in changes:
        (tmp_path / PEFT_CONFIG).write_text(json.dumps(config | change))
        with pytest.raises(ValueError, match=f"no plain LoRA adapter.*{next(iter(change))}"):
            GatedLoRA.from_peft(model, tmp_path)
    (tmp_path / PEFT_CONFIG).write_text(json.dumps(config | {"r": 4}))
    with pytest.raises(
        ValueError, match=r"lora_A of .* has shape \[3, 48\], and this model with rank 4 needs \[4, 48\]"
    ):
        GatedLoRA.from_peft(model, tmp_path)
    (tmp_path / PEFT_CONFIG).write_text(json.dumps(config))
    save_file({k: v for k, v in whole.items() if "lora_B" not in k}, tmp_path / PEFT_WEIGHTS)
    with pytest.raises(ValueError, match="lora_B of .* has shape None"):
        GatedLoRA.from_peft(model, tmp_path)
    (tmp_path / PEFT_WEIGHTS).write_bytes((tmp_path / PEFT_WEIGHTS).read_bytes()[:-1])
    with pytest.raises(ValueError, match=f"{PEFT_WEIGHTS}' is damaged"):
        GatedLoRA.from_peft(model, tmp_path)


def test_bad_options_are_refused():
    model = toy("llama").model
    for rank in (0, 5000, 2.0):
        with pytest.raises(ValueError, match=f"rank={rank}"):
            GatedLoRA(model, rank)
    for alpha in (0, -1.0, float("inf")):
        with pytest.raises(ValueError, match=f"alpha={alpha}"):
            GatedLoRA(model, 2, alpha)


# A layer that is handed its tokens flattened, as experts are, cannot be gated by rows and says so.
def test_flattened_rows_are_refused():
    backbone = toy("llama")
    lora = GatedLoRA(backbone.model, 2)
    layer = next(iter(lora.layers.values()))
    with lora.gate(1), pytest.raises(ValueError, match="is given .*not .batch, rows, in.*targets="):
        layer(torch.zeros(5, layer.in_features))


_SIZE = dict(vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, num_attention_heads=4)
_MOE = dict(**_SIZE, num_key_value_heads=4, intermediate_size=48, num_experts_per_tok=2)
_LATENT = dict(q_lora_rank=8, kv_lora_rank=8, qk_rope_head_dim=4, qk_nope_head_dim=8, v_head_dim=8)
# Models with linear layers that are not given [B, rows, in]: what "all" leaves out, and whether "mlp" finds anything.
ODD = {
    "OPT": (
        lambda: tf.OPTConfig(**_SIZE, word_embed_proj_dim=32, ffn_dim=48, max_position_embeddings=CONTEXT),
        {"fc1", "fc2"},
        False,
    ),
    "a mixture": (lambda: tf.MixtralConfig(**_MOE, num_local_experts=4), set(), False),
    "shared experts": (
        lambda: tf.Qwen2MoeConfig(**_MOE, num_experts=4, moe_intermediate_size=16, shared_expert_intermediate_size=16),
        {"gate_proj", "up_proj", "down_proj", "shared_expert_gate"},
        False,
    ),
    "latent attention": (lambda: tf.MiniCPM3Config(**_SIZE, intermediate_size=48, **_LATENT), {"kv_b_proj"}, True),
}


# Which layers can be gated is known when adapters are made, not when they are used: "all" leaves the others out and
# decodes, one that is named is refused with its shape, and "mlp" without any layer says so.
@pytest.mark.parametrize("kind", ODD)
def test_layers_that_cannot_be_gated(kind):
    config, left_out, has_mlp = ODD[kind]
    backbone = build(config())
    every = {n for n, m in backbone.model.named_modules() if isinstance(m, torch.nn.Linear)} - {"lm_head"}
    drafter = make_drafter("masked", backbone, horizon=2, rank=2)
    assert {n.rpartition(".")[2] for n in every - drafter.lora.layers.keys()} == left_out
    for weight in drafter.lora.parameters():
        weight.data.normal_(0, 0.2)
    wanted = generate(backbone, None, [1, 2, 3], 12, eos=False, rule="match")
    assert generate(backbone, drafter, [1, 2, 3], 12, eos=False, rule="match").tokens == wanted.tokens
    for ending in left_out:
        with pytest.raises(ValueError, match=f"targets='{ending}': layer '.*{ending}' is given .*leave it out"):
            make_drafter("masked", backbone, horizon=2, rank=2, targets=ending)
    if has_mlp:
        assert {n.rpartition(".")[2] for n in select(backbone.model, "mlp")} == {"gate_proj", "up_proj", "down_proj"}
    else:
        with pytest.raises(
            ValueError, match="targets='mlp': this model has no such linear layer.*use some of .*q_proj"
        ):
            make_drafter("ptp", backbone, horizon=2, rank=2, targets="mlp")
    assert not any(backbone.model.get_submodule(name)._forward_pre_hooks for name in every)


# What peft has put into a model is left alone: no adapters on adapters, nor on what they wrap.
@pytest.mark.skipif(importlib.util.find_spec("peft") is None, reason="peft is an extra")
def test_models_that_peft_has_wrapped():
    from peft import LoraConfig, get_peft_model

    wrapped = get_peft_model(
        build(ARCHITECTURES["llama"]()).model, LoraConfig(r=2, target_modules=["q_proj", "v_proj"])
    )
    assert {n.rpartition(".")[2] for n in select(wrapped, "all")} == {
        "k_proj",
        "o_proj",
        "gate_proj",
        "up_proj",
        "down_proj",
    }
    with pytest.raises(ValueError, match="'q_proj' is no linear layer"):
        select(wrapped, "q_proj")
    wrapped = get_peft_model(build(ARCHITECTURES["llama"]()).model, LoraConfig(r=2, target_modules="all-linear"))
    for targets in ("all", "attention", "mlp"):
        with pytest.raises(ValueError, match=r"targets='.*merge peft's adapters first \(merge_and_unload\)"):
            select(wrapped, targets)
