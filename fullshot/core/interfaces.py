"""What can be exchanged: the protocols that an implementation keeps, in the house or in another package.

Each has a registry (:mod:`fullshot.core.registry`) in the room that it belongs to, and a suite of tests in
``tests/conformance/`` that runs over every implementation that is there. Where a value belongs to a stage (a page's
item, a person's joints), the protocol is generic over it, since the stages lie above this module.

An implementation that the settings choose is a class with a class method ``from_settings``.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from fullshot.core.boxes import Box, Picture
from fullshot.core.progress import Advance
from fullshot.core.settings import DetectorSettings, Settings

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

    from fullshot.core.settings import CurateSettings, Settings

Row = TypeVar("Row")
Result = TypeVar("Result")
People_co = TypeVar("People_co", covariant=True)
Skeleton_co = TypeVar("Skeleton_co", covariant=True)
Reductions_contra = TypeVar("Reductions_contra", contravariant=True)
Item_co = TypeVar("Item_co", covariant=True)
ToRender_contra = TypeVar("ToRender_contra", contravariant=True)
Rendered_co = TypeVar("Rendered_co", covariant=True)
Task = TypeVar("Task")
State = TypeVar("State")
Annotated = TypeVar("Annotated")
Category_contra = TypeVar("Category_contra", contravariant=True)
Data_contra = TypeVar("Data_contra", contravariant=True)


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


class Engine(Protocol):
    """Maps a function over shards of rows; a context manager. Registry: :data:`fullshot.core.engines.ENGINES`.

    Attributes:
        count: shards that are worked on at once.
    """

    count: int

    def start(self, prepare: Callable[[], object]) -> None:
        """Start the workers before there is work for them, so that they load what they need meanwhile.

        Args:
            prepare: run in them; importable by name. What it raises is passed over: the work will raise it again.
        """

    def map(
        self, function: Callable[[Sequence[Row]], Result], parts: Sequence[Sequence[Row]]
    ) -> Iterator[tuple[int, Result]]:
        """Apply a function to every shard.

        A shard whose worker was ended from outside is done again, so that the function must give the same when it is
        applied twice.

        Args:
            function: takes one shard; importable by name, as are its arguments.
            parts: the shards.

        Yields:
            A shard's number and its result, in the order in which they are done.

        Raises:
            StageFailed: workers were ended from outside again and again.
        """

    def let_go(self) -> None:
        """Let the workers end while this process goes on."""

    def __enter__(self) -> "Engine": ...

    def __exit__(self, *details: object) -> None: ...


class PoseEstimator(Protocol[People_co, Skeleton_co]):
    """Finds people and their joints. Registry: :data:`fullshot.curation.pose.POSE_ESTIMATORS`, by ``curate.pose``.

    It loads its model with the first picture, and can be pickled before and after: a worker process gets the
    description and loads the model itself.

    Attributes:
        skeleton: the joints that it finds; see :class:`fullshot.curation.pose.skeletons.Skeleton`.
        version: of what it finds, such as a digest of its model: two of one version find the same in the same picture.
        model_source: where its model came from, in a word, for the record of a run.
    """

    @classmethod
    def from_settings(cls, settings: "Settings") -> Self:
        """The estimator that the settings describe; its model is fetched if need be.

        Raises:
            UserError: there is no model.
        """

    @property
    def skeleton(self) -> Skeleton_co: ...

    @property
    def version(self) -> str: ...

    @property
    def model_source(self) -> str: ...

    def predict(self, picture: Picture) -> People_co:
        """The people in a picture, the surest first.

        Args:
            picture: shape (height, width, 3), uint8, RGB; it stays as it is.

        Returns:
            Key points of shape (N, J, 4), float: for each person and joint x and y as shares of the picture's width and
            height, visibility and presence in [0, 1]; see :class:`fullshot.curation.pose.people.People`.

        Raises:
            UserError: the model is none of this estimator's.
        """

    def close(self) -> None:
        """Give back the model's memory; a later picture loads the model again."""


