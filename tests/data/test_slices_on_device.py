"""Slices on the device: what is opened, how they are drawn."""

from dataclasses import fields
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from learning_scenes import WINDOW, discs, labeled_discs, unlabeled_discs

from medsegan.data import LabeledSlices, UnlabeledSlices, load_labeled, load_unlabeled, unit_range
from medsegan.errors import DataError

CPU = torch.device("cpu")


class Shelf:
    """A store in memory that remembers which files were opened."""

    def __init__(self, cases, garbage=()):
        self.manifest = SimpleNamespace(
            domain="ct", window=WINDOW, class_names=("background", "bright", "dark"), size=32
        )
        self.cases, self.garbage, self.opened = cases, garbage, []

    def read_images(self, case_id):
        self.opened.append(f"images/{case_id}")
        return self.cases[case_id][0][:, 0].numpy()

    def read_labels(self, case_id):
        self.opened.append(f"labels/{case_id}")
        labels = self.cases[case_id][1].numpy()
        return np.full_like(labels, 77) if case_id in self.garbage else labels


@pytest.fixture
def shelf():
    return Shelf({name: discs(3 + i, seed=i) for i, name in enumerate("abc")}, garbage=("c",))


def test_unlabeled_slices_have_no_field_for_labels():
    assert {field.name for field in fields(UnlabeledSlices)} == {"images", "window"}
    assert not [name for name in dir(unlabeled_discs()) if "label" in name.lower()]


def test_loading_images_never_opens_a_label(shelf):
    slices = load_unlabeled(shelf, ["a", "c"], CPU)
    assert shelf.opened == ["images/a", "images/c"]
    assert slices.images.shape == (8, 1, 32, 32)
    assert slices.images.dtype == torch.int16
    assert torch.equal(slices.images, torch.cat([shelf.cases["a"][0], shelf.cases["c"][0]]))
    assert slices.window == WINDOW


def test_loading_labels_opens_those_of_the_named_cases_only(shelf):
    slices = load_labeled(shelf, ["a", "b"], CPU)
    assert "labels/c" not in shelf.opened
    assert "images/c" not in shelf.opened
    assert torch.equal(slices.labels, torch.cat([shelf.cases["a"][1], shelf.cases["b"][1]]))
    assert slices.n_classes == 3


def test_a_class_that_the_store_does_not_know_is_refused(shelf):
    with pytest.raises(DataError, match=r"ct holds class 77, known are 0\.\.2"):
        load_labeled(shelf, ["a", "c"], CPU)


def test_the_window_becomes_minus_one_and_one():
    stored = torch.tensor([-2000, -125, 75, 275, 3000], dtype=torch.int16)
    assert torch.equal(unit_range(stored, WINDOW), torch.tensor([-1.0, -1.0, 0.0, 1.0, 1.0]))


def test_drawing_more_than_there_are_repeats_slices():
    slices = labeled_discs(count=2)
    torch.manual_seed(0)
    images, labels = slices.draw(16)
    assert images.shape == (16, 1, 32, 32)
    assert labels.shape == (16, 3, 32, 32)
    assert len({image.numpy().tobytes() for image in images}) == 2
    assert unlabeled_discs(count=1).draw(5).shape == (5, 1, 32, 32)


def test_images_are_drawn_with_their_own_labels():
    slices = labeled_discs()
    torch.manual_seed(0)
    images, labels = slices.draw(12)
    assert torch.equal(labels.sum(dim=1), torch.ones(12, 32, 32))
    assert images[labels[:, 1:2] == 1].min() > images[labels[:, 2:3] == 1].max()
    known = unit_range(slices.images, WINDOW)
    for image, label in zip(images, labels, strict=True):
        (index,) = [i for i in range(len(slices)) if torch.equal(known[i], image)]
        assert torch.equal(label.argmax(dim=0), slices.labels[index].long())


def test_every_slice_is_drawn_sooner_or_later():
    count = 5
    slices = LabeledSlices(torch.arange(count, dtype=torch.int16).view(count, 1, 1, 1),
                           torch.zeros(count, 1, 1, dtype=torch.uint8), 2, (0.0, 4.0))  # fmt: skip
    torch.manual_seed(0)
    images, _ = slices.draw(1000)
    shares = torch.histc(images, bins=count, min=-1, max=1) / 1000
    assert (shares - 1 / count).abs().max() < 0.05
