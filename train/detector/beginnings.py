"""With what a training begins, and with what the runs began that are there.

Weights that their makers publish may be had today and not tomorrow: the server is down, the cache was emptied. A run is
known by what it began with, so that neither an unfinished nor a finished one is lost for that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from fullshot.core.interfaces import ContinuingTrainer, DetectorTrainer, StartsFromWeights
from fullshot.core.settings import DetectorSettings, WeightsSettings
from fullshot.core.workspace import Workspace
from fullshot.train.detector.families import FIRST, KIND, trainer_for, with_defaults
from fullshot.train.runs import Run, all_runs, finished_runs
from fullshot.train.weights import NONE

if TYPE_CHECKING:
    from fullshot.train.detector.data import DetectionData

Thing = TypeVar("Thing")

MadeWith = Mapping[str, Mapping[str, str]]
"""What weights depend on besides the boxes and the settings, as ``run.json`` keeps it."""


@dataclass(frozen=True)
class Beginning:
    """What a training is made with.

    Attributes:
        section: the settings, with the family's own in the place of those that are 0.
        made_with: see :data:`MadeWith`.
    """

    section: DetectorSettings
    made_with: MadeWith


class Beginnings:
    """What a training of some settings begins with, and what runs of the same settings began with.

    Args:
        workspace: of the runs.
        asked: the settings; 0 stands for the family's own.
        sources: where weights may be looked for.
        more: what the weights depend on besides what the family says.

    Attributes:
        section: the settings, with the family's own in the place of those that are 0.
        trainer: of them; it asks nobody for weights before :meth:`today`.
    """

    def __init__(self, workspace: Workspace, asked: DetectorSettings, sources: WeightsSettings, more: MadeWith) -> None:
        self.section = with_defaults(asked)
        # What a family does where weights are wanted, and cannot be had.
        own = with_defaults(asked.model_copy(update={"weights": NONE}))
        self._from_scratch = own.model_copy(update={"weights": asked.weights})
        self.trainer = trainer_for(self.section)
        self._workspace, self._sources, self._more = workspace, sources, more

    def here(self) -> Beginning:
        """With what is on this machine."""
        section = self._from_scratch if self._lacks_weights() else self.section
        return Beginning(section, self._made_with(self.trainer.inputs()))

    def today(self) -> Beginning:
        """With the weights that are to be had today; their makers are asked for them, where the settings say so."""
        if isinstance(self.trainer, StartsFromWeights):
            self.trainer.look_for_weights(self._sources)
        return self.here()

    def finished(self) -> list[Beginning]:
        """Those with which a finished run need not be trained again; nobody is asked."""
        here = self.here()
        if not self._lacks_weights():
            return [here]
        runs = finished_runs(self._workspace, KIND)
        began = [Beginning(self.section, made_with) for run in runs if (made_with := self._as(run))]
        began = [beginning for beginning in began if beginning.made_with != here.made_with]
        # What was learnt from scratch is learnt again once there are weights to begin with.
        return _different([*began, *([here] if self._sources.download == "never" else [])])

    def unfinished(self) -> list[Beginning]:
        """Those of runs that may have an epoch to go on from."""
        runs = [run for run in all_runs(self._workspace, KIND) if not run.finished]
        made_with = [found for run in runs if (found := self._as(run))]
        sections = _different([self.section, self._from_scratch])
        return _different([Beginning(section, one) for one in made_with for section in sections])

    def of(self, run: Run) -> Beginning:
        """That of a run, where nothing but the weights to begin with has changed since; else what is here."""
        made_with = self._as(run)
        return Beginning(self.section, made_with) if made_with else self.here()

    def has_begun(self, run: Run) -> bool:
        """Whether a run has an epoch to go on from, and so needs no longer what it began with."""
        return isinstance(self.trainer, ContinuingTrainer) and self.trainer.epochs_done(run.folder) > 0

    def trainer_of(self, beginning: Beginning) -> "DetectorTrainer[DetectionData]":
        """The family, with the settings of a beginning."""
        return self.trainer if beginning.section == self.section else trainer_for(beginning.section)

    def _as(self, run: Run) -> MadeWith | None:
        if not isinstance(self.trainer, StartsFromWeights):
            return None
        recorded = run.record.get("made_with")
        inputs = self.trainer.inputs_as(recorded) if isinstance(recorded, dict) else None
        made_with = self._made_with(inputs) if inputs else None
        return made_with if made_with == recorded else None

    def _lacks_weights(self) -> bool:
        return isinstance(self.trainer, StartsFromWeights) and self.trainer.lacks_weights()

    def _made_with(self, inputs: MadeWith) -> MadeWith:
        family = self.section.family
        return {**inputs, **({"family": {"name": family}} if family != FIRST else {}), **self._more}


def _different(given: list[Thing]) -> list[Thing]:
    """Without what stands there before."""
    return [one for number, one in enumerate(given) if one not in given[:number]]
