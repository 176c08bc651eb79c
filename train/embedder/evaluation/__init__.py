"""How good an embedder is, of whatever origin: figures and a page, all from the vectors that it makes."""

from typing import TYPE_CHECKING

from fullshot.core.lazy import lazy_names

if TYPE_CHECKING:
    from fullshot.train.embedder.evaluation.contenders import find_contender
    from fullshot.train.embedder.evaluation.instances import score
    from fullshot.train.embedder.evaluation.run import compare, evaluate
    from fullshot.train.embedder.evaluation.validating import ValidationQuestions

__all__ = ["ValidationQuestions", "compare", "evaluate", "find_contender", "score"]

__getattr__ = lazy_names(
    __name__,
    {
        ".contenders": ["find_contender"],
        ".instances": ["score"],
        ".run": ["compare", "evaluate"],
        ".validating": ["ValidationQuestions"],
    },
)
