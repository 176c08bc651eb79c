import torch

from fullshot.train.embedder.augment import augment


def test_augmentation_keeps_hue_and_shape() -> None:
    red = torch.zeros(64, 3, 24, 24)
    red[:, 0] = 0.7
    red[:, 1] = 0.1
    moved = augment(red, torch.Generator().manual_seed(0))
    assert moved.shape == red.shape
    assert 0 <= float(moved.min()) <= float(moved.max()) <= 1
    # Lighter and darker, but red stays seven times green, and no blue comes in.
    assert torch.allclose(moved[:, 0], 7 * moved[:, 1], atol=1e-4)
    assert float(moved[:, 2].abs().max()) == 0
    assert float(moved[:, 0].std()) > 0.01
