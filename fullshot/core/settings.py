"""The settings: ``fullshot.toml`` < environment ``FULLSHOT_*`` < flags.

A setting has a section and a key: ``[crawl] delay = 1.0`` in the workspace's ``fullshot.toml``,
``FULLSHOT_CRAWL_DELAY=1.0`` in the environment, ``--delay 1.0`` on ``fullshot crawl``.
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from fullshot.core import misspelt, renaming
from fullshot.core.errors import UserError
from fullshot.core.sections import EmbedderSettings as EmbedderSettings  # a section like those here
from fullshot.core.sections import Section as _Section
from fullshot.core.sections import Share
from fullshot.core.taxonomy import ALL_GARMENTS, garments_named

RENAMED: Mapping[str, str] = {
    "curate.duplicate_likeness": "curate.duplicate_similarity",
}
"""Old names of settings, section and key, and what they are called now; the old ones are understood."""

Labels = Annotated[str, AfterValidator(garments_named)]


def _server_address(text: str) -> str:
    with suppress(ValueError):
        parts = urlsplit(text)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and text.split() == [text]:
            return text
    raise ValueError(f"expected an address such as {TIMM_URL}, got {text!r}")


ServerAddress = Annotated[str, AfterValidator(_server_address)]

POSE_MODEL_URL = (
    "https://storage.googleapis.com/mediapipe-models/pose_landmarker/pose_landmarker_full/float16/1/"
    "pose_landmarker_full.task"
)
"""Where MediaPipe's makers serve the pose model."""

ULTRALYTICS_URL = "https://github.com/ultralytics/assets/releases/download/v8.4.0"
TIMM_URL = "https://huggingface.co"
"""Where the makers of pretrained weights publish them."""


class CrawlSettings(_Section):
    """How a crawl behaves towards the shop, and what it keeps."""

    delay: float = Field(1.0, ge=0, description="seconds between two requests to one host")
    concurrency: int = Field(1, ge=1, description="requests under way to one host at once")
    autothrottle: bool = Field(True, description="slow down when the host's answers slow down")
    obey_robots: bool = Field(True, description="ask robots.txt and do as it says")
    max_products: int = Field(0, ge=0, description="stop after so many products; 0: all")
    user_agent: str = Field("fullshot", description="the product token of the User-Agent header")
    contact: str = Field("", description="an address or URL that the shop can reach you by; sent along")
    image_size: int = Field(0, ge=0, description="height in pixels asked of the image host; 0: as kept there")
    timeout: float = Field(30.0, gt=0, description="seconds until a request is given up")
    renderer: str = Field(
        "auto",
        description="auto: plain HTTP, and a browser for pages that come without their data; http; playwright;"
        " selenium; or one that another package brings",
    )
    frontier: str = Field("sqlite", description="what holds the requests still to be made; sqlite: the workspace")
    colours: bool = Field(False, description="visit a product's other colours too, as products of their own")
    keep_pages: bool = Field(False, description="keep every page, compressed, to be parsed again")
    reencode: Literal["", "jpeg", "png", "webp"] = Field("", description="store pictures as this; empty: as they came")
    quality: int = Field(90, ge=1, le=100, description="of pictures that are re-encoded")
    max_page_bytes: int = Field(32 * 2**20, ge=1, description="a page of more bytes is given up")
    max_picture_bytes: int = Field(32 * 2**20, ge=1, description="a picture of more bytes is given up")
    backoff: float = Field(30.0, ge=0, description="seconds of the first pause for a host that blocks; they double")
    max_failures: Share = Field(0.1, description="share of pages and pictures that may fail in a healthy crawl")
    max_blocked: Share = Field(0.1, description="share of requests that may be refused, or answered without data")
    max_unknown_types: Share = Field(0.2, description="share of products whose type the taxonomy may not know")
    max_coverage_drop: Share = Field(
        0.1, description="how much less often than in the shop's last good crawl a column may be filled"
    )


