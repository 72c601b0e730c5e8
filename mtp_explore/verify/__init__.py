"""Floor 2: the rules that turn a target's law and a draft into a verdict.

A rule is a module with three functions: `chances` (with what probability each draft is kept), `law` (from what the
rule's own token is drawn) and `verify` (the verdict, given uniforms). All see p and q after shaping, never raw.
"""

from __future__ import annotations

import difflib
from types import ModuleType

from . import block, match, rejection

RULES: dict[str, ModuleType] = {"match": match, "rejection": rejection, "block": block}


def rule_named(rule):
    """The rule of a name, or the rule itself if it is one; ValueError names the nearest known."""
    if all(hasattr(rule, verb) for verb in ("chances", "law", "verify")):
        return rule
    if not isinstance(rule, str) or rule not in RULES:
        near = difflib.get_close_matches(str(rule), RULES, 1, 0.3)
        hint = f": did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"rule={rule!r} is not one of {', '.join(map(repr, RULES))}{hint}")
    return RULES[rule]
