"""The peer of benchmarks.curate: decode each picture of a folder and run MediaPipe on it, a process a core; no more."""

import multiprocessing
import sys
from pathlib import Path


def look(model: str, files: list[str]) -> int:
    """Look at pictures, as MediaPipe's own examples do; how many of them show somebody."""
    import cv2
    import mediapipe
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.PoseLandmarkerOptions(base_options=BaseOptions(model_asset_path=model))
    seen = 0
    with vision.PoseLandmarker.create_from_options(options) as landmarker:
        for file in files:
            decoded = cv2.imread(file)
            if decoded is None:
                continue
            pixels = cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)
            image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=pixels)
            seen += bool(landmarker.detect(image).pose_landmarks)
    return seen


def main() -> None:
    """Arguments: the model, the folder, the number of processes."""
    model, folder, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    files = sorted(str(path) for path in folder.iterdir())
    with multiprocessing.get_context("spawn").Pool(count) as pool:
        print(sum(pool.starmap(look, [(model, files[start::count]) for start in range(count)])))


if __name__ == "__main__":
    main()
