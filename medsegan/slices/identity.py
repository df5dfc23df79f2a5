"""Names that lead nowhere: keyed ids of cases and patients, and the order in which patients are drawn."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

_DIGITS = 10
_SECRET_BYTES = 32


@dataclass(frozen=True)
class IdKey:
    """The key that turns names into ids: without it nobody can try names until one of them gives an id.

    Args:
        secret: random bytes; kept apart from everything that carries ids.
    """

    secret: bytes = field(repr=False)

    @classmethod
    def fresh(cls) -> Self:
        """A key that nobody had before."""
        return cls(secrets.token_bytes(_SECRET_BYTES))

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits by which ids of one key are told from those of another."""
        return self._hashed("fingerprint")[:16]

    def case_id(self, source: str, domain: str) -> str:
        """The id of a case: ten hexadecimal digits of an HMAC-SHA256 over domain and source.

        Args:
            source: what names the case, a path or a stem; the same text gives the same id.
            domain: the domain it belongs to, so that one name in two domains is two cases.
        """
        return self._hashed(f"case/{domain}/{source}")[:_DIGITS]

    def patient_id(self, patient: str) -> str:
        """The id of a patient: ten hexadecimal digits of an HMAC-SHA256.

        It does not depend on the domain, so that a patient with a CT and an MR can be recognised as one.

        Args:
            patient: what names the patient: a DICOM PatientID, or the stem of the files.
        """
        return self._hashed(f"patient/{patient}")[:_DIGITS]

    def _hashed(self, text: str) -> str:
        return hmac.new(self.secret, text.encode(), hashlib.sha256).hexdigest()


def draw_name(patient: str) -> str:
    """What a patient is drawn by, the same under every key, so that equal data are split equally everywhere.

    It never leaves the memory: who guesses a name could find it again.

    Args:
        patient: as in `IdKey.patient_id`.
    """
    return hashlib.sha256(f"patient/{patient}".encode()).hexdigest()[:_DIGITS]


def draw_order(cases: Sequence[tuple[str, str]]) -> list[int]:
    """Indices of cases in the order in which a store keeps them, which is the order of a draw with seed 0.

    It depends on the names alone, neither on the key nor on the alphabet; the names cannot be told from it.

    Args:
        cases: what names the patient, and what names the case among those of the domain.
    """
    keys = [
        (hashlib.sha256(f"0/labeled/{draw_name(patient)}".encode()).digest(), _digest(stem), stem)
        for patient, stem in cases
    ]
    return sorted(range(len(cases)), key=keys.__getitem__)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
