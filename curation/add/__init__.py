"""Pictures of one's own, brought into a workspace: a folder of them, or a CSV that names them."""

from fullshot.curation.add.options import Options
from fullshot.curation.add.run import add

__all__ = ["Options", "add"]
