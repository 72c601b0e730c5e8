"""A saved backbone for the tests of loading."""

import shutil

import pytest
import transformers as tf
from tokenizers import Tokenizer, models, pre_tokenizers
from toys import VOCABULARY, toy

from mtp_explore.backbone.load import Backbone


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """A saved backbone with a tokenizer of seventeen words."""
    words = Tokenizer(models.WordLevel({f"w{i}": i for i in range(VOCABULARY)}, unk_token="w0"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = tf.PreTrainedTokenizerFast(tokenizer_object=words, eos_token="w0")
    directory = tmp_path_factory.mktemp("saved") / "backbone"
    Backbone(toy("llama").model, tokenizer).save_pretrained(directory)
    return directory


@pytest.fixture
def mine(saved, tmp_path):
    """A copy of it to spoil."""
    return shutil.copytree(saved, tmp_path / "mine")
