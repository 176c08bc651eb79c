"""Where bytes and vectors lie."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from fullshot.core.settings import Settings


class BlobStore(Protocol):
    """Bytes by name. A name has parts separated by ``/``, such as ``images/ab/abcd.jpg``; none is ``.`` or ``..``.

    It can be pickled, so that worker processes use the same one. Registry: :data:`fullshot.core.blobs.BLOB_STORES`.
    """

    def read(self, name: str) -> bytes:
        """The bytes of this name.

        Raises:
            FileNotFoundError: there are none.
        """

    def write(self, name: str, content: bytes) -> None:
        """Keep bytes under a name in one step: a reader sees the old ones or the new ones, never a part."""

    def size(self, name: str) -> int | None:
        """How many bytes there are under a name; None where there are none."""

    def delete(self, name: str) -> None:
        """Forget a name; one that is not there is no error."""

    def names(self, prefix: str = "") -> Iterator[str]:
        """The names that begin with ``prefix``, in order; unfinished writes are not among them."""


class VectorStore(Protocol):
    """Vectors of pictures, searched by product. Registry: :data:`fullshot.index.stores.VECTOR_STORES`.

    Every vector has an id, a product that it shows, and a partition (a wear) that a search is confined to. Distances
    are exact: of the vectors that a search may choose from, none that is nearer is left out.
    """

    @classmethod
    def from_settings(cls, settings: Settings, folder: Path, dimension: int) -> Self:
        """Open the vectors that were saved below a folder; a store without any where nothing was.

        Args:
            settings: of the workspace; the section ``index`` is the store's.
            folder: the store's; whatever it needs to find its vectors again lies below it, so that the folder can be
                renamed. It need not be there before the first :meth:`save`.
            dimension: d, the length of the vectors.

        Raises:
            ValueError: the vectors below the folder have another length.
            StageFailed: what lies below the folder is damaged.
        """

    def build(
        self, vectors: NDArray[np.float32], ids: NDArray[np.int64], products: Sequence[str], partitions: Sequence[str]
    ) -> None:
        """Put these vectors in place of all that the store holds.

        Args:
            vectors: shape (N, d), float32.
            ids: shape (N,), int64, not negative, each once.
            products: N of them.
            partitions: N of them, such as ``top``.

        Raises:
            ValueError: something has another shape, or an id stands twice.
        """

    def add(
        self, vectors: NDArray[np.float32], ids: NDArray[np.int64], products: Sequence[str], partitions: Sequence[str]
    ) -> None:
        """Add vectors; one whose id the store holds takes that one's place, whatever its product and partition.

        Arguments and errors are those of :meth:`build`.
        """

    def remove(self, ids: NDArray[np.int64]) -> int:
        """Remove vectors; returns how many of the ids the store held."""

    def search(
        self, vectors: NDArray[np.float32], partition: str, products: int, only: Iterable[int] | None = None
    ) -> list[list[tuple[int, float]]]:
        """The products nearest to each query, each once, by its nearest vector.

        Args:
            vectors: shape (Q, d), float32.
            partition: where to look; nothing is found in one that the store does not hold.
            products: how many distinct products at most.
            only: ids to choose from; None: all.

        Returns:
            For each query, pairs of id and squared Euclidean distance (0 or more), nearest first; of vectors at one
            distance, the lower id first.

        Raises:
            ValueError: the vectors have another shape.
        """

    def partitions(self) -> dict[str, int]:
        """The partitions that hold vectors, in order of their names, and how many each holds."""

    def save(self) -> None:
        """Write what changed below the folder, on the disk when this returns.

        A catalog that is built is saved each time that all vectors of a partition are there: a store need not hold in
        memory what it has written.
        """

    def close(self) -> None:
        """Give back memory and connections; what was not saved may be lost."""


@runtime_checkable
class GivesVectors(VectorStore, Protocol):
    """A vector store that gives back what it holds, for what is no search: ask with ``isinstance``."""

    def vectors(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vectors of some ids, whatever partitions they are in.

        Args:
            ids: shape (N,), int64.

        Returns:
            Shape (N, d), float32, in the order of the ids.

        Raises:
            KeyError: the store does not hold one of them.
        """
