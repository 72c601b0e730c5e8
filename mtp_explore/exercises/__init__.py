"""Floor 6: what the notebooks ask and how they answer. Names load on first use, so guesses work without torch.

guess(question, choices, answer, why)   a question whose answer stays folded until the reader has chosen
ask(name)                               a question of the notebooks, by name
guess_kept(trace, call)                 the same for one call of a trace: how many of its drafts will be kept?
check_...(your_function)                runs a reader's function on small cases and says what does not hold
case(number), check_fault(number, name) the bug hunt: a real bug hidden in the real loop
budget(n)                               n, or a fifth of it where MTP_FAST=1
"""

from importlib import import_module
from types import FunctionType

_HOMES = {  # module -> the names it gives
    "guessing": ("guess", "guess_faster", "guess_kept"),
    "questions": ("ask",),
    "check": ("Check", "budget", "grade"),
    "live": ("beside", "openings", "runner", "shorter", "watch"),
    "waiting": ("watched",),
    "three_words": ("PROMPT", "rough", "tiny"),
    "hidden_states": (
        *("below", "by_kind", "check_best_guess", "check_foretold", "check_rank"),
        *("documents", "guess_below", "guess_best", "guess_ceiling", "guess_lens", "guess_within", "study"),
    ),
    "independent_heads": (
        *("blame", "check_kept", "check_prices", "check_total_correlation", "clashes", "contexts", "dearest"),
        *("guess_clashes", "guess_dearest", "guess_impossible", "guess_invented", "guess_part", "guess_perfect"),
        *("nonsense", "prices"),
    ),
    "heads": (
        "gain",
        "losses",
        "reach",
        "recorded_calls",
        "recorded_losses",
        "shipped",
        "shipped_or_trained",
        "train_heads",
        "trained",
    ),
    "experts": (
        *("experts_of", "favourites", "guess_calls", "guess_gain", "guess_play", "guess_rank"),
        *("guess_recorded", "guess_recovery", "guess_second", "guess_shadow", "shadows", "telling_joint"),
    ),
    "expert_checks": ("check_em_step", "check_one_bit", "check_posterior"),
    "order": (
        *("WORDS", "averaged", "by_length", "circuits", "frozen", "guess_average", "guess_behind", "guess_cut"),
        *("guess_states", "round_trip"),
    ),
    "order_beliefs": (
        *("changes", "doubts", "guess_changes", "guess_doubt", "guess_kind", "guess_next", "guess_nodes", "moved"),
        "states_say",
    ),
    "order_checks": ("check_block_length", "check_forward", "check_order"),
    "masks": (
        *("argmax", "by_masks", "calls_by_masks", "closed_forms", "guess_behind_masks", "guess_minute", "guess_plan"),
        *("mask_outlook", "mask_ranks", "masked", "match_chances", "tops", "train_masks", "trained_for"),
        *("foretold", "guess_switch", "mask_floors", "untrained", "without_sampler"),
    ),
    "mask_layouts": ("layouts", "mask_microscope"),
    "mask_harm": (
        *("guess_harm", "guess_main_rows", "guess_paid", "harm", "paid", "price", "shaken", "texts_under", "unharmed"),
    ),
    "mask_results": ("gate_figure", "recorded_gate", "recorded_switches"),
    "mask_checks": ("check_closed_forms", "check_prefix", "check_sees"),
    "throws": (
        *("by_window", "guess_nonsense", "guess_window", "many_windows", "nonsense_pairs", "nonsense_rates"),
        *("kept_chances", "pairs_of", "throwers", "train_throws"),
    ),
    "throws_ruler": ("dice",),
    "throws_toy": ("guess_carries", "guess_sentence", "toy_dice", "toy_square"),
    "throws_budget": ("budget_figure", "by_budget", "calls_by_budget", "guess_budget"),
    "throws_learn": ("guess_learned", "learn", "learn_figure"),
    "throws_results": ("recorded_windows", "window_figure"),
    "throws_checks": ("check_pick", "check_theorem_2", "check_unpick"),
    "seen": ("foresight", "outlook"),
    "start": ("check_lookup_wins", "check_tokens_per_call", "check_verifier", "guess_temperature", "rates"),
    "lossless": ("check_overlap", "check_rule", "guess_chance", "places", "telling"),
    "cases": ("case", "check_fault", "suspects"),
}
_MODULE = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_MODULE)


def __getattr__(name: str):
    if name not in _MODULE:
        raise AttributeError(f"mtp_explore.exercises has no name {name!r}: it has {', '.join(__all__)}")
    value = getattr(import_module(f".{_MODULE[name]}", __name__), name)
    if isinstance(value, FunctionType):
        value = import_module(".given", __name__).checked(value)
    return value


def __dir__() -> list[str]:
    return __all__
