"""The files of an export: written, looked at pictures with, and kept where they find what the network finds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from fullshot.core.boxes import Box
from fullshot.core.errors import StageFailed
from fullshot.core.files import write_bytes
from fullshot.core.interfaces import Detector
from fullshot.core.progress import say, say_unreadable
from fullshot.core.settings import DetectorSettings
from fullshot.train import runtimes
from fullshot.train.detector.evaluation import LEAST_SCORE
from fullshot.train.detector.exporting.samples import PHOTOS, Samples, read
from fullshot.train.detector.sources import ExportSource, Source
from fullshot.train.exported import NotExportable, content_of

STAGE = "export detector"

ONNX, OPENVINO = "onnx", "openvino"
"""Formats."""

LEAST_SAME = 0.99
"""Share of boxes that a file in float32 has to find as the network does; else it is not kept."""

MOST_LOST = {"map50": 0.01, "map50_95": 0.02}
"""Of mean average precision, by a file of 8-bit numbers that is kept."""

_FLOAT32, _INT8 = "float32", "int8"


@dataclass(frozen=True)
class _File:
    """A file that was written.

    Attributes:
        path: of it.
        format: of :data:`ONNX` and :data:`OPENVINO`.
        numbers: of what kind they are: ``float32`` or ``int8``.
    """

    path: Path
    format: str
    numbers: str

    @property
    def runtime(self) -> str:
        """That runs it."""
        return runtimes.OPENVINO if self.format == OPENVINO else runtimes.ONNX_RUNTIME

    @property
    def parts(self) -> list[Path]:
        """OpenVINO's numbers lie in a file beside it."""
        return [self.path, *([self.path.with_suffix(".bin")] if self.format == OPENVINO else [])]

    def remove(self) -> None:
        """Delete it."""
        for part in self.parts:
            part.unlink(missing_ok=True)


