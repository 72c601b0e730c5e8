"""The player's markup and the sentences, read as text: escaping, completeness without script, size, words."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from mtp_explore.trace.glyphs import quoted, visible
from mtp_explore.trace.html import play, player
from mtp_explore.trace.records import Drafted, Step, Trace
from mtp_explore.trace.say import against, choice, number, say
from tests.trace.traces import FOX, HOSTILE, hostile_trace, make_trace, worst_trace

PIECES = {0: "<s>", 1: " evening", 2: " morning", 3: " came", 4: "</s>", 5: "\n"}
RULES = [("rejection", 1.0), ("block", 1.0), ("match", 1.0), ("match", 0)]


class Page(HTMLParser):
    """Tags and texts of a page, the contents of <script> and <style> apart."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.text, self.scripts, self.inside = [], set(), "", [], None
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attributes}
        self.inside = tag if tag in ("script", "style") else None
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        if self.inside == "script":
            self.scripts[-1] += data
        elif not self.inside:
            self.text += data


def draft(token=1, q=0.41, p=0.08, chance=0.2, coin=0.33, verdict="refused", rank=1):
    return Drafted(token, q, p, chance, coin, verdict, rank, [(2, 0.6), (1, p)], [(1, q), (2, 0.2)])


def one(step, **settings) -> str:
    """The sentence of a step in a trace of its own."""
    trace = Trace([0], [step], "", "", PIECES, settings, settings.pop("finish", "length"))
    return say(trace, step)


def refusal(*drafts, source="residual"):
    kept = [d.token for d in drafts if d.verdict == "kept"]
    return Step(6, 0, list(drafts), len(kept), 2, [*kept, 2], source, 0.4, 0.6)


# A refusal names draft, both probabilities, coin against chance, and where the draft ranked the target's own token.
def test_sentence_of_rejection():
    said = one(refusal(draft(3, 0.5, 0.6, 1.0, 0.9, "kept", 0), draft()), rule="rejection")
    assert said == (
        "Call 7: 1 of 2 drafts kept. Draft 2 “evening”: target 0.08, draft 0.41, coin 0.33 > 0.20: refused; "
        "the target's own “morning” was the draft's second choice."
    )


# Under block the number is the chance h of a whole block, and a draft can stay although its own toss was lost.
def test_sentence_of_block():
    drafts = draft(3, 0.5, 0.6, 0.4, 0.9, "kept", 0), draft(3, 0.5, 0.6, 0.8, 0.1, "kept", 0), draft()
    said = one(refusal(*drafts), rule="block")
    assert "Draft 1 stayed because the longer block of 2 won its toss." in said
    assert "coin 0.33 > 0.20 (the chance of a block of 3; no longer one won): refused" in said


# Under match it is u that picks, and at temperature 0 the target's first choice; neither speaks of coins.
def test_sentence_of_match_and_greedy():
    drawn = one(refusal(draft(), source="target"), rule="match", temperature=1.0)
    assert drawn.endswith(
        "its one draft not kept. Draft 1 “evening”: u = 0.33 picks “morning” (0.60) from the target's "
        "law: refused; “morning” was the draft's second choice."
    )
    first = one(refusal(replace(draft(), q_top=[(1, 1.0)]), source="target"), rule="match", temperature=0)
    assert first.endswith(
        "Draft 1 “evening”: the target's first choice is “morning”: refused; “morning” was the draft's second choice."
    )
    assert "coin" not in drawn + first


# A drafter that names one token ranks no other: no invented "second choice".
def test_sentence_of_a_one_hot_draft():
    said = one(refusal(replace(draft(q=1.0), q_top=[(1, 1.0)], rank=None)), rule="rejection")
    assert said.endswith("the target's own “morning” takes its place.")


