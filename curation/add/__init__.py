"""Pictures of one's own, brought into a workspace: a folder of them, or a CSV that names them."""

from fullshot.curation.add.options import AddOptions, parse_constants
from fullshot.curation.add.run import add_pictures

__all__ = ["AddOptions", "add_pictures", "parse_constants"]
