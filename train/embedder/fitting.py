"""Which run an embedder's training is: one that is there already, one to go on with, or a new one."""

from typing import TYPE_CHECKING, Any

from fullshot.core import leakage
from fullshot.core.settings import EmbedderSettings, Settings
from fullshot.core.workspace import Workspace
from fullshot.train import digests, finding, pictures, resuming, runs
from fullshot.train.embedder.backbones.opening import open_backbone, side_of
from fullshot.train.embedder.dataset import EXAMPLES, WANTED, create_training_examples, training_examples
from fullshot.train.embedder.in_use import FIRST, KIND, weights_of
from fullshot.train.embedder.starting import Network, find_start
from fullshot.train.weights import NONE

if TYPE_CHECKING:
    import pandas as pd

STAGE = "train embedder"

_WITHOUT_EFFECT = digests.WITHOUT_EFFECT | {"backbone", "weights", "starter", "fit", "background", "pooling"}
"""Settings that no weight depends on, and those that version 0.1 did not have: they are named apart where they do."""


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
        backbone = open_backbone(section.backbone, settings.weights if section.weights != NONE else None)
        section = section.model_copy(update={"image_size": side_of(backbone, section.image_size)})
        network = Network(section, backbone, find_start(section, settings.weights))
        made_with = network.made_with()
        inputs = digests.inputs_digest(workspace, tuple(WANTED), section, made_with, without=_WITHOUT_EFFECT)

        def train() -> tuple[runs.Run, bool, str]:
            return *_found_or_trained(workspace, settings, network, resume), inputs

        stats |= finding.found_or_trained(workspace, KIND, [inputs], weights_of, train, resume=resume)
    return stats


def _found_or_trained(
    workspace: Workspace, settings: Settings, network: Network, resume: str | None
) -> tuple[runs.Run, bool]:
    """The finished run of these inputs, and whether it had to be trained."""
    section, made_with = network.settings, network.made_with()
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
        weights=weights_of,
        paths=examples["path"],
        inputs="the pictures or boxes",
    )
    if run is not None and run.finished:
        return run, False
    from fullshot.train.embedder.run import train  # not above: it loads torch and Lightning

    run = run or runs.start(workspace, KIND, digest, settings)
    train(STAGE, workspace, settings, network, run, examples)
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
