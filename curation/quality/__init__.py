"""Which pictures are of no use: tiny, a strip, blank, blurred, marked all over, several in one, or shared by many.

Each check is a module. What it measures of the pixels is kept with the picture's features, so that another bound
decides again without decoding anything. To keep a useless picture costs less than to lose a good one.

Looked at on 7,153 photos (street photos, two sizes of a shop's, garments at home), drawings of the built-in shop, and
defects planted on pictures of each kind and saved as JPEG (``benchmarks.quality``). With a sharpness of at least
0.36, a detail of at least 0.02 and at most 0.05 of a watermark, clean ones on the wrong side are two blurred photos
(soft ones, taken at home) and, of 900 drawings, one in fine stripes all over; with at most 0.2 of a collage none of
450 drawings and 7,153 photos is. Found of what was planted, on 120 of each kind of photo:

* Blurred by a Gaussian of 1/150 of the longer side: 99 to 100%. Moved by 1/40 of it: 98 to 100% of street photos and
  the large shop photos, 68 to 74% of the others, which are smaller.
* Empty frames with noise and a slope of brightness: all.
* Two photos that touch, side by side or one above the other: 72 to 84%, with a gutter 98 to 100%; next to none where
  both stand on one white.
* Half-transparent words all over: 3 to 33%, the fewest on the smallest pictures. A print that fills the frame repeats
  itself too, and to lose good pictures costs more. Large letters that stand there once are not looked for.
"""

from fullshot.core import interfaces
from fullshot.core.registry import Registry, keeps
from fullshot.curation.quality.reductions import Reductions

__all__ = ["QUALITY_CHECKS", "QualityCheck", "Reductions"]

QualityCheck = interfaces.QualityCheck[Reductions]

QUALITY_CHECKS: Registry[type[QualityCheck]] = Registry(
    "quality check",
    "fullshot.quality_checks",
    {
        name: f"fullshot.curation.quality.{name}:{name.capitalize()}"
        for name in ("tiny", "strip", "blank", "blurred", "watermark", "collage", "shared")
    },
    keeps("fullshot.core.interfaces:QualityCheck"),
)
"""A quality check's class by its name in ``curated.issues``, in the order in which issues are named there."""
