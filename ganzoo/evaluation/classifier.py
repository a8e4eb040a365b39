"""The classifiers whose features measure samples: small, trained once, and pinned by the hash of their weights."""

from torch import Tensor, nn


class MnistCNN(nn.Module):
    """Four convolutions and a linear layer for grey images of 28 x 28 pixels in [-1, 1]; `features` are 128 wide."""

    WIDTH = 128

    def __init__(self, classes: int = 10, dropout: float = 0.3) -> None:
        super().__init__()
        self.body = nn.Sequential(
            convolution(1, 32),
            convolution(32, 32),
            nn.MaxPool2d(2),
            convolution(32, 64),
            nn.MaxPool2d(2),
            convolution(64, 64),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(64 * 3 * 3, self.WIDTH),
            nn.ReLU(),
        )
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(self.WIDTH, classes))

    def features(self, images: Tensor) -> Tensor:
        """What the last layer sees: (n, 128), none below 0."""
        return self.body(images)

    def forward(self, images: Tensor) -> Tensor:
        """Raw scores of the classes, (n, classes)."""
        return self.head(self.features(images))


def convolution(inputs: int, outputs: int) -> nn.Sequential:
    """A 3 x 3 convolution that keeps the size, batch norm and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )
