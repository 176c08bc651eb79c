"""Boxes: drawn by people in Label Studio, or brought along in a file of a common format."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fullshot.annotate.backend.service import serve as serve_backend
    from fullshot.annotate.backend.service import started as started_backend
    from fullshot.annotate.boxes_export import export_boxes
    from fullshot.annotate.boxes_import import import_boxes
    from fullshot.annotate.formats import BOX_FORMATS
    from fullshot.annotate.formats import load as load_boxes
    from fullshot.annotate.label_studio.client import Client
    from fullshot.annotate.label_studio.connect import connected
    from fullshot.annotate.label_studio.pull import pull
    from fullshot.annotate.label_studio.push import push
    from fullshot.annotate.label_studio.server import served as served_label_studio
    from fullshot.annotate.queue.run import prioritise

__all__ = [
    "BOX_FORMATS",
    "Client",
    "connected",
    "export_boxes",
    "import_boxes",
    "load_boxes",
    "prioritise",
    "pull",
    "push",
    "serve_backend",
    "served_label_studio",
    "started_backend",
]

# Loaded when asked for: `fullshot --help` needs none of these, nor the pandas that most of them load.
_PLACES = {
    "BOX_FORMATS": "formats:BOX_FORMATS",
    "Client": "label_studio.client:Client",
    "connected": "label_studio.connect:connected",
    "export_boxes": "boxes_export:export_boxes",
    "import_boxes": "boxes_import:import_boxes",
    "load_boxes": "formats:load",
    "prioritise": "queue.run:prioritise",
    "pull": "label_studio.pull:pull",
    "push": "label_studio.push:push",
    "serve_backend": "backend.service:serve",
    "served_label_studio": "label_studio.server:served",
    "started_backend": "backend.service:started",
}


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        module, _, attribute = _PLACES[name].partition(":")
        return getattr(import_module(f"fullshot.annotate.{module}"), attribute)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
