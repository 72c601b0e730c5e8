"""What becomes of every causal type of transformers 5.23, built small: served, refused in which words, or not built."""

SERVED = """
    afmoe apertus arcee aria_text axk1 beam bert bert-generation big_bird biogpt bitnet codegen cohere cohere2
    cohere2_moe cohere_compass_text ctrl cwm dbrx deepseek_v2 deepseek_v3 diffllama doge dots1 electra emu3 ernie
    ernie4_5 ernie4_5_moe exaone4 exaone_moe falcon flex_olmo flint fuyu gemma gemma2 gemma3 gemma3_text
    gemma4_unified gemma4_unified_text git glm glm4 glm4_moe glm4_moe_lite got_ocr2 gpt-sw3 gpt2 gpt_bigcode gpt_neo
    gpt_neox gpt_neox_japanese gpt_oss gptj granite granite_swa granitemoe granitemoe_swa granitemoeshared helium
    hrm_text hunyuan_v1_dense hunyuan_v1_moe hy_v3 hyperclovax internlm3 iquestcoder jais2 jetmoe kolibri1 laguna
    llama longcat_flash megatron-bert mellum mimo_v2_flash minicpm3 minimax_m2 minimax_m3_vl_text ministral
    ministral3 mistral mixtral mllama modernbert-decoder moss_transcribe_diarize nanochat nemotron olmo olmo2 olmo3
    olmoe opt persimmon phi phi3 phi4_multimodal phimoe qwen2 qwen2_moe qwen3 qwen3_moe rembert roc_bert seed_oss
    smollm3 solar_open stablelm starcoder2 vaultgemma whisper xglm youtu
""".split()
SERVED += ["falcon/new", "gemma4_text/plain", "gpt_bigcode/many keys", "llama/dynamic"]
SERVED += ["mistral/no window", "opt/narrow", "qwen2/window"]
# Embeddings per layer, looked up by the row of the table that an input is: a slot is none.
WITHOUT_SLOTS = ["gemma4", "gemma4_text", "gemma4_text/shared"]
REFUSED = {
    "uses indexed_attention": ["axk2", "deepseek_v32", "dots3_note_text", "glm_moe_dsa", "hy_v4"],
    "uses linear_attention": """
        bailing_hybrid bamba falcon_mamba granitemoehybrid jamba kimi_linear mamba mamba2 minimax olmo_hybrid qwen3_5
        qwen3_5_moe qwen3_5_moe_text qwen3_5_text qwen3_next recurrent_gemma
    """.split(),
    "gives other logits called with rows of different lengths": """
        bart bigbird_pegasus blenderbot blenderbot-small marian mbart moshi mvp pegasus plbart roformer trocr
    """.split(),
    "uses ALiBi": ["bloom", "falcon/alibi", "mpt"],
    "does not begin": ["blt"],
    "gives other logits called by embeddings and positions": """
        camembert data2vec-text gemma3n_text roberta roberta-prelayernorm xlm-roberta xlm-roberta-xl xmod
    """.split(),
    "cannot be called by embeddings and positions": ["cpmant", "openai-gpt", "prophetnet", "reformer", "xlm", "xlnet"],
    "uses compressed_sparse_attention, heavily_compressed_attention": ["deepseek_v4"],
    "uses hybrid": ["falcon_h1", "zaya"],
    "uses hybrid_sliding": ["inkling2_text", "inkling_text"],
    "says is_decoder=False": ["bert/reads to the right"],
    "uses local": ["gpt_neo/local"],
    "uses conv": ["lfm2", "lfm2_moe", "lfm3"],
    "uses chunked_attention": ["llama4", "llama4_text"],
    "uses linear_attention, mlp, moe": ["nemotron_h"],
    "uses indexed_attention, linear_attention": ["qwen4_exp", "qwen4_exp_text"],
    "uses a recurrent state": ["rwkv", "xlstm"],
    "uses hybrid, linear_attention": ["zamba", "zamba2"],
}
NOT_BUILT = {
    "dots3_note": "its configuration lists layers of the published model that a small one has not",
    "gemma3n": "its vision tower is a model of timm, which has to be there",
    "gemma4_assistant": "it reads the keys and values of another model",
    "gemma4_unified_assistant": "it reads the keys and values of another model",
    "musicgen": "AutoModelForCausalLM gives its decoder the configuration of the whole, which it cannot read",
    "musicgen_melody": "as musicgen",
}