class QualityCheck(Protocol[Reductions_contra]):
    """One way in which a picture is of no use. Registry: :data:`fullshot.curation.quality.QUALITY_CHECKS`.

    What is measured of the pixels is kept, so that another bound decides again without decoding a picture. A check of
    another package that measures something makes curation extract the features of all pictures once more. Whoever
    changes how something is measured gives the measure another name.

    Attributes:
        name: as it stands in the registry and in ``curated.issues``: one word.
        words: for people.
        measures: names of the numbers that :meth:`measure` gives; no other check has one of them.
    """

    name: ClassVar[str]
    words: ClassVar[str]
    measures: ClassVar[tuple[str, ...]]

    def measure(self, reductions: Reductions_contra) -> Mapping[str, float]:
        """What is kept of a picture: each of ``measures``, as 32-bit floating-point numbers.

        Args:
            reductions: ``picture``, shape (height, width, 3), uint8, RGB, decoded at 512 pixels or a little more, and
                grey copies of it; see :class:`fullshot.curation.quality.reductions.Reductions`.
        """

    def failed(self, rows: "pd.DataFrame", settings: "CurateSettings") -> "pd.Series[bool]":
        """Which pictures fail.

        Args:
            rows: columns ``width`` and ``height`` of the whole picture in pixels, ``products`` (how many show it), and
                the measures of all checks.
            settings: the section ``curate``.
        """


class Detector(Protocol):
    """Finds garments in pictures.

    Attributes:
        labels: what it tells apart, in the order of its class numbers.
        digest: of its weights, in hexadecimal; boxes carry it as their ``model``.
        image_size: the longer side in pixels that it brings pictures to; larger ones show it nothing more.
    """

    @property
    def labels(self) -> tuple[str, ...]: ...

    @property
    def digest(self) -> str: ...

    @property
    def image_size(self) -> int: ...

    def predict(self, pictures: Sequence[Picture]) -> list[list[Box]]:
        """Find the garments of each picture.

        Args:
            pictures: each of shape (height, width, 3), uint8, RGB, upright; of any sizes.

        Returns:
            A picture's boxes, best score first, none below the settings' ``detector.confidence``; corners in pixels of
            the picture as it was given, inside it.
        """


@runtime_checkable
class DetectorWithFeatures(Detector, Protocol):
    """A detector that can also say what a picture looks like to it, in the same pass: ask with ``isinstance``."""

    def predict_with_features(self, pictures: Sequence[Picture]) -> tuple[list[list[Box]], NDArray[np.float32]]:
        """Find the garments of each picture, and describe the picture.

        Args:
            pictures: see :meth:`Detector.predict`.

        Returns:
            The boxes, as :meth:`Detector.predict` gives them, and features of shape (N, D), float32, not normalised.
            Those of a picture do not depend on the pictures beside it.
        """


class DetectorTrainer(Protocol[Data_contra]):
    """One family of detectors: trains them, and opens what it trained.

    Registry: :data:`fullshot.train.detector.DETECTORS`, by ``detector.family``. What is the same for every family is
    done by :mod:`fullshot.train.detector.fitting`: it chooses the boxes, finds the run to go on with, and says when a
    run is finished. ``data`` is a :class:`fullshot.train.detector.DetectionData`, ``folder`` the folder of a run.
    """

    @classmethod
    def from_settings(cls, settings: DetectorSettings) -> Self:
        """The family with these settings; it reads no file yet."""

    def inputs(self) -> Mapping[str, Mapping[str, str]]:
        """What the weights depend on besides the pictures, the boxes and the settings: tables of one row, by name.

        Such as ``{"model": {"name": …, "sha256": …}}`` of the file that a training begins with. The setting ``model``
        counts by what is said here alone. Where it differs, the model is trained anew.

        Raises:
            UserError: the settings name a model that there is not.
        """

    def fit(self, data: Data_contra, folder: Path, advance: Advance) -> Mapping[str, Any]:
        """Train; go on after the last whole epoch where the folder holds one.

        Args:
            data: the pictures and boxes of the splits ``train`` and, where there are any, ``val``.
            folder: of the run; a kill may have left it in any state.
            advance: is given the number of epochs done and in all, after each.

        Returns:
            ``resumed_at`` (epochs done before), ``epochs``, ``best_epoch`` and ``seconds`` of training.

        Raises:
            UserError: the settings name a device that there is not, or a model that is none.
            StageFailed: the training broke off.
        """

    def evaluate(self, data: Data_contra, folder: Path, split: str) -> Mapping[str, Any]:
        """Measure the best weights on a split.

        Returns:
            ``map50`` and ``map50_95`` (means over the labels that the split has boxes of), and ``classes``: by label
            ``boxes``, ``map50``, ``map50_95``, ``precision`` and ``recall``.
        """

    def clean_up(self, folder: Path) -> None:
        """Delete what only going on would need: the run is finished."""

    def weights(self, folder: Path) -> Path:
        """Where the best weights lie."""

    def load(self, folder: Path) -> Detector:
        """The detector of a finished run, with the settings' ``device`` and ``confidence``.

        Raises:
            UserError: the weights do not hold one, or this machine has no such device.
        """


