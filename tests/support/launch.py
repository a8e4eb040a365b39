"""Two processes, started by torchrun, and short trainings for them."""

import os
from pathlib import Path

from command import Command
from sites import Site

SUPPORT = Path(__file__).parent
LAUNCH = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
TINY = ["--data=mnist-10k", "--device=cpu", "--precision=fp32", "-oarchitecture.widths=[16]", "-otrain.batch=8"]
TINY += ["-otrain.sample_every=1000", "-otrain.save_every=4", "-otrain.log_every=4"]
SMOOTH = [*TINY, "-oarchitecture.generator.batch_norm=false", "-oarchitecture.discriminator.dropout=0"]
SMOOTH += ["-ooptimizer.name=sgd", "-ooptimizer.lr=0.05"]
"""Nothing in it depends on how the samples are divided among the processes."""

PLUGIN = """
    import os
    import shutil
    import signal
    import time
    from pathlib import Path

    import torch
    import ganzoo

    @ganzoo.hookimpl
    def register_losses(register):
        register("pool", "ganzoo_together:Pool")
        register("broken", "ganzoo_together:Broken")
        register("rotten", "ganzoo_together:Rotten")
        register("unequal", "ganzoo_together:Unequal")
        register("spoiling", "ganzoo_together:Spoiling")
        register("drawn", "ganzoo_together:Drawn")
        register("dying", "ganzoo_together:Dying")
        register("choosy", "ganzoo_together:Choosy")
        register("refusing", "ganzoo_together:Refusing")

    class Pool(ganzoo.Loss):
        def setup(self, step):
            self.register_buffer("kept", step.real[0].clone())

        def discriminator(self, step):
            return {"old": step.score(self.kept[None].expand_as(step.real), step.batch).mean()}

        def after(self, step, terms):
            self.kept.copy_(step.batch["image"][-1])

    class Broken(ganzoo.Loss):
        def discriminator(self, step):
            here = step.rank == 1 and step.index == 5
            return {"sum": step.real_scores.mean() * (float("nan") if here else 1)}

        generator = discriminator

    class Rotten(ganzoo.Loss):
        def setup(self, step):
            self.register_buffer("kept", torch.zeros(()))

        def after(self, step, terms):
            if step.rank == 1 and step.index == 5:
                self.kept.fill_(float("nan"))

    class Unequal(ganzoo.Loss):
        def discriminator(self, step):
            return {"one" if step.rank or step.index < 2 else "other": step.real_scores.mean().detach()}

    class Spoiling(ganzoo.Loss):
        def after(self, step, terms):
            if step.rank == 0 and step.index == 2 and step.turn == "generator":
                shutil.rmtree("spoilt/checkpoints")
                Path("spoilt/checkpoints").write_text("")

    class Dying(ganzoo.Loss):
        def setup(self, step):
            if step.rank == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(3)

    class Choosy(ganzoo.Loss):
        def after(self, step, terms):
            if (step.batch["image"][0] > 0).any() and step.rank == 1:
                step.randn(len(step.batch["image"]), 1)

    class Refusing(ganzoo.Loss):
        def __init__(self, rank=None):
            super().__init__()
            self.rank = rank

        def discriminator(self, step):
            if step.index == 2 and self.rank in (None, step.rank):
                raise ganzoo.BadInput("refused at step 2")
            return {}

    class Drawn(ganzoo.Loss):
        def setup(self, step):
            self.network = torch.nn.Linear(2, 2)
            self.register_buffer("projection", torch.cat([torch.randn(3), self.network.weight.flatten()]))
"""


def command_with_plugin(folder: Path) -> Command:
    """`ganzoo` in a folder of its own, with the plugin above installed beside it."""
    site = folder / "site"
    site.mkdir()
    Site(site).install("ganzoo-together", PLUGIN)
    command = Command(folder)
    command.environment["PYTHONPATH"] = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
    return command
