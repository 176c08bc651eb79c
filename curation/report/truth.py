"""The full-shot rule against what is known: the confusion table, and the pictures that it got wrong."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pandas as pd

from fullshot.core import tables
from fullshot.core.errors import UserError
from fullshot.curation.report.dataset import NOT_FULL, UNKNOWN, UNREADABLE, Dataset

_NAMES = ("image_id", "image_path", "path", "image_url", "url", "image", "file_name", "filename", "file", "name")
_WORDS = {"true": True, "1": True, "1.0": True, "yes": True, "false": False, "0": False, "0.0": False, "no": False}
_DECIDED = ("full", "half", "item", NOT_FULL)


@dataclass(frozen=True)
class Confusion:
    """What the rule called pictures against what they are.

    Args:
        source: where the truth is from, in words.
        kinds: the columns: what the rule may call a picture.
        rows: what pictures are, and how many of them were called each kind.
        pictures: how many have a truth and a verdict of the rule.
        unmatched: rows of the truth that name no picture, or several.
        overwritten: pictures of which the rule's own verdict is not known, since a person's took its place.
        contradicting: pictures of which the truth says both; they are left out.
        decided: pictures that the rule called something else than unclear.
        right: decided pictures that it told right, full or not.
        called_full: what it called full.
        truly_full: what is full, unclear pictures among it.
        found: what is full and called so.
        wrongly_full: rows of ``dataset.pictures`` called full that are not.
        missed: rows of ``dataset.pictures`` that are full and called something else, or nothing.
    """

    source: str
    kinds: tuple[str, ...]
    rows: tuple[tuple[str, tuple[int, ...]], ...]
    pictures: int
    overwritten: int
    unmatched: int
    contradicting: int
    decided: int
    right: int
    called_full: int
    truly_full: int
    found: int
    wrongly_full: pd.DataFrame
    missed: pd.DataFrame

    @property
    def accuracy(self) -> float | None:
        """Of the pictures that the rule decided, the share told right."""
        return self.right / self.decided if self.decided else None

    @property
    def strict_accuracy(self) -> float | None:
        """The same of all pictures: an unclear one counts as wrong."""
        return self.right / self.pictures if self.pictures else None

    @property
    def precision(self) -> float | None:
        """Of what was called full, the share that is."""
        return self.found / self.called_full if self.called_full else None

    @property
    def recall(self) -> float | None:
        """Of what is full, the share called so; an unclear one is missed."""
        return self.found / self.truly_full if self.truly_full else None


def from_file(dataset: Dataset, path: Path) -> Confusion:
    """The rule against a CSV that says which pictures are full shots.

    Args:
        dataset: the tables of the workspace.
        path: with a column ``full_shot`` (true or false, 1 or 0; rows with an empty cell are passed over) and one that
            names the picture: by its ``image_id``, its path, its URL, or the file name of one of these.

    Raises:
        UserError: there is no such file, it has no such columns, a cell is neither, or it names no picture of these.
    """
    if not path.is_file():
        raise UserError(f"expected a CSV of what is known, got no such file: {path}")
    try:
        data = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not a CSV table: {str(error).strip()}") from None
    columns = [name for name in _NAMES if name in data.columns]
    if "full_shot" not in data.columns or not columns:
        got = ", ".join(map(str, data.columns))
        raise UserError(f"{path}: expected columns full_shot and one of {', '.join(_NAMES)}, got {got}")
    words = data["full_shot"].str.strip().str.lower()
    wrong = data.index[(words != "") & ~words.isin(list(_WORDS))]
    if len(wrong):
        got = data["full_shot"][wrong[0]]
        raise UserError(f"{path}: row {wrong[0] + 2} column full_shot: expected true or false, got {got!r}")
    data = data[words != ""].assign(full=words.map(_WORDS))
    known = _places(dataset)
    found = {column: _matched(data[column], known) for column in columns}
    identities = max(found.values(), key=lambda series: series.notna().sum())
    if not identities.notna().any():
        raise UserError(f"{path}: expected pictures of this workspace, got none under {', '.join(columns)}")
    labelled = pd.DataFrame({"image_id": identities, "full": data["full"]}).dropna(subset="image_id")
    answers = labelled.groupby("image_id")["full"].nunique()
    both = answers.index[answers > 1]
    labelled = labelled[~labelled["image_id"].isin(both)].drop_duplicates("image_id")
    truth = labelled.assign(kind=labelled["full"].map({True: "full", False: NOT_FULL}))
    return _confusion(dataset, truth, path.name, ("full", NOT_FULL), int(identities.isna().sum()), len(both))


def from_verdicts(dataset: Dataset) -> Confusion | None:
    """The rule against the shots that persons named; None where they named none."""
    named = dataset.pictures[["image_id", "person_shot"]].dropna().rename(columns={"person_shot": "kind"})
    named = named[named["kind"] != "unclear"]  # a person who could not tell either knows no truth
    if named.empty:
        return None
    truth = named.assign(full=named["kind"] == "full")
    shots = tuple(shot for shot in tables.SHOTS if shot != "unclear")
    return _confusion(dataset, truth, "persons’ verdicts", shots, 0, 0)


def _confusion(
    dataset: Dataset, truth: pd.DataFrame, source: str, order: tuple[str, ...], unmatched: int, contradicting: int
) -> Confusion:
    labelled = dataset.pictures.merge(truth.rename(columns={"kind": "truth"}), on="image_id")
    pictures = labelled[labelled["machine"] != UNKNOWN]
    called, full = pictures["machine"], pictures["full"].astype(bool)
    there = set(called)
    kinds = (*tables.SHOTS, *sorted(there - {*tables.SHOTS, UNREADABLE}), *({UNREADABLE} & there))
    counts = pictures.groupby(["truth", "machine"]).size()
    rows = tuple((name, tuple(int(counts.get((name, kind), 0)) for kind in kinds)) for name in order)
    decided = called.isin(_DECIDED)
    return Confusion(
        source,
        kinds,
        rows,
        pictures=len(pictures),
        overwritten=len(labelled) - len(pictures),
        unmatched=unmatched,
        contradicting=contradicting,
        decided=int(decided.sum()),
        right=int((decided & ((called == "full") == full)).sum()),
        called_full=int((called == "full").sum()),
        truly_full=int(full.sum()),
        found=int((full & (called == "full")).sum()),
        wrongly_full=pictures[(called == "full") & ~full],
        missed=pictures[(called != "full") & full],
    )


def _places(dataset: Dataset) -> "pd.Series[str]":
    """Image_id by all that may name a picture; what names several is left out."""
    pictures, shown = dataset.pictures, dataset.addresses
    names = [pd.Series(pictures["image_id"].to_numpy(), index=pictures["image_id"])]
    for frame, column in ((pictures, "path"), (shown, "url")):
        known = frame[["image_id", column]].dropna()
        for words in (known[column], known[column].map(_file_name)):
            names.append(pd.Series(known["image_id"].to_numpy(), index=words.to_numpy()))
    places = pd.concat(names)
    places = places[places.index != ""]
    pairs = pd.DataFrame({"name": places.index, "image_id": places.to_numpy()}).drop_duplicates()
    once = pairs.drop_duplicates("name", keep=False)
    return pd.Series(once["image_id"].to_numpy(), index=once["name"].to_numpy())


def _matched(names: "pd.Series[str]", known: "pd.Series[str]") -> "pd.Series[str]":
    """The image_id that each name stands for: itself, or else its file name."""
    whole = names.str.strip().map(known)
    return whole.where(whole.notna(), names.map(_file_name).map(known))


def _file_name(place: str) -> str:
    """The last part of a path or URL, without what follows a question mark."""
    try:
        path = urlsplit(place).path if "://" in place else place
    except ValueError:  # "http://[" and the like: a text, but no address
        path = place
    return unquote(path.replace("\\", "/").rpartition("/")[2]).strip()
