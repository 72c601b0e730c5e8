"""Floor 2: the rules that turn a target's law and a draft into a verdict.

A rule is a module with three functions: `chances` (with what probability each draft is kept), `law` (from what the
rule's own token is drawn) and `verify` (the verdict, given uniforms). All see p and q after shaping, never raw.
"""

from __future__ import annotations

from types import ModuleType

from ..checks import choice
from . import block, match, rejection

RULES: dict[str, ModuleType] = {"match": match, "rejection": rejection, "block": block}


def rule_named(rule):
    """The rule of a name, or the rule itself if it is one; ValueError names the nearest known."""
    if all(hasattr(rule, verb) for verb in ("chances", "law", "verify")):
        return rule
    return RULES[choice("rule", rule, RULES)]
