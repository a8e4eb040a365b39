"""Two trainings in the threads of one process would share torch's random generator."""

import threading

import pytest

import ganzoo
from trainings import assert_same_weights, tiny, train_with

train = train_with(tiny(steps=3))


class Meanwhile(ganzoo.Callback):
    """Calls a function between two steps, perhaps in another thread."""

    def __init__(self, function, in_a_thread):
        self.function, self.in_a_thread, self.raised = function, in_a_thread, None

    def on_step_end(self, trainer):
        if trainer.step == 2:
            if not self.in_a_thread:
                self.function()
                return
            thread = threading.Thread(target=self.keep_error)
            thread.start()
            thread.join()

    def keep_error(self):
        try:
            self.function()
        except ganzoo.BadInput as error:
            self.raised = error


def test_a_training_beside_another_one_in_a_thread_is_refused_and_disturbs_nothing(tmp_path):
    second = Meanwhile(lambda: train(tmp_path / "second"), in_a_thread=True)
    first = train(tmp_path / "first", callbacks=[second])
    assert "another thread of this process is training" in str(second.raised)
    assert not (tmp_path / "second").exists()
    assert_same_weights(first, train(tmp_path / "alone"))


def test_a_callback_may_train_in_its_own_thread(tmp_path):
    second = Meanwhile(lambda: train(tmp_path / "second"), in_a_thread=False)
    first = train(tmp_path / "first", callbacks=[second])
    assert_same_weights(first, tmp_path / "second")


@pytest.mark.parametrize("ending", [ValueError, KeyboardInterrupt])
def test_a_training_that_failed_is_no_longer_at_work(tmp_path, ending):
    def end():
        raise ending

    with pytest.raises((ganzoo.BadInput, KeyboardInterrupt)):
        train(tmp_path / "failed", callbacks=[Meanwhile(end, in_a_thread=False)])
    runs = []
    thread = threading.Thread(target=lambda: runs.append(train(tmp_path / "later")))
    thread.start()
    thread.join()
    assert runs[0].metrics[-1]["step"] == 3
