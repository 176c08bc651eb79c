"""The numbers that commands print are those of the table: nothing is used that no number tells of."""

from tests.contract.commands import Contract
from tests.contract.expected import EXPECTED
from tests.contract.observed import AS_STORED, UPRIGHT, USED, outcome, shots_of
from tests.contract.pictures import FULL, ITEM, WEARS, Shot


def used(contract: Contract, command: str, role: str, *splits: str) -> list[Shot]:
    """The pictures of a role that the table lets a command use."""
    words = {USED, UPRIGHT, AS_STORED, f"{role} {USED}"}
    kinds = [kind for kind, cell in EXPECTED[command].items() if words & set(cell.split(", "))]
    return [
        shot
        for kind in kinds
        for shot in shots_of(contract, command, kind)
        if shot.role == role and shot.split in splits
    ]


def garments(shots: list[Shot]) -> int:
    """How many are worn on pictures."""
    return sum(len(shot.garments) for shot in shots)


def test_the_detector_learns_from_and_is_measured_on_what_the_table_says(contract: Contract) -> None:
    learnt = contract["train detector"].stats
    for split in ("train", "val"):
        shots = used(contract, "train detector", FULL, split)
        assert (learnt["pictures"][split], learnt["boxes"][split]) == (len(shots), garments(shots))
    measured, shots = contract["evaluate detector"].stats, used(contract, "evaluate detector", FULL, "test")
    assert (measured["pictures"], measured["boxes"]) == (len(shots), garments(shots))
    assert sum(label["boxes"] for label in measured["classes"].values()) == garments(shots)


def test_the_embedder_learns_no_box_of_what_is_no_full_shot(contract: Contract) -> None:
    learnt = contract["train embedder"].stats
    assert learnt["worn_garments"] == garments(used(contract, "train embedder", FULL, "train"))
    assert learnt["item_shots"] == len(used(contract, "train embedder", ITEM, "train"))


def test_the_embedder_is_asked_for_the_garments_of_full_shots(contract: Contract) -> None:
    measured = contract["evaluate embedder"].stats
    assert measured["queries"] == garments(used(contract, "evaluate embedder", FULL, "test"))


def test_the_catalog_holds_the_item_shots_of_the_table(contract: Contract) -> None:
    shots = used(contract, "index build", ITEM, "train", "val", "test")
    assert contract["index build"].stats["items"] == len(shots)


def test_every_full_shot_of_the_table_is_answered(contract: Contract) -> None:
    answered, shots = contract["evaluate recommend"].stats, used(contract, "evaluate recommend", FULL, "test")
    assert (answered["outfit_images"], answered["garments"]) == (len(shots), garments(shots))


def test_an_export_holds_the_boxes_of_the_table(contract: Contract) -> None:
    for name in ("yolo", "coco", "voc"):
        command = f"boxes export --format {name}"
        written, shots = contract[command].stats, used(contract, command, FULL, "train", "val", "test")
        assert (written["pictures"], written["boxes"]) == (len(shots), garments(shots))
        assert set(written["labels"]) == set(WEARS)


def test_what_is_asked_of_annotators_is_in_both_the_queue_and_the_tasks(contract: Contract) -> None:
    queued = contract["annotate queue"].stats
    shots = [shot for split in ("train", "val", "test") for shot in used(contract, "annotate push", FULL, split)]
    assert contract["annotate push"].stats["tasks"] == len(contract.tasks) == len(shots)
    assert queued["to_learn_from"] + queued["to_check"] == len(used(contract, "annotate queue", FULL, "train")) + 1


def test_curation_counts_what_was_rejected(contract: Contract) -> None:
    rejected = contract.shop.of("rejected", FULL, ITEM)
    assert contract.first_curation.stats["rejected"] == len(rejected)
    assert outcome(contract, "curate --check", "rejected") == "left out"
