# fullshot and all that its commands need, for a CPU; with `--build-arg DEVICE=cuda`, for NVIDIA's GPUs too:
#   docker build -t fullshot:0.1.0 .
#   docker run --rm -v "$PWD/datasets:/data/datasets" fullshot:0.1.0 fullshot doctor
# Trainings on a GPU hand pictures over in shared memory, for which Docker's 64 MB are too little:
#   docker run --rm --gpus all --shm-size=1g -v "$PWD/datasets:/data/datasets" fullshot:0.1.0-cuda fullshot train detector …
ARG PYTHON=3.12
FROM python:${PYTHON}-slim

ARG DEVICE=cpu
# PyPI's torch brings CUDA, some 5 GB; PyTorch's own index has the one without.
ARG CPU_INDEX=https://download.pytorch.org/whl/cpu

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PYTHONUNBUFFERED=1

# What OpenCV and MediaPipe load.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libegl1 libgl1 libgles2 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/*

# Packages first: they change less often than the code. The versions are those of the lock, without its hashes, which
# are not those of a torch without CUDA.
WORKDIR /opt/fullshot
COPY requirements.lock ./
RUN sed -e '/^ *--hash/d' -e 's/ *\\$//' requirements.lock > constraints.txt \
    && case "$DEVICE" in \
        cpu) pip install --constraint constraints.txt --extra-index-url "$CPU_INDEX" torch torchvision ;; \
        cuda) pip install --constraint constraints.txt torch torchvision ;; \
        *) echo "DEVICE: expected cpu or cuda, got $DEVICE" >&2; exit 1 ;; \
    esac

COPY pyproject.toml README.md LICENSE CHANGELOG.md ./
COPY fullshot fullshot
COPY annotate annotate
COPY crawler crawler
COPY curation curation
COPY index index
COPY train train
RUN pip install --constraint constraints.txt ".[all,openvino]"

RUN useradd --create-home --home-dir /data --uid 1000 fullshot
USER fullshot
WORKDIR /data
CMD ["fullshot", "--help"]
