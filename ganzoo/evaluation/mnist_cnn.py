"""The classifier whose features measure samples of MNIST: small, trained once, pinned by the hash of its weights."""

from functools import cache
from pathlib import Path

from safetensors.torch import load
from torch import Tensor, nn

from ganzoo._io import read_bytes, sha256
from ganzoo.errors import Unavailable

MNIST_FILES = Path(__file__).parent / "mnist_data"
"""Folder of the files that `DigitSuite` needs."""
CLASSIFIER_NAME = "mnist-cnn-v1"
CLASSIFIER_ACCURACY = 0.9957
"""Accuracy on the 10,000 test images."""
MNIST_SHA256 = {
    "mnist-cnn-v1.safetensors": "59c1057decb16230a075b45801ecd5e45c01321d84459a1a43e0e571c2322dda",
    "reference.safetensors": "e5602428fa11dc076558e2858298fe21cb33464b7bdf572f84acf32b3ea8f79c",
    "test-images.gz": "352f2a20ac9f5795bc6d74c9c76836039f383556a0cfc5fcc8f8a7f077b990e6",
    "test-labels.gz": "6ec04976acaf80cedb54fbe0b4e6d18b7c9310f220e355dd223e38863569aa33",
}
"""sha256 of each file in that folder."""


class MnistCNN(nn.Module):
    """Four convolutions and a linear layer for grey images of 28 x 28 pixels in [-1, 1]; `features` are 128 wide."""

    WIDTH = 128

    def __init__(self, classes: int = 10, dropout: float = 0.3) -> None:
        super().__init__()
        self.body = nn.Sequential(
            make_convolution(1, 32),
            make_convolution(32, 32),
            nn.MaxPool2d(2),
            make_convolution(32, 64),
            nn.MaxPool2d(2),
            make_convolution(64, 64),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(64 * 3 * 3, self.WIDTH),
            nn.ReLU(),
        )
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(self.WIDTH, classes))

    def features(self, images: Tensor) -> Tensor:
        """Return the input of the last layer, (n, 128), never negative."""
        features: Tensor = self.body(images)
        return features

    def classify(self, features: Tensor) -> Tensor:
        """Return raw scores of the classes, (n, classes), for these features."""
        scores: Tensor = self.head(features)
        return scores

    def forward(self, images: Tensor) -> Tensor:
        """Return raw scores of the classes, (n, classes)."""
        return self.classify(self.features(images))


def make_convolution(inputs: int, outputs: int) -> nn.Sequential:
    """Make a 3 x 3 convolution that keeps the size, with batch norm and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


@cache
def load_mnist_cnn() -> MnistCNN:
    """Load the trained classifier, in `eval()`. Raises `Unavailable` if its weights do not match their hash."""
    model = MnistCNN().eval().requires_grad_(False)
    model.load_state_dict(load(read_pinned(f"{CLASSIFIER_NAME}.safetensors")))
    return model


def read_pinned(name: str) -> bytes:
    """Read a file of `MNIST_FILES`. Raises `Unavailable` if it does not match its hash."""
    content = read_bytes(MNIST_FILES / name)
    if sha256(content) != MNIST_SHA256[name]:
        raise Unavailable(f"{MNIST_FILES / name} is not the file that ganzoo came with; install it again")
    return content
