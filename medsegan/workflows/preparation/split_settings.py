"""How the patients of a domain are split: as asked for, else as recorded, else as usual."""

from dataclasses import dataclass

from ...errors import UsageError


@dataclass(frozen=True)
class SplitSettings:
    """The shares of the labelled patients, and the seed that they are drawn with.

    Args:
        test_fraction: share for the test; 1 puts all of them there.
        val_fraction: share for validation.
        seed: of the draw.
    """

    test_fraction: float = 0.2
    val_fraction: float = 0.1
    seed: int = 0

    def replaced(
        self, test_fraction: float | None, val_fraction: float | None, seed: int | None
    ) -> "SplitSettings":
        """These settings with others in their place, where they are not None.

        Raises:
            UsageError: a share is below 0, or both together are above 1.
        """
        test = self.test_fraction if test_fraction is None else test_fraction
        val = self.val_fraction if val_fraction is None else val_fraction
        # Whoever puts all patients into the test does not have to say that none is left for validation.
        val = 0.0 if test == 1.0 else val
        if min(val, test) < 0 or val + test > 1:
            raise UsageError(
                f"the shares of validation and test must lie from 0 to 1 together, got {val:g} and {test:g}; "
                "those that are not given are as medsegan.toml has them for this domain, or as usual"
            )
        return SplitSettings(test, val, self.seed if seed is None else seed)


DEFAULT_SPLIT = SplitSettings()
