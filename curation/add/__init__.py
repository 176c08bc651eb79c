"""Pictures of one's own, brought into a workspace: a folder of them, or a CSV that names them."""

from curation.add.options import Options
from curation.add.run import add

__all__ = ["Options", "add"]
