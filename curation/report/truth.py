"""The full-shot rule against what is known: the confusion table, and the pictures that it got wrong."""

from collections.abc import Callable
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
        wrongly_full: how many were called full that are not.
        missed: how many are full and were called something else, or nothing.
        labelled: the table of pictures with a truth: rows of ``reported``, with ``truth`` and ``truly_full``.
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
    wrongly_full: int
    missed: int
    labelled: str

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
    known = _places(dataset, {place for column in columns for name in data[column] for place in _places_of(name)})
    found = {column: _matched(data[column], known) for column in columns}
    identities = max(found.values(), key=lambda series: series.notna().sum())
    if not identities.notna().any():
        raise UserError(f"{path}: expected pictures of this workspace, got none under {', '.join(columns)}")
    labelled = pd.DataFrame({"image_id": identities, "full": data["full"]}).dropna(subset="image_id")
    answers = labelled.groupby("image_id")["full"].nunique()
    both = answers.index[answers > 1]
    labelled = labelled[~labelled["image_id"].isin(both)].drop_duplicates("image_id")
    kinds = labelled["full"].map({True: "full", False: NOT_FULL})
    truth = labelled.assign(truth=kinds.astype("string")).rename(columns={"full": "truly_full"})
    dataset.tables.create("truth", truth)
    return _confusion(
        dataset, "labelled_by_file", path.name, ("full", NOT_FULL), int(identities.isna().sum()), len(both)
    )


def from_verdicts(dataset: Dataset) -> Confusion | None:
    """The rule against the shots that persons named; None where they named none."""
    # A person who could not tell either knows no truth.
    dataset.tables.create(
        "truth",
        "SELECT image_id, person_shot AS truth, person_shot = 'full' AS truly_full FROM reported "
        "WHERE person_shot <> 'unclear'",
    )
    if not dataset.number("SELECT count(*) FROM truth"):
        return None
    shots = tuple(shot for shot in tables.SHOTS if shot != "unclear")
    return _confusion(dataset, "labelled_by_persons", "persons’ verdicts", shots)


def _confusion(
    dataset: Dataset, labelled: str, source: str, order: tuple[str, ...], unmatched: int = 0, contradicting: int = 0
) -> Confusion:
    """The rule against what the table ``truth`` says: ``image_id``, ``truth`` (a kind) and ``truly_full``."""
    data = dataset.tables
    data.create(labelled, "SELECT reported.*, truth, truly_full FROM reported JOIN truth USING (image_id)")
    found = data.rows(f"SELECT truth, machine, truly_full, count(*) FROM {labelled} GROUP BY ALL")
    counts = [row for row in found if row[1] != UNKNOWN]
    there = {called for _, called, _, _ in counts}
    kinds = (*tables.SHOTS, *sorted(there - {*tables.SHOTS, UNREADABLE}), *({UNREADABLE} & there))
    cells = {(truth, called): count for truth, called, _, count in counts}

    def many(condition: Callable[[str, bool], bool]) -> int:
        return sum(count for _, called, full, count in counts if condition(called, full))

    return Confusion(
        source,
        kinds,
        tuple((name, tuple(cells.get((name, kind), 0) for kind in kinds)) for name in order),
        pictures=many(lambda called, full: True),
        overwritten=sum(row[-1] for row in found if row[1] == UNKNOWN),
        unmatched=unmatched,
        contradicting=contradicting,
        decided=many(lambda called, full: called in _DECIDED),
        right=many(lambda called, full: called in _DECIDED and (called == "full") == full),
        called_full=many(lambda called, full: called == "full"),
        truly_full=many(lambda called, full: full),
        found=many(lambda called, full: full and called == "full"),
        wrongly_full=many(lambda called, full: called == "full" and not full),
        missed=many(lambda called, full: called != "full" and full),
        labelled=labelled,
    )


def _places(dataset: Dataset, wanted: set[str]) -> "pd.Series[str]":
    """Image_id by those of the wanted places that name a picture; what names several is left out."""
    known: dict[str, str | None] = {}
    for image_id, *addresses in dataset.tables.stream("SELECT image_id, path, url FROM images"):
        for place in {
            image_id,
            *(place for address in addresses if address for place in (address, _file_name(address))),
        }:
            if place in wanted:
                known[place] = image_id if known.get(place, image_id) == image_id else None
    return pd.Series({place: image_id for place, image_id in known.items() if image_id}, dtype="object")


def _places_of(name: str) -> tuple[str, str]:
    """What a name may stand for: itself, or else its file name."""
    return name.strip(), _file_name(name)


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
