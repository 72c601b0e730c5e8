"""A small random model of every causal type that transformers lists, and what decoding with it is compared with."""

from __future__ import annotations

import inspect
from typing import NamedTuple

import torch
import transformers as tf
from toys import Told
from transformers import CONFIG_MAPPING

from mtp_explore.backbone.load import Backbone
from mtp_explore.contract import Slots
from mtp_explore.decode.loop import run
from mtp_explore.decode.plan import resolve
from mtp_explore.decode.tape import make_tape
from mtp_explore.drafters import make_drafter
from mtp_explore.tensors.categorical import shape
from mtp_explore.verify import match

VOCABULARY, CONTEXT, LENGTH = 61, 64, 14

# What configurations call their sizes; each gets those that it knows, its parts too.
SIZES = {
    **dict.fromkeys("hidden_size n_embd d_model emb_dim embedding_size".split(), 32),
    **dict.fromkeys("intermediate_size n_inner ffn_dim decoder_ffn_dim encoder_ffn_dim dim_ff dff".split(), 48),
    **dict.fromkeys("num_hidden_layers n_layer n_layers num_layers decoder_layers".split(), 4),
    **dict.fromkeys("encoder_layers depth".split(), 1),
    **dict.fromkeys("num_attention_heads n_head n_heads num_heads decoder_attention_heads".split(), 4),
    **dict.fromkeys("max_position_embeddings n_positions n_ctx max_seq_len model_max_length".split(), CONTEXT),
    **dict.fromkeys("bos_token_id eos_token_id pad_token_id decoder_start_token_id".split(), 0),
    **dict.fromkeys("num_experts num_local_experts n_routed_experts moe_num_experts".split(), 4),
    **dict.fromkeys("q_lora_rank kv_lora_rank moe_intermediate_size expert_ffn_hidden_size".split(), 16),
    **dict.fromkeys("head_dim qk_rope_head_dim qk_nope_head_dim v_head_dim rotary_dim dim_head".split(), 8),
    **dict.fromkeys("n_group topk_group num_expert_group".split(), 1),
    **dict.fromkeys("shared_expert_intermediate_size ffn_hidden_size shared_intermediate_size".split(), 16),
    **dict(vocab_size=VOCABULARY, num_key_value_heads=2, num_experts_per_tok=2, sliding_window=5, is_decoder=True),
    **dict(vocab_size_per_layer_input=VOCABULARY, hidden_size_per_layer_input=8),
    **dict.fromkeys("image_token_id image_token_index video_token_id audio_token_id".split(), VOCABULARY - 1),
    **dict.fromkeys("boi_token_id eoi_token_id boa_token_id eoa_token_index".split(), VOCABULARY - 1),
}
MAMBA = dict(mamba_n_heads=8, mamba_d_head=8, mamba_d_state=8)
# What a type needs besides, or wants so that each of its paths is there.
OTHER = {
    "bamba": MAMBA,
    "granitemoehybrid": MAMBA,
    "mamba2": dict(num_heads=8, head_dim=8, n_groups=1, state_size=8),
    "dots1": dict(n_shared_experts=1),
    "lfm2": dict(layer_types=["conv", "full_attention"] * 2),
    "lfm2_moe": dict(layer_types=["conv", "full_attention"] * 2),
    "cohere": dict(logit_scale=1.0),
    "cohere2": dict(logit_scale=1.0),
    "cohere2_moe": dict(logit_scale=1.0),
    "qwen2/window": dict(use_sliding_window=True, max_window_layers=2),
    "mistral/no window": dict(sliding_window=None),
    "falcon/new": dict(new_decoder_architecture=True),
    "gpt_bigcode/many keys": dict(multi_query=False),
    "opt/narrow": dict(word_embed_proj_dim=16),
    "llama/dynamic": dict(rope_parameters=dict(rope_type="dynamic", factor=2.0, rope_theta=1e4)),
    "gemma4_text/plain": dict(hidden_size_per_layer_input=0),
    "gemma4_text/shared": dict(layer_types=["sliding_attention", "full_attention"] * 2, num_kv_shared_layers=2),
    "gpt_neo": dict(attention_types=[[["global"], 4]], window_size=5),
    "gpt_neo/local": dict(attention_types=[[["global", "local"], 2]], window_size=5),
    "falcon/alibi": dict(alibi=True),
    "minicpm3": dict(scale_emb=1, dim_model_base=32),
    "zaya": dict(num_experts_per_tok=1),
    "dbrx": dict(
        attn_config=dict(kv_n_heads=2, rope_theta=1e4, clip_qkv=8.0),
        ffn_config=dict(hidden_size=32, ffn_hidden_size=16),
    ),
    "ernie4_5_moe": dict(moe_k=2),
    "xmod": dict(languages=["en_XX"], default_language="en_XX"),
    "reformer": dict(axial_pos_embds=False, attn_layers=["local", "lsh"] * 2, attention_head_size=8, num_buckets=2),
    "zamba": dict(layers_block_type=["mamba", "hybrid", "mamba", "hybrid"]),
    "zamba2": dict(layers_block_type=["mamba", "mamba", "hybrid", "mamba"]),
    "bert/reads to the right": dict(is_decoder=False),
    "blt": dict(encoder_hash_byte_group_vocab=50),
    "qwen4_exp_text": dict(
        **dict(indexer_budget=4, indexer_compress_ratio=2, indexer_n_heads=2, indexer_kv_heads=1, indexer_head_dim=8)
    ),
    "dots3_note": dict(per_layer_config=None, head_dim=16, index_head_dim=8),
    "dots3_note_text": dict(head_dim=16, shared_experts_intermediate_size=16, index_head_dim=8, per_layer_config=None),
    "gemma3n_text": dict(
        num_kv_shared_layers=0, laurel_rank=4, altup_num_inputs=2, activation_sparsity_pattern=[0.0] * 4
    ),
    "cohere_compass_text": dict(
        rope_parameters={k: dict(rope_type="default", rope_theta=1e4) for k in ("full_attention", "sliding_attention")}
    ),
}


