"""The doctor: what is wrong with an installation, why, and what to do. Asks what costs little, changes nothing."""

from krs.doctor.doctor import Doctor
from krs.doctor.evidence import Inside
from krs.doctor.meter import Meter

__all__ = ["Doctor", "Inside", "Meter"]