# Prefill, plain decoding, bonus, and the three ends of a text.
def test_sentences_of_the_other_steps():
    plain = dict(drafts=[], accepted=0, token=3, tokens=[3], source="plain", u=0.1, p=0.25)
    prefill = one(Step(0, None, **plain))
    assert prefill == "Call 1 reads the prompt; the target says “came”, probability 0.25."
    assert one(Step(4, 3, **plain)).startswith("Call 5 has no drafts to check; the target says “came”")
    kept = [draft(3, 0.5, 0.6, 1.0, 0.9, "kept", 0), draft(4, 0.5, 0.6, 1.0, 0.9, "kept", 0), draft(3, verdict="kept")]
    bonus = Step(6, 0, kept, 3, 2, [3, 4, 3, 2], "bonus", 0.4, 0.6)
    assert one(bonus) == "Call 7: all 3 drafts kept. The target adds “morning”, probability 0.60."
    ended = replace(bonus, tokens=[3, 4])
    assert one(ended, finish="eos") == (
        "Call 7: all 3 drafts kept. Only 2 of them count: “</s>” is the last token of the text. The text ends here."
    )
    assert one(replace(bonus, tokens=[3, 4, 3])).endswith(
        "all 3 drafts kept. “came” is the last token of the text. The length limit cut the rest."
    )


# The words agree with the verdict for every step of whole traces: a refused draft is named, a kept one is counted.
@pytest.mark.parametrize("rule, temperature", RULES)
def test_sentences_agree_with_the_records(rule, temperature):
    trace = make_trace(rule=rule, temperature=temperature)
    for step in trace.steps[1:]:
        said = say(trace, step)
        a, n = step.accepted, len(step.drafts)
        assert (f"all {n}" if a == n else f"{a or 'none'} of {n}") in said or n == 1
        assert ("refused" in said) == (a < n)
        if a < n:
            assert f"Draft {a + 1} {quoted(trace.piece(step.drafts[a].token))}" in said


# Numbers never claim what is not so: no rounding to 0, 1 or a tie; ordinals are English.
def test_numbers():
    assert [number(x) for x in (0, 1, 0.5, 0.01234, 0.00456, 3e-7)] == ["0", "1", "0.50", "0.01", "0.005", "3e-07"]
    assert against(0.20004, 0.2) == "0.20004 > 0.20000" and against(0.3, 0.3) == "0.30 ≥ 0.30"
    assert against(0.3, 0.0021) == "0.30 > 0.002" and against(0.9999, 1) == "1.00 < 1"
    assert [choice(k) for k in (0, 9, 10, 20, 41, 110, 120)] == [
        f"{w} choice" for w in ("first", "tenth", "11th", "21st", "42nd", "111th", "121st")
    ]


# What a page would swallow or reorder becomes a sign; letters, emoji and joined scripts stay.
def test_visible():
    assert visible("a\x00\x1b\n\r\t\x7f") == "a␀␛↵␍⇥␡"
    assert visible("\u202eabc\u2066\u200b\ud83d\xa0") == "⟨U+202E⟩abc⟨U+2066⟩⟨U+200B⟩⟨U+D83D⟩⟨U+00A0⟩"
    assert visible("\u0301x") == "◌\u0301x"
    for same in ("Zoë — naïve", "👩\u200d🚀", "می\u200cخواهم", "⟨F0 9F⟩", "中文"):
        assert visible(same) == same
    assert quoted("  ") == "“␣␣”" and quoted(" שלום") == "“\u2068שלום\u2069”"


# Hostile text stays text: no tag or attribute but ours, every piece readable, and the data cannot leave its script.
def test_hostile_text_is_literal():
    html = player(hostile_trace())
    page = Page(html)
    assert set(page.tags) <= set("div style bdi i u s sup span b br details summary p table tr th td script".split())
    assert page.attributes <= {"class", "style", "type", "title"}
    assert len(page.scripts) == 2 and html.count("<script") == html.count("</script") == 2
    for piece in HOSTILE:
        assert visible(piece).replace("↵", "") in page.text.replace("↵", ""), piece
    assert not re.search(r"[<>&\u2028\u2029\ud800-\udfff]", page.scripts[0])
    shown = json.loads(page.scripts[0])["pieces"].values()
    assert {visible(p) for p in HOSTILE} <= set(shown)
    html.encode("utf-8")