class CurateSettings(_Section):
    """What counts as a full shot, and how products are split."""

    pose: str = Field("mediapipe", description="mediapipe, openpose, or a pose estimator of another package")
    pose_network: str = Field("", description="path of an OpenPose network that OpenCV reads (.onnx, .pb)")
    pose_layout: Literal["coco", "mpi"] = Field("coco", description="its joints: COCO's 18, or MPII's 15")
    pose_model: str = Field("", description="path of a MediaPipe pose .task file; empty: found or fetched")
    pose_model_sha256: str = Field(
        "", pattern=r"^([0-9a-f]{64})?$", description="digest of that file, where it is not one that fullshot knows"
    )
    pose_model_url: str = Field(POSE_MODEL_URL, description="where the pose model is fetched from")
    visibility: Share = Field(0.5, description="the least visibility of nose or eyes")
    ankle_visibility: Share = Field(0.3, description="the least visibility of an ankle; long skirts and flares hide it")
    min_span: Share = Field(0.45, description="the least height from nose to ankles, as a share of the picture")
    min_hip_share: Share = Field(0.3, description="how far the hips are from nose and ankles, of nose to ankles")
    min_headroom: float = Field(0.08, description="picture above the nose, as a share of nose to ankles")
    min_footroom: float = Field(0.025, description="picture below the toes, as a share of nose to ankles")
    body_visibility: Share = Field(0.5, description="the least visibility of hips and of shoulders or ankles")
    sure: float = Field(0.05, ge=0, le=0.5, description="a score nearer to one half than this is unclear")
    min_side: int = Field(48, ge=0, description="a picture with a shorter side in pixels is tiny")
    max_aspect: float = Field(4.0, ge=1, description="longer side over shorter side beyond which a picture is a strip")
    min_sharpness: float = Field(0.36, ge=0, description="below it a picture is blurred; 0: not asked")
    min_detail: float = Field(0.02, ge=0, description="below it a picture is nearly blank; 0: not asked")
    max_watermark: float = Field(0.05, ge=0, description="beyond it a picture is heavily watermarked; 1: not asked")
    max_collage: float = Field(0.2, ge=0, description="beyond it a picture is several in one; 1: not asked")
    max_shared: int = Field(20, ge=1, description="a picture of more products than this is a table of sizes, a banner")
    duplicate_radius: int = Field(14, ge=0, le=64, description="bits of 64 by which hashes of near duplicates differ")
    duplicate_similarity: Share = Field(
        0.91, description="how similar two pictures with near hashes must be; 0: not asked"
    )
    validation_share: Share = Field(0.15, description="share of the products to choose models on")
    test_share: Share = Field(0.2, description="share of the products that no model is trained or chosen on")
    processes: int = Field(0, ge=0, description="worker processes; 0: one a core")

    @model_validator(mode="after")
    def _shares_leave_some_to_train(self) -> Self:
        if self.validation_share + self.test_share >= 1:
            raise ValueError("validation_share and test_share must leave products to train on")
        return self


