"""What curation needs from this machine."""

from fullshot.core.checks import Check
from fullshot.core.errors import UserError
from fullshot.core.settings import Settings
from fullshot.curation.pose import model_file as pose_model

_ROUTES = {
    "settings": "named in the settings",
    "maker": "from the maker's bucket",
    "wheel": f"built from {pose_model.WHEEL}",
}


def checks(settings: Settings) -> list[Check]:
    """The pose model: which one is in use, and how it came here. Nothing is fetched."""
    try:
        model = pose_model.find(settings)
    except UserError as error:
        return [Check("pose model", False, str(error), "correct the setting curate.pose_model, or leave it empty")]
    if model:
        found = f"{_ROUTES[model.route]}, sha256 {model.sha256[:12]}…, {model.path}"
        return [Check("pose model", True, found)]
    advice = "run `fullshot doctor --fix`; `fullshot curate` fetches it too"
    broken = pose_model.cached().is_file()
    found = f"a broken file: {pose_model.cached()}" if broken else "not fetched yet"
    return [Check("pose model", False, found, advice, fix=lambda: _fetch(settings))]


def _fetch(settings: Settings) -> None:
    pose_model.provide(settings)
