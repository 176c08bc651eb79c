"""Boxes: drawn by people in Label Studio, or brought along in a file of a common format."""

from typing import TYPE_CHECKING

from fullshot.core.lazy import lazy_names

if TYPE_CHECKING:
    from fullshot.annotate.backend.service import serve_backend, started_backend
    from fullshot.annotate.boxes_export import export_boxes
    from fullshot.annotate.boxes_import import import_boxes
    from fullshot.annotate.formats import BOX_FORMATS, check_boxes, load_boxes
    from fullshot.annotate.label_studio.address import address
    from fullshot.annotate.label_studio.client import Client
    from fullshot.annotate.label_studio.connect import connected
    from fullshot.annotate.label_studio.pull import pull
    from fullshot.annotate.label_studio.push import push
    from fullshot.annotate.label_studio.server import served_label_studio
    from fullshot.annotate.queue.predictions import features_in_use
    from fullshot.annotate.queue.run import prioritise

__all__ = [
    "BOX_FORMATS",
    "Client",
    "address",
    "check_boxes",
    "connected",
    "export_boxes",
    "features_in_use",
    "import_boxes",
    "load_boxes",
    "prioritise",
    "pull",
    "push",
    "serve_backend",
    "served_label_studio",
    "started_backend",
]

__getattr__ = lazy_names(
    __name__,
    {
        ".backend.service": ("serve_backend", "started_backend"),
        ".boxes_export": ("export_boxes",),
        ".boxes_import": ("import_boxes",),
        ".formats": ("BOX_FORMATS", "check_boxes", "load_boxes"),
        ".label_studio.address": ("address",),
        ".label_studio.client": ("Client",),
        ".label_studio.connect": ("connected",),
        ".label_studio.pull": ("pull",),
        ".label_studio.push": ("push",),
        ".label_studio.server": ("served_label_studio",),
        ".queue.predictions": ("features_in_use",),
        ".queue.run": ("prioritise",),
    },
)