@dataclass
class Making:
    """One export.

    Attributes:
        source: the weights.
        section: the settings of the detector.
        samples: the pictures.
        folder: that the files go to.
    """

    source: Source
    section: DetectorSettings
    samples: Samples
    folder: Path

    def run(self, formats: Sequence[str], *, int8: bool) -> dict[str, Any]:
        """Write and measure.

        Args:
            formats: of :data:`ONNX` and :data:`OPENVINO`.
            int8: whether files of 8-bit numbers are written, too.

        Returns:
            See :func:`fullshot.train.detector.exporting.run.export`, without ``folder``.

        Raises:
            StageFailed: the network cannot be exported, finds nothing in the pictures, or nothing of it was kept.
        """
        # Not above: what is there already needs none of it.
        from fullshot.train.detector.exporting import measuring

        try:
            model = content_of(self.source.export, self.source.digest[:16], runtimes.chosen())
        except NotExportable as error:
            raise StageFailed(f"the detector {self.source.name} cannot be exported: {error}") from None
        files = self._written(model, formats, _FLOAT32)
        torch = partial(self._opened, self.source, runtimes.TORCH)
        found = self._look([torch, *(self._opener(file) for file in files)])
        if not any(self._sure(boxes) for boxes in found.boxes[0]):
            raise StageFailed(
                f"the detector {self.source.name} finds no garment in {len(found.numbers)} pictures: there is nothing "
                "to measure its export by"
            )
        # Where nobody drew boxes, what the network itself finds, and is sure of, is expected.
        expected = [self.samples.expected[number] for number in found.numbers] if self.samples.expected else []
        if self.samples.measured_on == PHOTOS:
            expected = [self._sure(boxes) for boxes in found.boxes[0]]
        before = {
            **measuring.precision(self.source.labels, found, 0, expected),
            "ms": measuring.milliseconds(found.seconds[0]),
        }
        rows, left_out = [], list[str]()

        def row(file: _File, its: "measuring.Findings", place: int) -> dict[str, Any]:
            return {
                "file": file.path.name,
                "runtime": file.runtime,
                "numbers": file.numbers,
                "megabytes": round(sum(part.stat().st_size for part in file.parts) / 1e6, 2),
                "ms": measuring.milliseconds(its.seconds[place]),
                **measuring.agreement(its.boxes[place], found.boxes[0], self.section.confidence),
                **measuring.precision(self.source.labels, its, place, expected),
            }

        for place, file in enumerate(files, 1):
            one = row(file, found, place)
            if one["share"] >= LEAST_SAME:
                rows.append(one)
            else:
                file.remove()
                left_out.append(
                    f"{one['file']}: {one['share']:.1%} of its boxes are the network's, not {LEAST_SAME:.0%}"
                )
        if int8:
            wanted, last = list(formats), list[str]()
            for words, numbers in self._eight_bits(model):
                quantised = self._written(numbers, wanted, _INT8)
                its = self._look([self._opener(file) for file in quantised])
                wanted, last = [], []
                for place, file in enumerate(quantised):
                    one = row(file, its, place)
                    if reason := _lost(one, before, words):
                        file.remove()
                        wanted.append(file.format)
                        last.append(reason)
                    else:
                        rows.append({**one, "in_float": words})
                if not wanted:
                    break
            left_out += last
        for reason in left_out:
            say(f"{STAGE}: {reason}; it is not kept")
        if not rows:
            raise StageFailed(f"nothing of the detector {self.source.name} was kept")
        say_unreadable(STAGE, [str(path) for path in found.unreadable])
        return {
            "weights": self.source.name,
            "digest": self.source.digest,
            "family": self.source.family,
            "labels": list(self.source.labels),
            "image_size": self.source.image_size,
            "measured_on": self.samples.measured_on,
            "pictures": len(found.numbers),
            "pictures_left_out": self.samples.left_out,
            "unreadable": self.samples.unreadable + len(found.unreadable),
            "confidence": self.section.confidence,
            "overlap": measuring.LEAST_OVERLAP,
            "before": before,
            "files": rows,
            "left_out": left_out,
        }

    def _written(self, model: bytes, formats: Sequence[str], numbers: str) -> list[_File]:
        name = "detector" if numbers == _FLOAT32 else f"detector-{numbers}"
        files = []
        for format in formats:
            file = _File(self.folder / f"{name}.{'xml' if format == OPENVINO else 'onnx'}", format, numbers)
            if format == OPENVINO:
                from fullshot.train.runtimes.openvino import save

                save(model, file.path)
            else:
                write_bytes(file.path, model)
            files.append(file)
        return files

    def _opener(self, file: _File) -> "partial[Detector]":
        return partial(self._opened, ExportSource(str(file.path), file.path), file.runtime)

    def _opened(self, source: Source, runtime: str, confidence: float) -> Detector:
        how = {"device": "cpu", "runtime": runtime, "precision": runtimes.FLOAT32, "confidence": confidence}
        return source.load(self.section.model_copy(update=how))

    def _look(self, openers: "Sequence[partial[Detector]]") -> Any:
        from fullshot.train.detector.exporting import measuring

        detectors = [opened(confidence=LEAST_SCORE) for opened in openers]
        timed = [opened(confidence=self.section.confidence) for opened in openers]
        return measuring.look(detectors, self.samples, timed)

    def _sure(self, boxes: Sequence[Box]) -> list[Box]:
        """Boxes that the network is sure of, as if somebody had drawn them."""
        return [Box(box.label, *box.corners) for box in boxes if (box.score or 0) >= self.section.confidence]

    def _eight_bits(self, model: bytes) -> Iterator[tuple[str, bytes]]:
        """What stays in float, in words, the least first; and the network."""
        from fullshot.train import quantized
        from fullshot.train.detector.candidates import CandidateNetwork

        network = runtimes.open_network(model, runtimes.chosen())
        asked = CandidateNetwork.of_export(network, image_size=self.source.image_size, confidence=1.0)
        pictures = read(self.samples.calibrated, "calibrating", lambda path: None)
        ranges = quantized.calibrated(model, (asked.seen([picture]) for _, picture in pictures))
        delicate = quantized.delicate_layers(model)
        yield "delicate layers", quantized.quantized(model, ranges, delicate)
        yield (
            "delicate layers and the head",
            quantized.quantized(model, ranges, [*delicate, *quantized.whole_head(model)]),
        )


def _lost(row: dict[str, Any], before: dict[str, float], words: str) -> str:
    """Why a file of 8-bit numbers is not kept; empty: it is."""
    lost = {name: before[name] - row[name] for name, most in MOST_LOST.items() if before[name] - row[name] > most}
    if not lost:
        return ""
    told = ", ".join(f"{name} fell from {before[name]:.3f} to {row[name]:.3f}" for name in lost)
    return f"{row['file']}: with {words} in float, {told} (at most {MOST_LOST['map50']} and {MOST_LOST['map50_95']})"
