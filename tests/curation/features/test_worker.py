"""What a worker process of a curation has loaded: each of them pays for it."""

import subprocess
import sys

_WITH_PANDAS = """
import sys
from fullshot.curation.features.worker import load_libraries
load_libraries()
import pyarrow
rows = pyarrow.Table.from_pylist([{"name": "a", "number": None}, {"name": "b", "number": 2}])
print(*sys.modules)
print(rows.to_pandas()["name"].to_list())
import pandas
print(pyarrow.array(pandas.Series([1.0, None])).null_count)
"""


def test_a_worker_loads_neither_pandas_nor_settings_until_they_are_asked_for() -> None:
    done = subprocess.run([sys.executable, "-c", _WITH_PANDAS], capture_output=True, text=True, check=True)
    loaded, names, later = done.stdout.splitlines()
    assert {"cv2", "pyarrow", "fullshot.curation.features.extract"} <= set(loaded.split())
    assert not {"pandas", "pydantic", "scipy", "duckdb", "fullshot.core.settings"} & set(loaded.split())
    assert (names, later) == ("['a', 'b']", "1")
