"""An ML backend for Label Studio: the detector draws boxes for the open task, and learns from what people draw."""