# Nothing points outside: no address, no import, no resource.
@pytest.mark.parametrize("rule, temperature", RULES)
def test_nothing_is_fetched(rule, temperature):
    html = player(make_trace(rule=rule, temperature=temperature))
    assert not re.search(r"https?:|//[a-z]|\bsrc=|\bhref=|@import|url\(|\bimport\b|fetch\(", html)


# Without script and style the page still has the whole text, every step's sentence, and one row per draft.
@pytest.mark.parametrize("rule, temperature", RULES)
def test_markup_is_complete_without_script(rule, temperature):
    trace = make_trace(rule=rule, temperature=temperature)
    html = player(trace)
    markup = re.sub(r"<(script|style)\b.*?</\1>", "", html, flags=re.S)
    text = Page(markup).text
    for step in trace.steps:
        assert say(trace, step) in text
    struck = re.compile(r"<s\b.*?</s>|<sup>.*?</sup>")
    running = struck.sub("", re.search(r'<div class="mtp-text".*?</div>', markup, re.S)[0])
    assert Page(running).text == trace.prompt_text + trace.text
    assert markup.count("<tr><td>") == sum(len(s.drafts) + bool(s.drafts) for s in trace.steps)
    assert markup.count("<u>") == sum(s.kept for s in trace.steps)


# 64 tokens with K = 8, hardly anything accepted, stay within 150 kB.
def test_size_in_the_worst_case():
    trace = worst_trace()
    assert len(trace.tokens) == 64 and sum(len(s.drafts) for s in trace.steps) > 400
    assert len(player(trace).encode()) <= 150_000


# The data keeps four significant digits, and top lists only of drafts that were looked at.
@pytest.mark.parametrize("rule", ["rejection", "block"])
def test_data_is_compact_and_faithful(rule):
    trace = make_trace(rule=rule)
    steps = json.loads(Page(player(trace)).scripts[0])["steps"]
    for step, (pending, drafts, accepted, committed, own, _) in zip(trace.steps, steps, strict=True):
        assert (pending, accepted, committed, own[0]) == (step.pending, step.accepted, len(step.tokens), step.token)
        for d, row in zip(step.drafts, drafts, strict=True):
            chance = d.chance if trace.settings["rule"] == "block" else 0
            assert row[1:5] == pytest.approx([d.q, d.p, chance, d.coin], rel=1e-3)
            assert len(row) == (6 if d.verdict == "ignored" else 9)


# The same trace gives the same HTML, another trace another root: players on one page do not share a name.
def test_root_is_named_by_its_content():
    name = lambda t: re.search(r"mtp-[0-9a-f]{10}", player(t))[0]  # noqa: E731
    assert player(make_trace(seed=1)) == player(make_trace(seed=1))
    assert name(make_trace(seed=1)) != name(make_trace(seed=2))


# The player opens on a call that exists; `play` shows itself and saves a page of its own.
def test_start_and_save(tmp_path):
    trace = make_trace(FOX[:9], seed=4)
    with pytest.raises(ValueError, match="start=99"):
        player(trace, start=99)
    shown = play(trace)
    assert shown._repr_html_() == player(trace, 1)
    assert repr(shown).splitlines() == [say(trace, s) for s in trace.steps]
    page = shown.save(tmp_path / "fox.html").read_text("utf-8")
    assert page.startswith("<!doctype html>") and player(trace, 1) in page


# Traces with nothing in them still show: no steps, no drafts, no settings, numbers that are not finite.
def test_sparse_traces():
    assert "mtp-text" in player(Trace([0], []))
    step = Step(0, None, [], 0, 3, [3], "plain", 0.5, float("nan"), belief={"x": float("inf"), "y": None})
    assert "⟨3⟩" in player(Trace([0], [step]))
