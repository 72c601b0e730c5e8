"""The terminal: what it prints and writes is what the functions return, and bad input is one line and exit code 2."""

import sys

import pytest
import torch
from rich.text import Text
from transformers import LlamaConfig, LlamaForCausalLM

import mtp_explore as mtp
from mtp_explore import cli
from mtp_explore.backbone.load import Backbone
from mtp_explore.corpora.tokenizer import train_tokenizer


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """A tiny random backbone, saved."""
    torch.manual_seed(0)
    tokenizer = train_tokenizer(["the fox met the hen . the hen met the fox ."] * 4, 300)
    size = dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2)
    config = LlamaConfig(vocab_size=len(tokenizer), max_position_embeddings=64, eos_token_id=None, **size)
    path = tmp_path_factory.mktemp("backbone")
    Backbone(LlamaForCausalLM(config), tokenizer).save_pretrained(path)
    return str(path)


@pytest.fixture
def call(monkeypatch, capsys):
    """Run `mtp-explore` with arguments: (exit code, stdout, stderr)."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["mtp-explore", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        return stop.value.code or 0, *capsys.readouterr()

    return run


# Text, trace and player on disk are those of `mtp.generate` with the same arguments.
def test_generate_says_what_the_function_returns(call, directory, tmp_path):
    json, html = tmp_path / "trace.json", tmp_path / "player.html"
    options = ["--max-new-tokens", 12, "--temperature", 0.7, "--seed", 3, "--json", json, "--html", html]
    code, out, err = call("generate", "--backbone", directory, "--prompt", "the fox", *options)
    backbone = mtp.load_backbone(directory)
    trace = mtp.generate(backbone, None, "the fox", max_new_tokens=12, temperature=0.7, seed=3)
    assert (code, err) == (0, "")
    assert out.startswith(trace.text) and "12 tokens in 12 calls, 1.00 tokens per call" in out
    assert mtp.Trace.from_json(json.read_text("utf-8")).tokens == trace.tokens
    assert mtp.play(trace)._repr_html_()[:40] in html.read_text("utf-8")


# On a terminal exactly the accepted drafts are underlined, and the text is otherwise unchanged.
def test_accepted_drafts_are_underlined(directory):
    backbone = mtp.load_backbone(directory)
    answer = mtp.generate(backbone, None, "the fox", max_new_tokens=12, temperature=0).tokens
    oracle = mtp.make_drafter("oracle", backbone, horizon=3, answer=backbone.encode("the fox")[0] + answer)
    trace = mtp.generate(backbone, oracle, "the fox", max_new_tokens=12, temperature=0)
    marked = cli.marked(trace)
    lines = [str(marked)[s.start : s.end] for s in marked.spans if s.style == "underline"]
    kept = [trace.piece(t) for step in trace.steps for t in step.tokens[: step.kept]]
    assert isinstance(marked, Text) and kept and "".join(lines) == "".join(map(cli.shown, kept))
    assert str(marked).count("★") == sum(len(s.tokens) > s.kept for s in trace.steps)


# A terminal is never sent a control sequence that came out of a text.
def test_control_sequences_are_shown_not_sent():
    assert "\x1b" not in cli.shown("a\x1b[31mred\nb") and "\n" in cli.shown("a\nb")


# Whatever is wrong with the input: one line that says what, exit code 2, no traceback.
@pytest.mark.parametrize(
    "options, word",
    [
        (["--backbone", "storeys", "--prompt", "x"], "storeys"),
        (["--prompt", ""], "prompt"),
        (["--prompt", "the fox", "--temperature", "-1"], "temperature"),
        (["--prompt", "the fox", "--rule", "mach"], "rule"),
        (["--prompt", "the fox", "--drafter", "stories/nobody"], "nobody"),
        (["--prompt", "the fox", "--json", "nowhere/trace.json"], "nowhere"),
        (["--prompt", "the fox", "--json", ""], "--json='.': it is a directory"),
        (["--prompt", "the fox", "--html", "."], "--html='.': it is a directory"),
        (["--prompt", "the fox", "--json", "\x1b[31mred/x"], "red/x"),
        (["--prompt", "the fox", "--html", "\x1b[31mred\u202e/x"], "red"),
        (["--prompt", "the fox", "--device", "\x1b[31mred"], "device"),
        (["--prompt", "the fox", "--device", "meta"], "meta"),
        (["--prompt", "the fox", "--rule", "\x1b[31mred"], "rule"),
        (["--prompt", "the fox", "--plan", "\x1b[31mred"], "plan"),
        (["--prompt", "the fox", "--drafter", "\x1b[31mred"], "red"),
        (["--prompt", "the fox", "--backbone", "\x1b[31mred"], "red"),
        (["--prompt", "\udcff"], "mtp-explore"),
    ],
)
def test_bad_input_is_one_line(call, directory, options, word):
    if "--backbone" not in options:
        options = ["--backbone", directory, *options]
    code, out, err = call("generate", *options)
    assert (code, out) == (2, "")
    assert word in err and err.startswith("mtp-explore: ") and err.count("\n") == 1
    assert err[:-1].isprintable(), "nothing that a terminal obeys"


# An error of any kind is one line, never a traceback.
def test_no_traceback(call, monkeypatch):
    def fails(*_, **__):
        raise error

    monkeypatch.setattr(mtp, "load_backbone", fails)
    for error in (RuntimeError("a\x1b[31m\nb"), NotImplementedError(), AssertionError("c"), RecursionError("d")):
        code, out, err = call("generate", "--prompt", "x")
        assert (code, out) == (2, "") and err.startswith(f"mtp-explore: {type(error).__name__}:")
        assert err.count("\n") == 1 and err[:-1].isprintable()


# Wrong options, too, are told without sending the terminal what stood in them.
@pytest.mark.parametrize(
    "wrong", [["\x1b[31mred"], ["generate", "--\x1b[31mred"], ["generate", "--seed", "\x1b[31mred"]]
)
def test_wrong_options_are_printable(call, wrong):
    code, _, err = call(*wrong)
    assert code == 2 and err and "\x1b[31m" not in err


# `lab` without the notebooks says so instead of opening an empty JupyterLab.
def test_lab_needs_a_checkout(call, monkeypatch, tmp_path):
    monkeypatch.setattr(cli, "CHECKOUT", tmp_path)
    code, _, err = call("lab")
    assert code == 2 and "checkout" in err


# `lab` listens on localhost, keeps its token, and asks no server for news or updates.
def test_lab_stays_at_home(monkeypatch, tmp_path):
    from jupyterlab.labapp import LabApp

    seen = []
    (tmp_path / "notebooks").mkdir()
    (tmp_path / cli.START).write_text("{}")
    monkeypatch.setattr(cli, "CHECKOUT", tmp_path)
    monkeypatch.setattr(LabApp, "launch_instance", lambda argv: seen.extend(argv))
    monkeypatch.setattr(sys, "argv", ["mtp-explore", "lab", "--no-browser"])
    with pytest.raises(SystemExit):
        cli.main()
    lab = LabApp()
    lab.parse_command_line([a for a in seen if a.startswith("--LabApp")])
    assert "--ip=localhost" in seen and seen[-1] == "--no-browser" and lab.default_url.endswith(cli.START)
    assert not any("token" in a or "password" in a for a in seen)
    assert lab.news_url is None and lab.check_for_updates_class.__name__ == "NeverCheckForUpdate"
    assert lab.extension_manager == "readonly" and lab.app_settings_dir.endswith("lab")
