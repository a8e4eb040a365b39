"""How weights start. Give a function to `nn.Module.apply`, which calls it on each module of a network in turn."""

from torch import nn

CONVOLUTIONS = (
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
)
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def initialise_normal(module: nn.Module, std: float = 0.02) -> None:
    """Draw the weights of a convolution or linear layer from normal(0, std), and set its bias to zero.

    Batch norm's scale is drawn from normal(1, std) and its shift set to zero. Radford et al. 2016, section 4, for
    weights; the scale is from the authors' code. Other modules stay as they are, embeddings among them. Draws from
    torch's global generator, module by module in the order of `network.apply(initialise_normal)`.
    """
    if isinstance(module, (nn.Linear, *CONVOLUTIONS)):
        nn.init.normal_(module.weight, 0.0, std)
    elif isinstance(module, BATCH_NORMS) and module.affine:
        nn.init.normal_(module.weight, 1.0, std)
    else:
        return
    if module.bias is not None:
        nn.init.zeros_(module.bias)
