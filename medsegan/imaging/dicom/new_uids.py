"""UIDs of new objects: random, or derived from what is in them."""

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class NewUids:
    """UIDs under the root for UUIDs, each asked for by the part it is for (DICOM PS3.5, annex B.2).

    Args:
        content: all that the object is made of; the same content gives the same UIDs. `None` = random ones.
    """

    content: Iterable[bytes] | None = None
    _seed: str = field(init=False)

    def __post_init__(self) -> None:
        if self.content is None:
            self._seed = uuid.uuid4().hex
            return
        digest = hashlib.sha256()
        for part in self.content:
            digest.update(len(part).to_bytes(8, "little"))
            digest.update(part)
        self._seed = digest.hexdigest()

    @property
    def reproducible(self) -> bool:
        """Whether they follow from the content."""
        return self.content is not None

    def of(self, part: str) -> str:
        """The UID of a part of the object: "series", "instance" and the like; always the same one for one part."""
        digest = hashlib.sha256(f"{self._seed}|{part}".encode()).digest()
        return f"2.25.{int.from_bytes(digest[:16], 'big')}"
