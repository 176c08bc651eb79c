"""The steps of ``benchmarks.rows`` by the code of the time when CSV files were read whole: run on that checkout's path.

Prints one JSON object: of each step the seconds and the processor's seconds, and the process's peak of memory in MiB.
"""

# mypy: ignore-errors

import json
import sys
import time
from pathlib import Path

import pandas as pd

from fullshot.core import leakage
from fullshot.core.settings import load
from fullshot.core.workspace import Workspace
from fullshot.curation.exports import export
from fullshot.curation.splits.split import split


def must(is_so: bool, what: str) -> None:
    """What is measured is done as well.

    Raises:
        SystemExit: it is not.
    """
    if not is_so:
        raise SystemExit(f"expected {what}")


def main(root: Path) -> None:
    """Take the steps.

    Args:
        root: a workspace of :func:`benchmarks._rows.write_tables`.
    """
    workspace, settings = Workspace(root), load()
    steps: dict[str, tuple[float, float]] = {}
    last = time.perf_counter(), time.process_time()

    def done(step: str) -> None:
        nonlocal last
        now = time.perf_counter(), time.process_time()
        steps[step], last = (now[0] - last[0], now[1] - last[1]), now
        print(f"{step}: {steps[step][0]:.1f} s", file=sys.stderr, flush=True)

    images, products, curated = (workspace.read(name) for name in ("images", "products", "curated"))
    done("read")
    rows = images.merge(products, how="left", on="product_id").merge(curated, on="image_id")
    counts = rows[rows["keep"].fillna(False).astype(bool)].groupby(["wear", "shot"]).size()
    must(bool(counts.sum()), "kept pictures")
    del rows
    done("join")
    leaks = leakage.by_tables(workspace)
    must(not leaks, "no leaks")
    done("check")
    with_copies = curated.dropna(subset="cluster")
    clusters = dict(zip(with_copies["image_id"], with_copies["cluster"], strict=True))
    rejected = set(curated.loc[~curated["keep"], "image_id"])
    before = dict(workspace.read("splits").dropna().itertuples(index=False, name=None))
    splits = split(images, products, clusters, before, settings.curate, rejected)
    must(len(splits) == len(curated), "a split a picture")
    done("split")
    features = pd.DataFrame({"image_id": curated["image_id"].to_numpy(object)}).assign(
        width=540, height=720, sharpness=0.7
    )
    export(workspace, images, products, curated, features)
    done("export")
    with Path("/proc/self/status").open(encoding="utf-8") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    print(json.dumps({"steps": steps, "mebibytes": peak / 1024}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
