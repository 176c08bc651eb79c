"""An ML backend for Label Studio: the detector draws boxes for open tasks, and is trained again as people annotate."""
