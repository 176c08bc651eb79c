"""What to annotate next: what the detector is unsure of, what is unlike all that is labelled, what is rare."""

from typing import Any

from fullshot.annotate.queue import candidates as candidate
from fullshot.annotate.queue import explanation
from fullshot.annotate.queue.looked_at import look_at
from fullshot.annotate.queue.ordering import RANDOM, Ordered, Ordering
from fullshot.annotate.queue.predictions import Descriptor, feature_extractor
from fullshot.annotate.queue.selection import REST
from fullshot.core.progress import say_unchanged
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace

_INPUTS = ("images", "products", "curated", "boxes", "annotations")

_LAST = "SELECT number, split, before FROM candidates WHERE rank = $rank ORDER BY number"
_COUNTS = """
SELECT count(*) AS candidates, count(*) FILTER (rank = $learn) AS to_learn_from, count(*) FILTER (rank = $check)
    AS to_check, count(*) FILTER (rank = $measure) AS to_measure_on, count(*) FILTER (unclear) AS unclear,
    (SELECT count(*) FROM labelled) AS labelled
FROM candidates
"""
_COUNTED = ("candidates", "to_learn_from", "to_check", "to_measure_on", "unclear", "labelled")
_WRITTEN = """
SELECT image_id, priority, ordered.reason, uncertainty, diversity, rarity
FROM ordered JOIN candidates USING (number) ORDER BY priority DESC
"""


def prioritise(workspace: Workspace, settings: Settings) -> dict[str, Any]:
    """Say what to annotate next, and why, and write it to ``priorities``.

    First come pictures to train on: the first :data:`selection.CHOSEN_ONE_BY_ONE` chosen one by one, each
    unlike those before it. Unclear ones stand among them at a fixed share. Then those whose boxes were imported, for a
    person to check. Last those of the splits ``val`` and ``test``, in an order that depends on nothing but their bytes:
    whoever chose them by what the detector finds hard would measure it on hard pictures only.

    With ``annotate.order = "random"`` pictures to train on, and those to check, come by lot: no detector is asked.

    The numbers say the order; a picture that keeps its place among the others keeps its number (see
    :mod:`fullshot.annotate.queue.numbering`), so that a new annotation changes few tasks of the annotators.

    Args:
        workspace: with ``images`` and ``curated``; ``products``, ``boxes``, ``annotations`` and a detector are used
            where they are there. Without a detector diversity and rarity alone decide.
        settings: section ``annotate``, and ``detector`` for the threshold and the device.

    Returns:
        ``candidates`` and of these ``to_learn_from``, ``to_check``, ``to_measure_on``, ``unclear``; ``labelled``
        pictures to learn from; ``unreadable`` candidates, which are left out; ``detector`` (digest of its weights,
        None: none was asked); ``predicted``, pictures that were not known from an earlier run.

    Raises:
        MissingInput: nothing was crawled or curated yet; says what to run first.
        UserError: the detector cannot be loaded, or the workspace is in use.
    """
    with workspace.stage("annotate queue", settings, _INPUTS) as stats, workspace.open(candidate.COLUMNS) as data:
        candidate.create_candidates(data)
        annotated = candidate.annotated_by_rank(data, REST)
        candidate.drop_all_but_candidates(data)
        is_by_lot = settings.annotate.order == RANDOM
        extractor = Descriptor() if is_by_lot else feature_extractor(workspace, settings)
        looked_at = look_at(data, workspace, extractor, settings.engine.name)
        ordering = Ordering(data, looked_at, extractor, settings)
        parts = [ordering.of_rank(rank, *annotated[rank]) for rank in (candidate.LEARN, candidate.CHECK)]
        last = data.arrow(_LAST, rank=candidate.MEASURE)
        reasons = explanation.explain_measured(last["split"].combine_chunks())
        parts.append(Ordered(last["number"].to_numpy(), last["before"].to_numpy(), reasons))
        data.create("ordered", Ordered.numbered(parts))
        data.write("priorities", _WRITTEN)
        if not looked_at.new and not data.changed:
            say_unchanged("annotate queue", "the queue was put in order", "it stays as it is")
        ranks = {"learn": candidate.LEARN, "check": candidate.CHECK, "measure": candidate.MEASURE}
        stats |= dict(zip(_COUNTED, data.rows(_COUNTS, **ranks)[0], strict=True))
        stats |= {
            "unreadable": looked_at.unreadable,
            "detector": None if isinstance(extractor, Descriptor) else extractor.version.partition("-")[0],
            "predicted": looked_at.new,
        }
    return stats
