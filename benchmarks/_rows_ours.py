"""The steps of ``benchmarks.rows`` by this code.

Prints one JSON object: of each step the seconds and the processor's seconds, and the process's peak of memory in MiB.
"""

import json
import sys
import time
from pathlib import Path

from fullshot.core import leakage
from fullshot.core.settings import load
from fullshot.core.workspace import Workspace
from fullshot.curation.exports import export
from fullshot.curation.splits.numbered import earlier_splits, number_pictures, read_products, read_shown
from fullshot.curation.splits.split import NONE, split


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

    with workspace.open() as data:
        for name in ("splits", "labels"):  # exports are taken in when they are asked for
            data.find(name, "false")
    done("take in")
    with workspace.open() as data:
        for name in ("images", "products", "curated"):
            # Every cell, some rows at a time: a query would read the columns that it needs.
            must(sum(batch.num_rows for batch in data.batches(f"SELECT * FROM {name}")) > 0, f"rows of {name}")
        done("read")
        counts = data.rows(
            "SELECT wear, shot, count(*) FROM images LEFT JOIN products USING (product_id) "
            "JOIN curated USING (image_id) WHERE keep GROUP BY ALL"
        )
        must(bool(counts), "kept pictures")
        done("join")
        leaks = leakage.by_tables(data)
        must(not leaks, "no leaks")
        done("check")
        curated = data.arrow("SELECT image_id, cluster, keep FROM curated ORDER BY image_id")
        number_pictures(data, curated["image_id"])
        products = read_products(data)
        shown = read_shown(data, products, len(curated))
        cluster = curated["cluster"].combine_chunks().dictionary_encode().indices.fill_null(NONE).to_numpy()
        before, rejected = earlier_splits(data, len(curated)), ~curated["keep"].to_numpy()
        splits = split(shown, products, cluster, before, rejected, settings.curate)
        must(len(splits) == len(curated), "a split a picture")
        done("split")
        data.create("measures", "SELECT image_id, 540 AS width, 720 AS height, 0.7 AS sharpness FROM curated")
        export(data)
        done("export")
    with Path("/proc/self/status").open(encoding="utf-8") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    print(json.dumps({"steps": steps, "mebibytes": peak / 1024}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
