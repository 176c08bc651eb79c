"""Which run an embedder's training is: one that is there already, one to go on with, or a new one."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fullshot.core import leakage
from fullshot.core.interfaces import Backbone
from fullshot.core.settings import EmbedderSettings, Settings
from fullshot.core.workspace import Workspace
from fullshot.train import digests, finding, pictures, resuming, runs
from fullshot.train.embedder import BACKBONES
from fullshot.train.embedder.dataset import EXAMPLES, WANTED, create_training_examples, training_examples
from fullshot.train.embedder.in_use import FIRST, KIND, WEIGHTS

if TYPE_CHECKING:
    import pandas as pd

STAGE = "train embedder"

_WITHOUT_EFFECT = digests.WITHOUT_EFFECT | {"backbone"}
"""Settings that no weight depends on. The backbone is named apart."""


def fit(workspace: Workspace, settings: Settings, *, resume: str | None = None) -> dict[str, Any]:
    """Train an embedder; go on with the unfinished run of the same inputs and settings where there is one.

    Args:
        workspace: read: ``exports/dataset2.csv`` and ``labels.csv``, ``images``, ``products``, ``curated``, and
            ``boxes`` where there are any. Written: ``models/embedder/<run>/``.
        settings: its section ``embedder``.
        resume: the name of an unfinished run to go on with, with the settings that it was started with.

    Returns:
        ``run``, ``trained`` (false: it had been before), ``resumed_at`` (epochs done before), ``products``,
        ``item_shots`` and ``worn_garments`` learnt from, ``unreadable`` (pictures that were left out), ``epochs``,
        ``best_epoch``, ``seconds`` of this sitting, ``weights`` (their digest), ``val`` (see
        :func:`fullshot.train.embedder.evaluation.score`), and the ``history``.

    Raises:
        MissingInput: a table is not there, or holds too little to learn from; or too little of it can be read.
        UserError: there is no run ``resume``, it is finished, or its inputs have changed; no such device or backbone;
            the splits leak.
    """
    with workspace.stage(STAGE, settings, tuple(WANTED)) as stats:
        section = resuming.section_to_train(workspace, KIND, resume, settings.embedder)
        backbone = BACKBONES.get(section.backbone)()
        section = section.model_copy(update={"image_size": section.image_size or backbone.input_size})
        made_with = {} if section.backbone == FIRST else {"backbone": {"name": section.backbone}}
        inputs = digests.inputs_digest(workspace, tuple(WANTED), section, made_with, without=_WITHOUT_EFFECT)

        def train() -> tuple[runs.Run, bool, str]:
            return *_found_or_trained(workspace, settings, section, backbone, made_with, resume), inputs

        stats |= finding.found_or_trained(workspace, KIND, [inputs], lambda run: run / WEIGHTS, train, resume=resume)
    return stats


def _found_or_trained(
    workspace: Workspace,
    settings: Settings,
    section: EmbedderSettings,
    backbone: Backbone,
    made_with: Mapping[str, Mapping[str, str]],
    resume: str | None,
) -> tuple[runs.Run, bool]:
    """The finished run of these inputs, and whether it had to be trained."""
    with workspace.open(WANTED) as data:
        create_training_examples(data)
        leakage.refuse(data)
        digest = digests.rows_digest(digests.rows_of(data, [EXAMPLES]), section, made_with, without=_WITHOUT_EFFECT)
        examples = training_examples(data)  # last: none of the queries has to do with less memory
    run = finding.find_run(
        workspace,
        KIND,
        digest,
        lambda: digest_of_0_1(workspace, section, examples),
        resume=resume,
        weights=lambda folder: folder / WEIGHTS,
        paths=examples["path"],
        inputs="the pictures or boxes",
    )
    if run is not None and run.finished:
        return run, False
    from fullshot.train.embedder.run import train  # not above: it loads torch and Lightning

    run = run or runs.start(workspace, KIND, digest, settings)
    train(STAGE, workspace, settings, section, backbone, run, examples)
    return run, True


def digest_of_0_1(workspace: Workspace, section: EmbedderSettings, examples: "pd.DataFrame") -> str:
    """The digest of a run as version 0.1 made it."""
    import pandas as pd

    frames = {"examples": examples}
    if section.backbone != FIRST:
        frames["backbone"] = pd.DataFrame([{"name": section.backbone}])
    # It learnt from these as they are stored: what it trained on others is as good as what is trained today.
    if turned := pictures.turned(workspace.root, examples["path"]):
        frames["turned upright"] = pd.DataFrame({"path": turned})
    return digests.frames_digest(frames, section, without=_WITHOUT_EFFECT)
