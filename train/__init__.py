"""Training of the models: the garment detector and the embedder."""
