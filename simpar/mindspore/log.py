"""``mindspore.log``: the standard library's logging under MindSpore's names."""

import logging

__all__ = ["critical", "debug", "error", "get_level", "info", "warning"]

_LOGGER = logging.getLogger("mindspore")

debug = _LOGGER.debug
info = _LOGGER.info
warning = _LOGGER.warning
error = _LOGGER.error
critical = _LOGGER.critical


def get_level() -> str:
    """Return the level, as a number in text: 0 is debug, 4 is critical."""
    return str(_LOGGER.getEffectiveLevel() // 10 - 1)