class AnnotateSettings(_Section):
    """How pictures go to annotators and come back."""

    url: str = Field("", description="of a Label Studio that runs elsewhere; empty: the workspace's own")
    token: SecretStr = Field(SecretStr(""), description="for that one: a legacy token or a personal access token")
    port: int = Field(8080, ge=0, le=65_535, description="the workspace's own Label Studio listens on; 0: any free one")
    project: str = Field("fullshot", min_length=3, max_length=50, description="title of the project")
    pictures: str = Field(
        "", description="where annotators' browsers find them: http(s)://… or s3://…, gs://…; empty: served locally"
    )
    batch: int = Field(500, ge=1, description="tasks a request")
    consensus: Literal["latest", "majority"] = Field(
        "latest", description="whose boxes count where several people drew some"
    )
    same_iou: Share = Field(0.5, description="two people's boxes that overlap so much are one box drawn twice")
    duplicate_iou: Share = Field(0.95, description="one person's boxes that overlap so much are listed as a mistake")
    backend_port: int = Field(9090, ge=0, le=65_535, description="the ML backend listens on; 0: any free one")
    backend_host: str = Field("127.0.0.1", description="the ML backend listens on; beyond this machine with a password")
    backend_url: str = Field("", description="where Label Studio reaches the ML backend; empty: where it listens")
    backend_password: SecretStr = Field(SecretStr(""), description="that the ML backend asks for; empty: none")
    backend_register: bool = Field(True, description="connect the ML backend with the project in Label Studio")
    retrain_after: int = Field(50, ge=1, description="new annotations after which the backend trains again")
    order: Literal["reasons", "random"] = Field(
        "reasons", description="of the queue: by what speaks for each picture, as the three weights say; or by lot"
    )
    uncertainty_weight: float = Field(
        0.3, ge=0, description="how much the detector's doubt counts in the queue, once its mAP@0.5 is above one half"
    )
    diversity_weight: float = Field(
        0.6, ge=0, description="how much it counts that it is like many, of which none is labelled"
    )
    rarity_weight: float = Field(0.2, ge=0, description="how much it counts that its garments are rarely labelled")
    unclear_share: Share = Field(0.1, description="of the queue, as long as there are pictures that may be full shots")


class DetectorSettings(_Section):
    """How the garment detector is trained."""

    family: str = Field("fcos", description="fcos, retinanet, faster-rcnn, ssdlite, yolo, or one of another package")
    model: str = Field("", description="a backbone of timm, or a model of yolo's; empty: that of the weights")
    weights: str = Field("", description="to begin with: a file, starter, imagenet, none; empty: the best there are")
    starter: bool = Field(True, description="use the starter weights until the workspace has a detector of its own")
    epochs: int = Field(0, ge=0, description="passes over the training pictures; 0: the family's own")
    patience: int = Field(0, ge=0, description="end after so many epochs that were no better; 0: never")
    image_size: int = Field(0, ge=0, description="longer side in pixels that pictures are seen at; 0: the family's own")
    batch: int = Field(8, ge=1, description="small on purpose: few pictures teach more in many small steps")
    learning_rate: float = Field(0.0, ge=0, description="of AdamW; 0: the family's own")
    seed: int = 7
    device: str = Field("", description="cpu, 0, mps, …; empty: the best there is")
    runtime: Literal["auto", "onnxruntime", "openvino", "torch"] = Field("auto", description="on a CPU; auto: fastest")
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="bfloat16: on a CPU that has it, OpenVINO takes half of the time; boxes move a little"
    )
    mlflow: str = Field("", description="an MLflow server that is told of trainings, such as http://…; empty: none")
    plots: bool = Field(True, description="draw learning curves, precision and recall, confusions, sample pictures")
    confidence: Share = Field(0.25, description="boxes below this score are not reported")
    labels: Labels = Field(ALL_GARMENTS, description="what it tells apart; boxes of others do not count")
    crops: Literal["auto", "always", "never"] = Field("auto", description="to learn from; auto: where all have one box")
    self_training: bool = Field(False, description="learn from a teacher's sure boxes on unlabelled full shots as well")
    teacher: str = Field("", description="of self-training: a run, or starter; empty: the detector in use")
    teacher_score: float = Field(0.35, ge=0.2, le=1, description="the least score of a box that a teacher is sure of")
    sampling: Literal["", "balanced"] = Field("", description="balanced: pictures with a rare label come more often")

    @model_validator(mode="after")
    def _pictures_show_something(self) -> Self:
        if 0 < self.image_size < 32:
            raise ValueError("image_size must be 0, or 32 or more")
        return self


