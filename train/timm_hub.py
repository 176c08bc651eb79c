"""The weights that timm publishes of its networks."""

from fullshot.core.settings import WeightsSettings
from fullshot.train.weights import SAFETENSORS, Published


def hub_name(backbone: str) -> str | None:
    """Under which name timm publishes a backbone's weights, such as ``timm/resnet18.a1_in1k``; None: it does not.

    Args:
        backbone: of timm, whether it knows it or not.
    """
    import timm  # not above: who finds the weights elsewhere need not wait for it

    try:
        about = timm.get_pretrained_cfg(backbone)
    except RuntimeError:  # it knows the network, but no weights of it by this tag
        return None
    return (about and about.hf_hub_id) or None


def published_by_timm(backbone: str, sources: WeightsSettings | None) -> Published:
    """The weights of a backbone on the hub of timm's makers.

    Args:
        backbone: of timm.
        sources: name the hub; None: the usual one.
    """

    def address() -> str | None:
        server = (sources or WeightsSettings()).timm_url.rstrip("/")
        name = hub_name(backbone)
        return name and f"{server}/{name}/resolve/main/model{SAFETENSORS}"

    return Published("timm", f"{backbone}{SAFETENSORS}", address)