class Backbone(Protocol):
    """A network that turns pictures into features, by name. Registry: :data:`fullshot.train.embedder.BACKBONES`.

    It is made without arguments. Its name stands in the checkpoint of an embedder that was trained with it.

    Attributes:
        feature_size: F, the length of a picture's features.
        input_size: side in pixels of the squares that it takes, unless the settings' ``embedder.image_size`` says so.
        mean: of each channel (R, G, B), in [0, 1]; taken from the picture before it goes in.
        std: of each channel (R, G, B); the picture is divided by it.
    """

    feature_size: int
    input_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def network(self) -> "nn.Module":
        """A new network: (N, 3, side, side), float32, less ``mean`` and divided by ``std`` → (N, F), float32.

        It begins with random weights, drawn from torch's global generator, or with pretrained ones.
        """


class Embedder(Protocol):
    """Turns crops of garments into vectors that lie close where the garments look alike.

    Attributes:
        digest: of the weights; vectors of two digests do not compare.
        dimension: d, the length of an embedding.
        image_size: side in pixels of the squares that crops are brought to; larger crops show it nothing more.
    """

    @property
    def digest(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    @property
    def image_size(self) -> int: ...

    def embed(self, crops: Sequence[Picture]) -> NDArray[np.float32]:
        """Embed crops of garments.

        Args:
            crops: each of shape (height, width, 3), uint8, RGB; upright, of any sizes; one garment each, tight around
                it.

        Returns:
            Shape (N, d), float32, not normalised: to be compared by squared Euclidean distance.
        """


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
        """Write what changed below the folder, on the disk when this returns."""

    def close(self) -> None:
        """Give back memory and connections; what was not saved may be lost."""


class Frontier(Protocol[Task, State]):
    """The requests of a crawl that are still to be made. Registry: :data:`fullshot.crawler.frontier.FRONTIERS`.

    It belongs to one workspace, outlives the process, and holds each address once. A request stays in it until its
    answer is worked up: what a kill interrupts is made again. When a host may be asked is not its business. The process
    that started a crawl reads it while the crawl's own process takes requests from it.

    What it would need in Redis: for each host a sorted set of what is queued (by rank, then by order of arrival); the
    tasks, and their numbers by address, as hashes; a script that takes the first of a set in one step; a prefix of keys
    for each workspace; and a pipeline (MULTI, EXEC) that :meth:`atomic` opens and executes.

    Attributes:
        queued: how many requests are queued, by host and rank, as far as this process knows since :meth:`recover`.
        pages_in_flight: how many requests of pages this process has taken and not ended.
    """

    @property
    def queued(self) -> Mapping[tuple[str, int], int]: ...

    @property
    def pages_in_flight(self) -> int: ...

    def recover(self) -> None:
        """Queue again what was in flight when the last process ended, and what failed in it; tries begin at 0."""

    def clear(self) -> None:
        """Forget every request."""

    def atomic(self) -> AbstractContextManager[None]:
        """Changes made within happen together when it ends, or not at all.

        What a request brought is committed within it, before it ends: a kill in between makes the request once more. A
        frontier in the same database has both in one transaction.
        """

    def add(self, urls: Iterable[str], rank: int, *, start: bool = False, page: str | None = None) -> None:
        """Queue the addresses that it does not hold yet.

        Args:
            urls: the addresses.
            rank: lower ones are taken first.
            start: whether the user gave them.
            page: of pictures, the page that shows them.
        """

    def skip(self, urls: Iterable[str], rank: int) -> None:
        """Hold addresses that this crawl does not ask for; those that it holds already stay as they are."""

    def take(self, host: str, last_rank: int) -> Task | None:
        """The next request to a host, in flight from now: of the lowest rank up to ``last_rank``, the first added."""

    def put_back(self, task: Task, renderer: str | None = None) -> None:
        """Queue a request in flight again where it stood, to be made with this renderer; its tries go on."""

    def done(self, task: Task) -> None:
        """A request needs no more."""

    def failed(self, task: Task) -> None:
        """A request came to nothing; :meth:`recover` queues it again."""

    def find(self, url: str) -> Task | None:
        """The request of an address; None where it holds none."""

    def tasks(self, *states: State) -> Iterator[Task]:
        """The requests in any of these states, in the order in which they were added."""

    def counts(self) -> Mapping[tuple[str, int, State], int]:
        """How many requests there are, by host, rank and state."""

    def close(self) -> None:
        """Let go of connections."""


class Renderer(Protocol[ToRender_contra, Rendered_co]):
    """Draws pages with a browser. Registry: :data:`fullshot.crawler.rendering.RENDERERS`.

    It is made with Scrapy's crawler as its only argument.
    """

    async def render(self, to_render: ToRender_contra) -> Rendered_co:
        """The page as it is once its scripts ran.

        Raises:
            OffHost: it leads to another host.
            DownloadTimeoutError: it did not come in time.
            DownloadFailedError: it did not come; BrowserDied is one of these.
        """

    async def close(self) -> None:
        """End the browser."""


class ShopPage(Protocol[Item_co]):
    """A page of a shop. Registry: :data:`fullshot.crawler.pages.SHOPS`.

    Attributes:
        patterns: the addresses that it reads (``url_matcher.Patterns``); the more particular pattern wins.
        parser: name and version of what reads the page, such as ``myntra@1``.
        data_script: JavaScript, a function's body: returns whether the page's data is there.
        always_has_data: whether every page of the shop has data, so that one without it means that the crawl is taken
            for a bot.
    """

    patterns: ClassVar[Any]
    parser: ClassVar[str]
    data_script: ClassVar[str]
    always_has_data: ClassVar[bool]

    def find(self) -> Item_co:
        """The product, the listing, or why there is neither; see :data:`fullshot.crawler.items.Found`."""


class BoxFormat(Protocol[Annotated, Category_contra]):
    """A file format of boxes. Registry: :data:`fullshot.annotate.formats.BOX_FORMATS`.

    Attributes:
        beside: where pictures lie when nobody says so, relative to the file or the folder of annotations.
        one_box: a picture has one box.
        whole_pixels: boxes lie on whole pixels.
    """

    beside: ClassVar[tuple[str, ...]]
    one_box: ClassVar[bool]
    whole_pixels: ClassVar[bool]

    def load(self, path: Path) -> list[Annotated]:
        """The pictures and boxes of a file or a folder.

        Raises:
            UserError: it is not what the format says; names file and line or part.
        """

    def save(
        self, folder: Path, splits: Mapping[str, Sequence[Annotated]], categories: Sequence[Category_contra]
    ) -> None:
        """Write a data set's annotations into a folder that holds its pictures already, by split."""

    def picture(self, split: str, image_id: str, number: int) -> str:
        """Where a picture lies in that folder, by its split, its image_id and its number from 1; without suffix."""
