"""What all sections of the settings share, and the section of the embedder."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class Section(BaseModel):
    """A section of the settings: what it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class EmbedderSettings(Section):
    """How the embedder is trained: weighted triplet loss, Siamese network."""

    backbone: str = Field(
        "small", description="small, a network of timm, hf-hub:ORG/NAME, open_clip:ARCH[/TAG], or of another package"
    )
    weights: str = Field("", description="to begin with: a file, starter, imagenet, none; empty: the best there are")
    starter: bool = Field(True, description="use the starter weights until the workspace has an embedder of its own")
    epochs: int = Field(60, ge=1)
    image_size: int = Field(0, ge=0, description="side in pixels that crops are brought to; 0: the backbone's own")
    fit: Literal["stretch", "letterbox"] = Field(
        "stretch", description="how a crop becomes a square; letterbox: its proportions stay, its own ground fills up"
    )
    background: Literal["keep", "remove", "grabcut"] = Field(
        "keep",
        description="remove: plain ground round the garment becomes grey; grabcut: that of street photos as well",
    )
    pooling: Literal["gem", "average"] = Field(
        "gem", description="of a backbone's maps; gem: a mean that the network learns to move towards the largest value"
    )
    dimension: int = Field(64, ge=2, description="length of an embedding")
    margin: float = Field(1.0, gt=0, description="m of the triplet loss")
    alpha: float = Field(0.05, gt=0, description="weight of the embedding loss")
    embedding_scale: Literal["1/d", "1/sqrt(d)"] = "1/d"
    learning_rate: float = Field(1e-3, gt=0)
    batch: int = Field(64, ge=4)
    seed: int = 7
    device: str = Field("", description="cpu, cuda, mps, …; empty: the best there is")

    @model_validator(mode="after")
    def _crops_show_something(self) -> Self:
        if 0 < self.image_size < 16:
            raise ValueError("image_size must be 0, or 16 or more")
        return self
