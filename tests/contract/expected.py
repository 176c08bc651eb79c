"""What each command does with each kind of picture (:data:`tests.contract.pictures.KINDS`).

===================  ===================================================================================================
used                 as an ordinary picture is
upright              used, turned as a viewer shows it
as stored            used, on its side; boxes are in pixels of the picture as it is stored
left out             not used, and nothing is said of it: a setting, a person or a rule says so
counted and named    not used; the command says how many it could not read, and which, and goes on to its end
===================  ===================================================================================================

Where full shots and item shots of a kind are not treated alike, the cell says of each what is done.
"""

STAYS = "used"
"""Of a delisted product: whether it stays is for a setting to say; today nothing asks for `gone_at` and `in_stock`."""

_BOXES_EXPORT = {
    "ordinary": "used",
    "half": "used",  # a box is a box, also on a picture that is cut off
    "duplicate": "used",
    "rejected": "left out",
    "turned": "as stored",  # and without its EXIF: readers disagree whether they turn a picture
    "corrupt": "counted and named",
    "withdrawn": "left out",
    "delisted": STAYS,
}

EXPECTED: dict[str, dict[str, str]] = {
    # In exports/dataset1.csv.
    "curate": {
        "ordinary": "used",
        "half": "used",
        "duplicate": "left out",
        "rejected": "left out",
        "turned": "upright",
        "corrupt": "counted and named",
        "withdrawn": "used",
        "delisted": STAYS,
    },
    # Compared with those of the other splits.
    "curate --check": {
        "ordinary": "used",
        "half": "used",
        "duplicate": "used",
        "rejected": "left out",
        "turned": "used",
        "corrupt": "counted and named",
        "withdrawn": "used",
        "delisted": STAYS,
    },
    # An overlay is there to see why a picture was rejected, too.
    "curate --overlays": {
        "ordinary": "used",
        "half": "used",
        "duplicate": "used",
        "rejected": "used",
        "turned": "upright",
        "corrupt": "counted and named",
        "withdrawn": "used",
        "delisted": STAYS,
    },
    # Among the samples of a kind of shot.
    "report": {
        "ordinary": "used",
        "half": "used",
        "duplicate": "shown beside its copies",
        "rejected": "shown as rejected by a person",
        "turned": "upright",
        "corrupt": "shown without its pixels",
        "withdrawn": "used",
        "delisted": STAYS,
    },
    "boxes export --format yolo": _BOXES_EXPORT,
    "boxes export --format coco": _BOXES_EXPORT,
    "boxes export --format voc": _BOXES_EXPORT,
    # In priorities.csv.
    "annotate queue": {
        "ordinary": "used",
        "half": "left out",
        "duplicate": "left out",
        "rejected": "left out",
        "turned": "upright",
        "corrupt": "counted and named",
        "withdrawn": "used",  # to be annotated again
        "delisted": STAYS,
    },
    # A task, with the detector's boxes.
    "annotate push": {
        "ordinary": "used",
        "half": "left out",
        "duplicate": "left out",
        "rejected": "left out",
        "turned": "upright",
        "corrupt": "counted and named",
        "withdrawn": "used",
        "delisted": STAYS,
    },
    "train detector": {
        "ordinary": "used",
        "half": "used",
        "duplicate": "used",
        "rejected": "left out",
        "turned": "upright",
        "corrupt": "counted and named",
        "withdrawn": "left out",
        "delisted": STAYS,
    },
    "evaluate detector": {
        "ordinary": "used",
        "half": "used",
        "duplicate": "used",
        "rejected": "left out",
        "turned": "used",
        "corrupt": "counted and named",
        "withdrawn": "left out",
        "delisted": STAYS,
    },
    "train embedder": {
        "ordinary": "used",
        "half": "only as an item shot",  # none of the boxes on it
        "duplicate": "full shot used, item shot left out",  # of an item shot's copies the best one stands for all
        "rejected": "left out",
        "turned": "upright",
        "corrupt": "counted and named",
        "withdrawn": "left out",
        "delisted": STAYS,
    },
    # Garments on full shots are sought among the item shots.
    "evaluate embedder": {
        "ordinary": "used",
        "half": "only as an item shot",
        "duplicate": "full shot used, item shot left out",
        "rejected": "left out",
        "turned": "used",
        "corrupt": "counted and named",
        "withdrawn": "left out",
        "delisted": STAYS,
    },
    # Item shots; a product that has pictures of itself alone is known by these.
    "index build": {
        "ordinary": "used",
        "half": "left out",
        "duplicate": "used",  # an answer has each product once, however many pictures it has
        "rejected": "left out",
        "turned": "upright",
        "corrupt": "counted and named",
        "withdrawn": "left out",
        "delisted": STAYS,
    },
    # Of item shots: products in the answer. Of a turned one: a photo like that.
    "recommend": {
        "ordinary": "used",
        "half": "left out",
        "duplicate": "used",
        "rejected": "left out",
        "turned": "upright",
        "corrupt": "left out",  # it is not in the catalog
        "withdrawn": "left out",
        "delisted": STAYS,
    },
    # Full shots, each a photo to be answered.
    "evaluate recommend": {
        "ordinary": "used",
        "half": "left out",
        "duplicate": "used",
        "rejected": "left out",
        "turned": "upright",
        "corrupt": "counted and named",
        "withdrawn": "left out",
        "delisted": STAYS,
    },
    # Tells what the tables say; no picture is decoded.
    "trace": {
        "ordinary": "used",
        "half": "used",
        "duplicate": "used",
        "rejected": "used",
        "turned": "as stored",
        "corrupt": "used",
        "withdrawn": "used",
        "delisted": STAYS,
    },
}


def exit_code(command: str) -> int:
    """What a command ends with although some pictures are corrupt: 1 where others go on with what lacks them."""
    return 1 if command.startswith("boxes export") else 0