def sized(made, **other):
    """A configuration class with its small sizes, and `other` fields."""
    known = set(inspect.signature(made.__init__).parameters)
    known |= {f for c in made.__mro__ for f in getattr(c, "__annotations__", {})}
    fields = {k: v for k, v in SIZES.items() if k in known}
    if "kv_lora_rank" in known:
        fields["num_key_value_heads"] = 4
    for name, part in getattr(made, "sub_configs", {}).items():
        if name in other:
            continue
        part = type(getattr(made(), name, None)) if part is tf.AutoConfig else part
        if part is not type(None):
            fields[name] = sized(part, **OTHER.get(part.model_type, {}))
    return made(**fields | other)


def config(name: str):
    """The small configuration of a type, or of a variant "type/what"."""
    return sized(CONFIG_MAPPING[name.partition("/")[0]], **OTHER.get(name, {}))


def random_model(name: str):
    """A model whose every number is random: fresh ones hold zeros and ones, which hide paths."""
    torch.manual_seed(0)
    model = tf.AutoModelForCausalLM.from_config(config(name), dtype=torch.float32).eval()
    draw = torch.Generator().manual_seed(1)
    for value in model.state_dict().values():
        if value.is_floating_point():
            noise = torch.randn(value.shape, generator=draw)
            value.copy_(value + 0.2 * noise if value.ndim < 2 else noise * 1.5 * value.shape[-1] ** -0.5)
    return model


class ToldSlots(Told):
    """Told, with slots that it does not listen to: their embeddings are no rows of any table."""

    name, first_slot = "told-slots", 1
    slots_per_branch = property(lambda self: self.horizon)

    def embed(self, slots: Slots, window):
        draw = torch.Generator().manual_seed(2)
        return torch.randn(self.horizon + 1, self.backbone.embed.weight.shape[1], generator=draw)[slots.index]


class Found(NamedTuple):
    """How decoding compares with whole forward passes by token ids."""

    far: float  # the farthest of its distributions from the model's (total variation)
    change: float  # how far the model's distributions are from one another, in the mean: what there is to see
    refused: int  # drafts


def found(backbone: Backbone) -> Found:
    """Single rows and a ragged batch, without drafts, with drafts of which some are refused, and with slots."""
    batch, all_found = ragged(), []
    for prompts in (batch, batch[:1], batch[1:2]):
        texts, plain = decoded(backbone, None, prompts)
        drafters = [Told(backbone, texts), make_drafter("lookup", backbone, horizon=3)]
        drafters += [ToldSlots(backbone, texts)] if backbone.takes_slots else []
        all_found += [plain, *(decoded(backbone, d, prompts)[1] for d in drafters)]
    far, change, refused = zip(*all_found, strict=True)
    return Found(max(far), min(change), sum(refused))


def decoded(backbone: Backbone, drafter, prompts: list[list[int]]) -> tuple[list[list[int]], Found]:
    """The texts of one run at temperature 1, and what was found."""
    horizon = drafter.horizon if drafter else 0
    tape = make_tape(True, 1.0, len(prompts), horizon, LENGTH, (3, 0), None, backbone.device)
    said, refused = [[] for _ in prompts], 0
    for call in run(backbone, drafter, prompts, LENGTH, law, match, resolve(None, drafter), tape, []):
        for row, count in enumerate(call.committed.tolist()):
            said[row] += call.p[row, :count]
            refused += max(0, int(call.draft.n[row]) - max(0, count - 1))
    texts = [t[:n] for t, n in zip(call.tokens.tolist(), call.length.tolist(), strict=True)]
    far, change = 0.0, 1.0
    for prompt, text, ours in zip(prompts, texts, said, strict=True):
        with torch.inference_mode():
            whole = law(backbone.model(input_ids=torch.tensor([text[:-1]]), use_cache=False).logits[0])
        own = whole[len(prompt) - 1 :]
        far = max(far, float((own - torch.stack(ours)).abs().sum(-1).max()) / 2)
        change = min(change, float((own[1:] - own[:-1]).abs().sum(-1).mean()) / 2)
    return texts, Found(far, change, refused)


def law(logits: torch.Tensor) -> torch.Tensor:
    """Distributions in which the last token, which stands for images, does not occur."""
    return shape(logits.index_fill(-1, torch.tensor(VOCABULARY - 1), float("-inf")), 1.0, 0, 1.0)


def ragged() -> list[list[int]]:
    draw = torch.Generator().manual_seed(4)
    return [torch.randint(VOCABULARY - 1, (n,), generator=draw).tolist() for n in (7, 2, 11)]
