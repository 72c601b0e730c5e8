"""A column of a dataset on the Hugging Face Hub, through the optional package `datasets`."""

from collections.abc import Iterator

from mtp_explore.checks import refusal
from mtp_explore.corpora.corpus import Corpus
from mtp_explore.corpora.splits import check_split, split_of


class HubColumn(Corpus):
    """ "hf:dataset:split:column", for example "hf:roneneldan/TinyStories:train:text".

    Our three splits are drawn by hash inside the one split named, so that validation text is never trained on.
    Raises ImportError without `datasets`, ConnectionError when the Hub cannot be reached.
    """

    def __init__(self, name: str):
        parts = name.split(":")
        if len(parts) != 4 or parts[0] != "hf" or not all(parts):
            raise ValueError(refusal("name", name, "it must read hf:dataset:split:column"))
        self.name, (_, self.dataset, self.split, self.column) = name, parts
        try:
            import datasets
        except ImportError as error:
            raise ImportError(f"{name!r} needs the package datasets: pip install mtp-explore[hub]") from error
        try:
            self.rows = datasets.load_dataset(self.dataset, split=self.split)
        except OSError as error:  # requests', httpx's and the Hub's errors of connection among them
            remedy = "check the name and the connection, or save the text as .jsonl and give its path"
            raise ConnectionError(f"cannot fetch {self.dataset!r} from the Hub ({error}): {remedy}") from error
        present = self.rows.column_names
        if self.column not in present:
            raise ValueError(f"{self.dataset!r} has no column {self.column!r}; present: {', '.join(present)}")

    def documents(self, split: str) -> Iterator[str]:
        check_split(split)
        return (text for text in self._texts() if text and split_of(text) == split)

    def _texts(self) -> Iterator[str]:
        for text in self.rows[self.column]:
            if not isinstance(text, str | None):
                raise TypeError(refusal("name", self.name, f"its column holds a {type(text).__name__}, and no text"))
            yield text
