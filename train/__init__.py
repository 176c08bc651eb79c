"""Training of the models, the garment detector and the embedder, and the folders that their runs lie in.

The models themselves: :mod:`fullshot.train.detector` and :mod:`fullshot.train.embedder`.
"""

from typing import TYPE_CHECKING

from fullshot.core.lazy import lazy_names

if TYPE_CHECKING:
    from fullshot.train.digests import frames_digest
    from fullshot.train.exported import runs_on_cpu
    from fullshot.train.figures import inputs_of, keep_figures, kept_figures
    from fullshot.train.managing import delete_run, use_run
    from fullshot.train.overview import list_runs, table_of_runs
    from fullshot.train.pictures import geometries, turned, unreadable
    from fullshot.train.runs import Run, latest_run, leave_none_in_use, named_run, put_in_use, unknown_runs
    from fullshot.train.torchrun import is_follower, processes

__all__ = [
    "Run",
    "delete_run",
    "frames_digest",
    "geometries",
    "inputs_of",
    "is_follower",
    "keep_figures",
    "kept_figures",
    "latest_run",
    "leave_none_in_use",
    "list_runs",
    "named_run",
    "processes",
    "put_in_use",
    "runs_on_cpu",
    "table_of_runs",
    "turned",
    "unknown_runs",
    "unreadable",
    "use_run",
]

__getattr__ = lazy_names(
    __name__,
    {
        ".digests": ["frames_digest"],
        ".exported": ["runs_on_cpu"],
        ".figures": ["inputs_of", "keep_figures", "kept_figures"],
        ".managing": ["delete_run", "use_run"],
        ".overview": ["list_runs", "table_of_runs"],
        ".pictures": ["geometries", "turned", "unreadable"],
        ".torchrun": ["is_follower", "processes"],
        ".runs": ["Run", "latest_run", "leave_none_in_use", "named_run", "put_in_use", "unknown_runs"],
    },
)