class WeightsSettings(_Section):
    """Where pretrained weights are looked for that a training begins with."""

    download: Literal["auto", "never"] = Field(
        "auto", description="auto: ask their makers' servers for those that are not there; never"
    )
    ultralytics_url: ServerAddress = Field(ULTRALYTICS_URL, description="where Ultralytics' weights are fetched from")
    timm_url: ServerAddress = Field(TIMM_URL, description="the hub that timm's weights are fetched from")


class EngineSettings(_Section):
    """What maps work over many pictures."""

    name: str = Field("processes", description="processes: of this machine; or one that another package brings")


class IndexSettings(_Section):
    """Where the catalog's vectors lie."""

    store: str = Field("faiss", description="faiss: files of the catalog; or a store that another package brings")


class RecommendSettings(_Section):
    """What is answered to a photo."""

    neighbours: int = Field(5, ge=1, description="look-alikes a garment")


class Settings(BaseSettings):
    """All settings of one workspace, resolved."""

    model_config = SettingsConfigDict(
        env_prefix="FULLSHOT_",
        env_nested_delimiter="_",
        env_nested_max_split=1,
        extra="forbid",
        frozen=True,
    )

    crawl: CrawlSettings = CrawlSettings()
    curate: CurateSettings = CurateSettings()
    annotate: AnnotateSettings = AnnotateSettings()
    detector: DetectorSettings = DetectorSettings()
    embedder: EmbedderSettings = EmbedderSettings()
    index: IndexSettings = IndexSettings()
    recommend: RecommendSettings = RecommendSettings()
    engine: EngineSettings = EngineSettings()
    weights: WeightsSettings = WeightsSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags win over the environment, which wins over the file."""
        if isinstance(env_settings, EnvSettingsSource):
            env_settings.env_vars = renaming.in_environment(env_settings.env_vars, RENAMED)
        return init_settings, env_settings, _File(settings_cls, settings_cls.model_config.get("toml_file"))


class _File(TomlConfigSettingsSource):
    """A workspace's ``fullshot.toml``, with the settings' present names."""

    def __call__(self) -> dict[str, Any]:
        return renaming.in_file(super().__call__(), str(self.toml_file_path), RENAMED)


def load(toml_file: Path | None = None, **flags: dict[str, Any]) -> Settings:
    """Resolve the settings of a workspace.

    Args:
        toml_file: the workspace's ``fullshot.toml``; it need not be there.
        **flags: a section's name and the flags given for it; a flag that is None was not given.

    Raises:
        UserError: a value is of the wrong kind or out of range, or a key is not known.
    """
    given = {
        section: {key: value for key, value in values.items() if value is not None} for section, values in flags.items()
    }

    misspelt.check_environment(_sections(), RENAMED)

    class FromFile(Settings):
        model_config = SettingsConfigDict(toml_file=toml_file)

    try:
        return FromFile(**{section: values for section, values in given.items() if values})  # type: ignore[arg-type]
    except UserError:
        raise
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            place = f" in {toml_file}" if toml_file and toml_file.is_file() else ""
            raise UserError(
                f"unknown setting {name}{place}; {misspelt.hint(_sections(), *map(str, first['loc']))}"
            ) from None
        got = "" if _is_secret(*map(str, first["loc"])) else f", got {first['input']!r}"
        raise UserError(f"setting {name}: {first['msg']}{got}") from None
    except ValueError as error:
        raise UserError(f"{toml_file}: {error}") from None


def _sections() -> dict[str, list[str]]:
    """The sections, and the keys of each."""
    return {
        name: list(field.annotation.model_fields)
        for name, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, _Section)
    }


def _is_secret(section: str, key: str = "", *_: str) -> bool:
    """Whether a setting, or one of a whole section, is not to be shown."""
    field = Settings.model_fields.get(section)
    if field is None or not (isinstance(field.annotation, type) and issubclass(field.annotation, _Section)):
        return False
    keys = field.annotation.model_fields
    return any(keys[name].annotation is SecretStr for name in ([key] if key in keys else keys))
