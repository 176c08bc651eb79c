"""The embedder: crops of one product come to lie close together, whoever wears it and however it is photographed."""

from fullshot.train.embedder.evaluation import evaluate
from fullshot.train.embedder.fitting import fit
from fullshot.train.embedder.model import Embedder, load

__all__ = ["Embedder", "evaluate", "fit", "load"]
