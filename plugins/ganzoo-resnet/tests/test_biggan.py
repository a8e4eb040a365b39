"""What BigGAN adds: truncation, hierarchical latents, and statistics of batch norm for a model."""

import numpy as np
import pytest
import torch
from torch import nn

from ganzoo_resnet.biggan import Generator, truncate

IMAGE, CLASSES = (3, 16, 16), 5


def small(**options):
    torch.manual_seed(0)
    return Generator(image=IMAGE, **{"classes": CLASSES, "width": 4, "max_width": 8, "latent_size": 12} | options)


def drawn(generator, n=6, seed=0):
    return generator.latent(n, torch.Generator().manual_seed(seed))


def normal(n):
    return torch.randn(n, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def resampled(threshold, count):
    """Brock et al. 2019, section 3.1: values beyond the threshold are drawn anew until they are not."""
    rng = np.random.default_rng(1)
    values = rng.standard_normal(count)
    while (beyond := np.abs(values) > threshold).any():
        values[beyond] = rng.standard_normal(beyond.sum())
    return values


@pytest.mark.parametrize("threshold", [0.1, 0.7, 2.0])
def test_truncated_latents_are_distributed_as_those_that_are_drawn_again(threshold):
    count = 40_000
    found = truncate(normal(count)[None], torch.tensor([threshold], dtype=torch.float64))[0].numpy()
    assert np.abs(found).max() <= threshold
    both = np.sort(np.concatenate([found, (other := resampled(threshold, count))]))
    shares = [np.searchsorted(np.sort(values), both, side="right") / count for values in (found, other)]
    assert np.abs(shares[0] - shares[1]).max() < 1.95 * (2 / count) ** 0.5, "Kolmogorov-Smirnov at 0.1 %"


def test_the_map_is_the_quantile_of_the_truncated_distribution():
    z, thresholds = normal(60).view(3, 20), torch.tensor([0.3, 1.0, 2.5], dtype=torch.float64)
    standard = torch.distributions.Normal(torch.zeros((), dtype=torch.float64), 1)
    below, above = standard.cdf(-thresholds)[:, None], standard.cdf(thresholds)[:, None]
    expected = standard.icdf(below + standard.cdf(z) * (above - below))
    torch.testing.assert_close(truncate(z, thresholds), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("z", [torch.randn(2, 9), torch.full((2, 9), 9.0)])
def test_each_sample_has_its_own_threshold_and_zero_is_none(z):
    z.requires_grad_()
    kept, cut = truncate(z, torch.tensor([0.0, 8.0]))
    assert kept.equal(z[0])
    usual = z[1].abs() < 4  # float32 tells larger ones apart only roughly
    torch.testing.assert_close(cut[usual], z[1][usual], rtol=0, atol=1e-2)
    assert cut.abs().max() <= 8
    (gradient,) = torch.autograd.grad(kept.sum() + cut.sum(), z)
    assert gradient.isfinite().all()


def test_no_sample_is_truncated_unless_somebody_says_so():
    generator = small().eval()
    given = drawn(generator)
    assert not given["truncation"].any()
    typical = generator(
        given | {"truncation": torch.tensor([0, 0, 0, 0.01, 0.01, 0.01]), "label": torch.zeros(6).long()}
    )
    assert (typical[3:] - typical[3]).abs().max() < 0.05 < (typical[:3] - typical[0]).abs().max()


@pytest.mark.parametrize("classes", [CLASSES, None])
def test_each_block_gets_its_part_of_the_latent_and_the_embedding_that_all_share(classes):
    generator = small(classes=classes, embedding=7).eval()
    given, seen = drawn(generator), {}
    for name, module in generator.named_modules():
        if name == "stem" or name.endswith("scale"):
            module.register_forward_pre_hook(lambda _, inputs, name=name: seen.update({name: inputs[0]}))
    generator(given)
    shared = [generator.embed(given["label"])] if classes else []
    parts = {"stem": 0, **{f"blocks.{b}.norm{i}.scale": b + 1 for b in (0, 1) for i in (1, 2)}}
    assert seen.keys() == parts.keys()
    for name, part in parts.items():
        assert seen[name].equal(torch.cat([given["z"][:, 4 * part : 4 * part + 4], *shared], 1)), name


def test_users_fix_no_negative_truncation():
    low, high = small().ranges["truncation"]
    assert low == 0 and high == np.inf


def test_a_model_has_the_mean_statistics_of_batches_of_the_averaged_weights():
    generator = small(standing=3).eval()
    batches = [drawn(generator, 8, seed) for seed in range(5)]
    norm = generator.blocks[0].norm1.norm
    norm.running_mean.fill_(99)  # from the training, which must not count
    kept = {name: value.clone() for name, value in generator.state_dict().items() if "running" not in name}
    means, variances = [], []

    def look(_, inputs):
        values = inputs[0].transpose(0, 1).flatten(1).double().numpy()
        means.append(values.mean(1)), variances.append(values.var(1, ddof=1))

    with torch.no_grad():
        handle = norm.register_forward_pre_hook(look)
        generator.finish(batches)
        handle.remove()
    assert len(means) == 3
    np.testing.assert_allclose(norm.running_mean, np.mean(means, 0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(norm.running_var, np.mean(variances, 0), rtol=1e-4, atol=1e-6)
    changed = [name for name, value in kept.items() if not value.equal(generator.state_dict()[name])]
    assert changed and all("num_batches" in name for name in changed), "spectral norm has not gone on"
    assert not any(module.training for module in generator.modules())


def test_without_standing_statistics_those_of_the_training_stay():
    generator = small(standing=0)
    generator(drawn(generator))
    kept = {name: value.clone() for name, value in generator.eval().state_dict().items()}
    generator.finish([drawn(generator)])
    assert all(value.equal(kept[name]) for name, value in generator.state_dict().items())


def test_weights_and_embedding_start_orthogonal():
    generator = small()
    for name in ("blocks.0.conv1", "blocks.1.norm2.scale", "stem.0"):
        weight = generator.get_submodule(name).parametrizations.weight.original.detach().flatten(1)
        few = weight if len(weight) <= weight.shape[1] else weight.T
        torch.testing.assert_close(few @ few.T, torch.eye(len(few)), rtol=0, atol=1e-4)
    torch.testing.assert_close(generator.embed.weight @ generator.embed.weight.T, torch.eye(CLASSES), rtol=0, atol=1e-4)


def test_batch_norm_can_look_at_all_processes_on_gpus():
    generator = small().eval()
    images = generator(drawn(generator))
    found = nn.SyncBatchNorm.convert_sync_batchnorm(generator)
    assert sum(isinstance(module, nn.SyncBatchNorm) for module in found.modules()) == 5
    assert not any(isinstance(module, nn.BatchNorm2d) for module in found.modules())
    torch.testing.assert_close(found(drawn(found)), images)
